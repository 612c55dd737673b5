"""What a model says in place of a translation, in its own or in any other language.

`remark_words.json` has the words of each language, in lower case; `*` stands for any ending. A missing word lets a
remark pass; a wrong one costs another question. Words that a text of another subject may have (Russian `перевод` is
also a money transfer, and Czech `přeložit` is also to postpone) are in `translate` only as parts of longer phrases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: an apology, "I cannot", what a model cannot do, to translate, "as an AI".

    `can` has the "I can" of languages that put "not" elsewhere in the sentence. `opener`, `here` and `closer` have
    "of course", "here is" and "let me know", which begin and end an answer in a chat.
    """

    sorry: tuple[str, ...]
    cannot: tuple[str, ...]
    act: tuple[str, ...]
    translate: tuple[str, ...]
    model: tuple[str, ...] = ()
    can: tuple[str, ...] = ()
    opener: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    closer: tuple[str, ...] = ()


def _read() -> dict[str, Words]:
    table = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {
        language: Words(**{kind: tuple(words) for kind, words in kinds.items()}) for language, kinds in table.items()
    }


LANGUAGES = _read()
