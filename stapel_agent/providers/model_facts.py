"""A vendor's facts about a model: when it is retired, the longest answer it can give, and what it supports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOTICE = timedelta(days=60)
"""How long before a model's retirement to warn."""


@dataclass(frozen=True)
class ModelFacts:
    """`max_tokens` is the maximum length of an answer. `lifecycle` is the vendor's word, such as "retired".

    `efforts` are those of our values that the model supports. None stands for what the vendor does not say.
    """

    max_tokens: int | None = None
    lifecycle: str = ""
    retires_at: datetime | None = None
    efforts: frozenset[str] | None = None
    supports_schema: bool | None = None

    def warnings(self, model: str, size: str, cap: int, now: datetime, effort: str | None = None) -> Iterator[str]:
        """Yield the problems of using `model` for `size` with this cap in tokens and this effort, each with its fix."""
        another = f"set STAPEL_AGENT['MODELS'][{size!r}] to another model"
        if self.lifecycle == "retired":
            yield f"Model {model!r} of size {size!r} is retired: {another}."
        elif self.retires_at is not None and _aware(self.retires_at) - now <= NOTICE:
            yield f"Model {model!r} of size {size!r} is retired on {self.retires_at:%Y-%m-%d}: {another}."
        if self.max_tokens and cap > self.max_tokens:
            yield (
                f"Size {size!r} asks for up to {cap:,} tokens, but model {model!r} gives at most {self.max_tokens:,}: "
                f"lower MAX_TOKENS, or 'max_tokens' in STAPEL_AGENT['MODELS'][{size!r}]."
            )
        if effort and self.efforts is not None and effort not in self.efforts:
            supported = ", ".join(sorted(self.efforts)) or "none of the values"
            yield (
                f"Size {size!r} has the effort {effort!r}, but model {model!r} supports {supported}: "
                f"change 'effort' in STAPEL_AGENT['MODELS'][{size!r}]."
            )
        if self.supports_schema is False:
            yield f"Model {model!r} of size {size!r} does not support schemas, so calls with one fail: {another}."


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
