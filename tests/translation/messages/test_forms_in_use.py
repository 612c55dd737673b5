"""Existing translations with other plural forms than CLDR lists: which are complete, and what each form must say."""

import pytest

from stapel_agent.translation import Entry, review
from stapel_agent.translation.messages.forms_in_use import FormsInUse, Unlike
from stapel_agent.translation.messages.icu_messages import MAX_LENGTH
from stapel_agent.translation.messages.icu_plurals import Branch, nodes
from tests.rows import each_row

SOURCE = {"one": "# file here", "other": "# files here"}
MENUS = {"one": "Delete a file", "other": "Delete # files"}
SAID = {"=0": "No files", "=1": "One file", "other": "# files"}


def icu(forms):
    return f"{{n, plural, {' '.join(f'{name} {{{text}}}' for name, text in forms.items())}}}"


def fluent(forms):
    """The pattern with the same forms, whose last one is the default."""
    lines = [f"    [{name.strip('=')}] {text.replace('#', '{ $n }')}\n" for name, text in forms.items()]
    lines[-1] = f"   *{lines[-1].lstrip()}"
    return f"{{ $n ->\n{''.join(lines)}}}"


RIGHT = [
    # Forms of millions and fractions may be missing, and so may Hebrew's form of 2 and Arabic's of 0.
    ("fr", SOURCE, {"one": "# fichier ici", "other": "# fichiers ici"}),
    ("es", SOURCE, {"one": "# archivo aquí", "other": "# archivos aquí"}),
    ("cs", SOURCE, {"one": "# soubor tady", "few": "# soubory tady", "other": "# souborů tady"}),
    ("he", SOURCE, {"one": "קובץ # כאן", "other": "# קבצים כאן"}),
    ("iw", SOURCE, {"one": "קובץ # כאן", "other": "# קבצים כאן"}),
    ("ar", SOURCE, {"one": "ملف #", "two": "ملفان #", "few": "# ملفات", "many": "# ملفا", "other": "# ملف"}),
    ("ru", SOURCE, {"one": "# файл тут", "few": "# файла тут", "many": "# файлов тут", "other": "# файла тут"}),
    ("ja", SOURCE, {"other": "ここに#個のファイル"}),
    # A form of one number may say it in words, in figures or not at all.
    ("pl", SOURCE, {"one": "jeden plik", "few": "# pliki", "many": "# plików", "other": "# pliku"}),
    ("pl", SOURCE, {"one": "1 plik", "few": "# pliki", "many": "# plików", "other": "# pliku"}),
    ("pl", SOURCE, {"one": "plik tutaj", "few": "# pliki", "many": "# plików", "other": "# pliku"}),
    ("pl", SOURCE, {"=1": "jeden plik", "few": "# pliki", "many": "# plików", "other": "# pliku"}),
    ("de", MENUS, {"one": "# Datei löschen", "other": "# Dateien löschen"}),
    ("de", SAID, {"=0": "Keine Dateien", "=1": "Eine Datei", "other": "# Dateien"}),
    # A form is not needed where exact cases have its numbers. French has one form for 0 and 1.
    ("fr", SAID, {"=0": "Aucun fichier", "=1": "Un fichier", "other": "# fichiers"}),
    ("fr", SOURCE, {"=1": "Un fichier", "other": "# fichiers"}),
    (
        "sl",
        SAID,
        {"=0": "Ni datotek", "one": "# datoteka", "two": "# datoteki", "few": "# datoteke", "other": "# datotek"},
    ),
    ("de", SAID, {"=0": "Keine Dateien", "one": "Eine Datei", "other": "# Dateien"}),
]
WRONG = [
    ("he", {"=2": "Two files", **SOURCE}, {"one": "קובץ # כאן", "other": "# קבצים כאן"}),
    ("ru", SOURCE, {"one": "# файл тут", "other": "# файлов тут"}),
    ("de", SOURCE, {"other": "# Dateien hier"}),
    ("sl", SOURCE, {"one": "# datoteka", "few": "# datoteke", "other": "# datotek"}),
    ("fr", SOURCE, {"one": "un fichier ici", "other": "# fichiers ici"}),
    ("ru", SOURCE, {"one": "файл тут", "few": "# файла тут", "many": "# файлов тут", "other": "# файла тут"}),
    ("pl", SOURCE, {"one": "jeden plik", "few": "pliki", "many": "# plików", "other": "# pliku"}),
    ("pl", SOURCE, {"one": "5 plików", "few": "# pliki", "many": "# plików", "other": "# pliku"}),
    ("fr", SOURCE, {"one": "# fichier ici", "other": "fichiers ici"}),
    ("fr", SOURCE, {"one": "", "other": "# fichiers ici"}),
    ("de", SAID, {"=1": "Eine Datei", "other": "# Dateien"}),
    ("hr", SOURCE, {"=1": "jedna datoteka", "few": "# datoteke", "other": "# datoteka"}),
    ("cy", SOURCE, {"=1": "# ffeil", "two": "# ffeil", "few": "# ffeil", "many": "# ffeil", "other": "# ffeil"}),
    ("de", SOURCE, {"one": "# Datei hier", "few": "# Dateien hier", "other": "# Dateien hier"}),
]


@each_row(RIGHT)
def test_review__forms_in_use(to, source, translation):
    """A translation needs the forms of the numbers that people meet. What it shows in each is its own choice."""
    assert review(Entry(icu(source), format="icu"), icu(translation), "en", to).fault == ""
    assert review(Entry(fluent(source), format="fluent"), fluent(translation), "en", to).fault == ""


@each_row(WRONG)
def test_review__form_missing_or_short(to, source, translation):
    """A missing form, or a form that lost its number or its words, is wrong."""
    assert review(Entry(icu(source), format="icu"), icu(translation), "en", to).fault
    assert review(Entry(fluent(source), format="fluent"), fluent(translation), "en", to).fault


@pytest.mark.parametrize(
    ("source", "translation", "is_right"),
    [
        ("{n, plural, offset:1 one {a # x} other {b #}}", "{n, plural, one {a # x} other {b #}}", False),
        ("{n, plural, one {a file} other {# files}}!", "{n,plural,one{eine Datei}other{# Dateien}}!", True),
        ("{g, select, male {he} other {they}}", "{g, select, male {er} female {sie} other {sie}}", False),
        ("{g, select, male {his} other {their}} {n, plural, one {# file} other {# files}}",
         "{n, plural, one {# Datei} other {# Dateien}} {g, select, male {von ihm} other {von ihnen}}", True),
        ("{g, select, male {his {n, plural, one {# file} other {# files}}} other {their files}}",
         "{g, select, male {seine {n, plural, one {Datei} other {# Dateien}}} other {ihre Dateien}}", True),
        ("{g, select, male {his {n, plural, one {# file} other {# files}}} other {their files}}",
         "{g, select, male {seine {n, plural, one {# Datei} other {Dateien}}} other {ihre Dateien}}", False),
        ("Hello {name}", "Hallo {name}", True),
        ("{n, plural, one {# file} other {# files}}", "Dateien", False),
        ("{n, plural, one {# file} other {# files}}", "{m, plural, one {# Datei} other {# Dateien}}", False),
        ("{n, plural, one {# file} other {# files}}", "{n, plural, one {# Datei}}", False),
        ("{n, plural, =0 {no file in {x}} other {# files}}",
         "{n, plural, =0 {keine Datei in {x}} one {# Datei} other {# Dateien}}", True),
        ("{n, plural, =0 {no file in {x}} other {# files}}",
         "{n, plural, =0 {keine Datei} one {# Datei} other {# Dateien}}", False),
        ("{n, plural, =1 {{x} alone} other {# files}}", "{n, plural, one {{x} allein} other {# Dateien}}", True),
        ("{n, plural, =1 {{x} alone} other {# files}}", "{n, plural, one {eine Datei} other {# Dateien}}", False),
        ("{n, plural, =2 {two files} one {{x} alone} other {# files}}",
         "{n, plural, =2 {zwei Dateien} one {{x} allein} other {# Dateien}}", True),
        ("{n, plural, one {# <b>app</b>} other {# <b>apps</b>}}",
         "{n, plural, one {# App} other {# <b>Apps</b>}}", False),
        ("{n, plural, one {# app in 24 h at a.com/x} other {# apps in 24 h at a.com/x}}",
         "{n, plural, one {# App in 24 Std. auf b.com/x} other {# Apps in 24 Std. auf b.com/x}}", False),
        ("{n, plural, one {# <b>app</b> in 24 h} other {# <b>apps</b> in 24 h}}",
         "{n, plural, one {# App in 25 Std.} other {# Apps in 25 Std.}}", False),
        ("{n, plural, one {{x} has # file} other {{x} has # files}}",
         "{n, plural, one {eine Datei} other {{x} hat # Dateien}}", False),
    ],
)  # fmt: skip
def test_review__structure(source, translation, is_right):
    """Arguments, offsets, the cases of a select and other placeholders are the same."""
    assert (review(Entry(source, format="icu"), translation, "en", "de").fault == "") == is_right


def test_review__default_of_fluent():
    """A language may have another default, and a pattern needs one. An ICU message needs `other`."""
    forms = {"one": "# plik", "few": "# pliki", "many": "# plików"}
    entry, pattern = Entry(fluent(SOURCE), format="fluent"), fluent(forms)
    assert review(entry, pattern, "en", "pl").fault == ""
    assert review(entry, pattern.replace("*", ""), "en", "pl").fault
    assert review(Entry(icu(SOURCE), format="icu"), icu(forms), "en", "pl").fault


def test_review__many_branches(monkeypatch):
    """A translation with very many branches is not compared with a text of any length, and little of it is built."""
    built, around = [], Branch.around
    monkeypatch.setattr(Branch, "around", lambda branch, text: built.append(text) or around(branch, text))
    source = icu({"one": "x" * 9000, "other": "y #" * 3000})
    exact = {f"={number}": "z" for number in range(1000)}
    translation = icu({**exact, "one": "a", "other": "b #"})
    with pytest.raises(Unlike):
        FormsInUse("en", "de").text(nodes(source), nodes(translation))
    assert sum(map(len, built)) < 2 * MAX_LENGTH
