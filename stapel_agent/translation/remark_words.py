"""What a model says in place of a translation, in its own or in any other language.

`remark_words.json` has the words of each language, in lower case; `*` stands for any ending. A missing word lets a
remark pass; a wrong one costs another question. Words that a text of another subject may have (Russian `перевод` is
also a money transfer, and Czech `přeložit` is also to postpone) are in `translate` only as parts of longer phrases.
"""

from __future__ import annotations

import json
from pathlib import Path

KINDS = ("sorry", "cannot", "can", "act", "translate", "model", "opener", "here", "closer")
"""An apology, "I cannot", "I can" where "not" is elsewhere in the sentence, what a model cannot do, to translate,
"as an AI"; and the beginnings and the end of an answer in a chat: "of course", "here is", "let me know".
"""
LANGUAGES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
PHRASES = {kind: [phrase for words in LANGUAGES.values() for phrase in words.get(kind, ())] for kind in KINDS}
