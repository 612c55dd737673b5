"""A vendor's facts about a model: when it is retired, and the longest answer it can give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOTICE = timedelta(days=60)
"""How long before a model's retirement to warn."""


@dataclass(frozen=True)
class ModelFacts:
    """`max_tokens` is the maximum length of an answer. `lifecycle` is the vendor's word, such as "retired"."""

    max_tokens: int | None = None
    lifecycle: str = ""
    retires_at: datetime | None = None

    def warnings(self, model: str, size: str, cap: int, now: datetime) -> Iterator[str]:
        """Yield the problems of using `model` for `size` with a cap of `cap` tokens, each with its fix."""
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


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
