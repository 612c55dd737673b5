"""`manage.py llm_translate`: a catalogue of texts in other languages, past what people have translated."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stapel_agent import services
from stapel_agent.catalogues import (
    CatalogueError,
    Fuzzy,
    Telling,
    locale_name,
    open_catalogue,
    read_glossary,
    rivals,
)
from stapel_agent.exceptions import AgentError
from stapel_agent.management import INTERRUPTED
from stapel_agent.management.catalogue_review import Costing, estimate, faults
from stapel_agent.management.catalogue_translation import Ask, CatalogueTranslation, NobodyAnswers
from stapel_agent.management.summary import counted, failures, table
from stapel_agent.profiles import EFFORTS

SHOWN_NAMES = 10
"""Failed texts that are named for each reason, at the default verbosity."""


class Command(BaseCommand):
    help = "Translate a JSON or gettext catalogue. What its target files hold already is kept."
    requires_system_checks = ["stapel_agent"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("source", type=Path, nargs="+", metavar="SOURCE", help="a .json, .arb, .po or .pot file; or several")
        add("--to", action="append", required=True, metavar="TAG", help="a language, as de or pt-BR; repeat for more")
        add("--from", dest="from_lang", default="auto", metavar="TAG", help="the language of the source, if known")
        add("--out", type=Path, metavar="DIR", help="folder of the target files")
        add("--provider", help="whom to ask; by default DEFAULT_PROVIDER")
        add("--model", default="small", metavar="SIZE", help="one of the sizes in MODELS")
        add("--effort", choices=EFFORTS, help="how hard the model should think; by default as configured")
        add("--glossary", type=Path, metavar="FILE.json", help="{term: translation}, or such an object per language")
        add("--context", metavar="SENTENCE", help="what the texts are for, as 'Buttons of a shop.'")
        add("--overwrite", action="store_true", help="translate anew what is translated already")
        add("--mark", choices=["fuzzy"], help="mark new translations in gettext files, for a person to look at")
        add("--overwrite-fuzzy", action="store_true", help="translate anew what is marked as fuzzy, and clear the mark")
        add("--references", action="store_true", help="tell the model where the program uses a text")
        add("--key-paths", action="store_true", help="tell the model the path of a text's key in JSON")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="check the translations there are, and ask nobody")
        only.add_argument("--estimate", action="store_true", help="say what it costs at most, and ask nobody")

    def handle(self, *arguments: Any, verbosity: int, **options: Any) -> None:
        try:
            plan = _plan(**options)
            if options["check"]:
                return self._check(plan, verbosity, options["from_lang"])
            if options["estimate"]:
                return self._estimate(plan)
        except (CatalogueError, AgentError) as fault:
            raise CommandError(str(fault)) from fault
        self._translate(plan, verbosity)

    def _translate(self, plan: list[Step], verbosity: int) -> None:
        begun: list[CatalogueTranslation] = []
        try:
            for step in plan:
                begun.append(step.translation)
                step.translation.run(step.ask, quiet=verbosity == 0)
        except NobodyAnswers:
            pass  # the summary says why
        except CatalogueError as fault:
            self._summarise(begun, verbosity)
            raise CommandError(str(fault)) from fault
        except KeyboardInterrupt:
            self._summarise(begun, verbosity)
            self.stderr.write("interrupted; the same command goes on from here")
            raise SystemExit(INTERRUPTED) from None
        self._summarise(begun, verbosity)
        if missing := sum(translation.left + len(translation.failed) for translation in begun):
            raise CommandError(f"not translated: {missing}; the same command asks for what is missing, and no more")

    def _check(self, plan: list[Step], verbosity: int, from_lang: str) -> None:
        for step in plan:
            step.translation.failed += faults(step.translation, from_lang)
            for line in failures(step.translation, None if verbosity > 1 else SHOWN_NAMES):
                self.stderr.write(line)
        if count := sum(len(step.translation.failed) for step in plan):
            raise CommandError(f"not right: {count}; correct them, or take them out and run without --check")

    def _estimate(self, plan: list[Step]) -> None:
        for step in plan:
            most = estimate(step.translation, step.costing)
            left = step.translation.left
            dollars = "at a price that is not known" if most.cost_usd is None else f"${most.cost_usd:.4f}"
            texts = counted(left, "text")
            self.stdout.write(f"{step.translation.catalogue.to}: {texts}, at most {most.tokens} tokens, {dollars}")

    def _summarise(self, translations: list[CatalogueTranslation], verbosity: int) -> None:
        for line in table(translations) if translations and verbosity else ():
            self.stdout.write(line)
        for translation in translations:
            for line in failures(translation, None if verbosity > 1 else SHOWN_NAMES):
                self.stderr.write(line)


@dataclass(frozen=True)
class Step:
    """A catalogue to be translated into one language, whom to ask, and what that costs."""

    translation: CatalogueTranslation
    ask: Ask
    costing: Costing


def _plan(**options: Any) -> list[Step]:
    """What is to be done; all of it is read and checked before anybody is asked. Raises CatalogueError."""
    from_lang, languages = options["from_lang"], options["to"]
    if from_lang != "auto" and locale_name(from_lang) in map(locale_name, languages):
        raise CatalogueError(f"the texts are to be translated from {from_lang!r} into the same: leave --from out")
    tags = {locale_name(tag): tag for tag in languages}.values()
    steps = [_step(source, tag, **options) for source in dict.fromkeys(options["source"]) for tag in tags]
    targets: dict[Path, Path] = {}
    for step in steps:
        catalogue = step.translation.catalogue
        other = targets.setdefault(catalogue.target.absolute(), catalogue.source)
        if other != catalogue.source:
            raise shared(catalogue.source, other, catalogue.target)
    return steps


def _step(file: Path, tag: str, **options: Any) -> Step:
    glossary, out, from_lang = options["glossary"], options["out"], options["from_lang"]
    fuzzy = Fuzzy(options["mark"] == "fuzzy", options["overwrite_fuzzy"])
    catalogue = open_catalogue(file, tag, out, overwrite=options["overwrite"], fuzzy=fuzzy, from_lang=from_lang)
    for other in rivals(file, tag, out, from_lang):
        if not glossary or not other.samefile(glossary):
            raise shared(file, other, catalogue.target)
    terms = read_glossary(glossary, tag) if glossary else None
    how = {"provider": options["provider"], "effort": options["effort"], "glossary": terms}
    translate = partial(services.translate, from_lang, tag, model_size=options["model"], **how)
    costing = partial(services.translation_cost, from_lang, tag, model_size=options["model"], **how)
    context = options["context"] or ""
    telling = Telling(references=options["references"], key_paths=options["key_paths"])
    return Step(
        CatalogueTranslation(catalogue, telling), partial(_ask, translate, context), partial(_ask, costing, context)
    )


def shared(source: Path, other: Path, target: Path) -> CatalogueError:
    """Two sources would share a target, where one's texts would pass for the other's."""
    return CatalogueError(
        f"{str(source)!r} and {str(other)!r} would share the target {str(target)!r}: put the files of a language into"
        " a folder named after it, as in locales/en/"
    )


def _ask(ask: Callable[..., Any], context: str, texts: Mapping[str, Any], hint: str) -> Any:
    """What `ask` says of `texts`, which are for what `context` says and must fit what `hint` says."""
    return ask(texts, context=f"{context} {hint}".strip())
