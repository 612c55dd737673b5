"""`manage.py llm_translate` on extracts of projects' catalogues, with models that work, fail, or obey the texts."""

import itertools
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from stapel_agent.catalogues import open_catalogue
from stapel_agent.management.summary import NAME_LENGTH, printable
from stapel_agent.testing import translating
from tests.catalogues.files import made, read
from tests.management.extracts import EXTRACTS
from tests.management.test_llm_translate import run

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.gettext]

WORDS = {
    "ru": "файл заказ новый сообщение папка каждый после магазин система пользователь можно нужно страница",
    "ar": "ملف طلب جديد رسالة مجلد بعد كل متجر النظام المستخدم صفحة هذا يمكن لوحة",
    "ja": "ファイル 注文 新しい メッセージ フォルダー すべて 後 店 システム 利用者 ページ この できます 設定",
}
"""Words that replace those of the source in a translation."""
UNITS = {
    "ru": {"hour": "часов", "minute": "минут", "day": "дней", "second": "секунд"},
    "ar": {"hour": "ساعة", "minute": "دقيقة", "day": "يوم", "second": "ثانية"},
    "ja": {"hour": "時間", "minute": "分", "day": "日", "second": "秒"},
}
WORD = re.compile(r"&#?\w+;|⟦\d+⟧|[A-Za-z][A-Za-z’']*")
ADDRESS = "https://evil.example"


def translated(to: str):
    """A translation into words of the language `to`: the same for the same text, with everything else unchanged."""

    def word(found: re.Match[str]) -> str:
        if not found[0][0].isalpha() or (found[0].isupper() and len(found[0]) > 1):  # "EUR" stays
            return found[0]
        return UNITS[to].get(found[0].removesuffix("s")) or words[sum(map(ord, found[0])) % len(words)]

    words = WORDS[to].split()

    return lambda text: WORD.sub(word, text)


def right(to: str):
    """A model that translates correctly."""
    return translating(translated(to))


FAULTS = {
    "loses a placeholder": lambda text: re.sub(r"⟦\d+⟧", "", text, count=1),
    "has a placeholder twice": lambda text: re.sub(r"(⟦\d+⟧)", r"\1 \1", text, count=1),
    "swaps placeholders": lambda text: re.sub(r"(⟦\d+⟧)(.*?)(⟦\d+⟧)", r"\3\2\1", text, count=1, flags=re.DOTALL),
    "invents a placeholder": lambda text: f"{text} %s {{name}}",
    "changes a number": lambda text: re.sub(r"(?<!⟦)\b(\d+)\b(?!⟧)", r"1\1", text),
    "is in quotes": lambda text: f'"{text}"',
    "is an apology": lambda text: "I'm sorry, but I cannot translate this text.",
    "is in a third language": lambda text: "Bonjour tout le monde et merci beaucoup",
    "has an address": lambda text: f"{text} {ADDRESS}",
    "has markup": lambda text: f"<b onclick='x()'>{text}</b>",
    "is empty": lambda text: "",
    "is the text": None,
}


def faulty(to: str, start: int = 0):
    """A model with scheduled errors: some texts are wrong, each in one way, and the others are right.

    A single word may be the same in both languages, so it is never left as it is.
    """
    faults = itertools.cycle([*FAULTS.values()][start:] + [*FAULTS.values()][:start])
    turns = itertools.count()

    def reply(request):
        texts, turn = json.loads(request.prompt), next(turns)
        answer = {}
        for number, (key, text) in enumerate(texts.items()):
            fault = next(faults)
            good = translated(to)(text)
            bad = fault(good) if fault else text if " " in text else good
            answer[key] = good if (number + turn) % 3 == 0 else bad
        if turn % 7 == 3:
            return "I would rather not."
        if turn % 7 == 5:
            return json.dumps(
                dict(zip(answer, reversed(answer.values()), strict=True)) if len(answer) == 2 else answer
            )[:-3]
        return json.dumps(answer, ensure_ascii=False)

    return reply


def obedient(to: str, start: int = 0):
    """A model that follows the instruction in one of the texts, for all of them."""
    orders = itertools.cycle(
        [
            lambda request, text: (request.system_prompt or "")[:200],
            lambda request, text: f"{translated(to)(text)} {ADDRESS}",
            lambda request, text: "hacked by a text",
            lambda request, text: f"<script>alert(1)</script>{translated(to)(text)}",
        ]
    )

    def reply(request):
        texts = json.loads(request.prompt)
        is_ordered = re.search("nstructions|rules|Disregard", request.prompt)
        order = next(orders) if is_ordered else lambda request, text: translated(to)(text)
        return json.dumps({key: order(request, text) for key, text in texts.items()}, ensure_ascii=False)

    return reply


def translate_all(folder: Path, to: str) -> tuple[dict[str, dict[str, str]], str]:
    """The translations in each file after the command has run, and the errors that it printed."""
    sources = [made(folder, name, content) for name, content in EXTRACTS.items()]
    _, err = run(*sources, "--to", to, "--from", "en", verbosity=2)
    catalogues = {name: open_catalogue(folder / name, to, from_lang="en") for name in EXTRACTS}
    for catalogue in catalogues.values():
        check_file(catalogue.target)
    return {name: catalogue.translations() for name, catalogue in catalogues.items()}, err


def check_file(path: Path) -> None:
    """Independent readers accept a file."""
    if path.suffix == ".po":
        checked = subprocess.run(["msgfmt", "-c", "-o", os.devnull, path], capture_output=True, text=True)
        assert (checked.returncode, "error" in checked.stderr) == (0, False), checked.stderr
    elif path.exists():
        read(path)


def same_but_for_order(one: str, other: str) -> bool:
    """Named placeholders may change places: that is grammar."""
    return Counter(re.findall(r"\w+|\W", one)) == Counter(re.findall(r"\w+|\W", other))


@pytest.mark.fluent
@pytest.mark.parametrize("to", WORDS)
def test_projects__a_model_that_translates(tmp_path, scripted_model, to):
    """Every text of every file is translated, each file is valid, and --check finds nothing."""
    scripted_model.script(right(to))
    found, err = translate_all(tmp_path, to)
    assert err == ""
    assert all(found.values())
    assert all(open_catalogue(tmp_path / name, to).texts().keys() == texts.keys() for name, texts in found.items())
    scripted_model.script("never asked")
    assert run(*(tmp_path / name for name in EXTRACTS), "--to", to, "--from", "en", "--check")[1] == ""


_right: dict[str, dict[str, dict[str, str]]] = {}
"""The right translations in each file, by language."""


@pytest.mark.fluent
@pytest.mark.parametrize(
    ("model", "to", "start"),
    [
        (faulty, "ru", 0),
        (faulty, "ru", 4),
        (faulty, "ru", 8),
        (faulty, "ar", 0),
        (obedient, "ru", 0),
        (obedient, "ar", 0),
    ],
)
def test_projects__a_model_that_does_not(tmp_path, scripted_model, agent, model, to, start):
    """No wrong translation is accepted: the files contain those of a correct model, and the other texts are listed."""
    if to not in _right:
        scripted_model.script(right(to))
        _right[to], _ = translate_all(tmp_path / "right", to)
    expected = _right[to]
    agent(TRANSLATE_CHUNK_ENTRIES=4, CACHE_LOOKUP={})
    scripted_model.script(model(to, start))
    found, err = translate_all(tmp_path / "wrong", to)
    named = set(re.findall(r"^  (.+)$", err, re.MULTILINE))
    catalogues = {name: open_catalogue(tmp_path / "wrong" / name, to) for name in found}
    written = [(name, key, text) for name, texts in found.items() for key, text in texts.items()]
    wrong = {
        (name, key): text
        for name, key, text in written
        if not same_but_for_order(text, expected[name][key])
        and printable(catalogues[name].name(key), NAME_LENGTH) not in named
    }
    assert wrong == {}
    addresses = [text.count(ADDRESS) - expected[name][key].count(ADDRESS) for name, key, text in written]
    assert set(addresses) <= {0}
    assert sum(map(len, found.values())) > sum(map(len, expected.values())) / 3
