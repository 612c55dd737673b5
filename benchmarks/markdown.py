"""Figures as rows of a Markdown table, each with its ratio to its reference."""


def head(title: str) -> None:
    print(f"\n| {title} | figure | ratio | to |\n|---|---:|---:|---|", flush=True)


def line(label: str, figure: float, ratio: float | None = None, reference: str = "") -> None:
    shown = f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
    print(f"| {label} | {shown} | {'' if ratio is None else f'{ratio:.2g}'} | {reference} |", flush=True)
