"""`manage.py llm_translate`: translate catalogues into other languages, and keep existing translations."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from stapel_agent import services
from stapel_agent.catalogues import (
    SUFFIXES,
    CatalogueError,
    ContextOptions,
    FuzzyPolicy,
    is_in_target_language,
    is_language,
    locale_name,
    open_catalogue,
    read_glossary,
    same_target,
    without_translations,
)
from stapel_agent.exceptions import AgentError
from stapel_agent.management import INTERRUPTED
from stapel_agent.management.catalogue_review import CostOf, estimate, review_existing
from stapel_agent.management.catalogue_translation import Ask, CatalogueTranslation, NoProvider
from stapel_agent.management.summary import advice, counted, failures, fuzzy_texts, labels, spelled, table
from stapel_agent.management.terminal_command import TerminalCommand
from stapel_agent.management.waiting_notice import waits_announced
from stapel_agent.model_profiles import EFFORTS

SHOWN_NAMES = 10
"""Number of failed texts that are named for each reason, at the default verbosity."""

ESTIMATE = (
    "The first figure counts every question once, with an answer twice as long as its texts and without thinking. The"
    " second counts every question as often as TRANSLATE_RETRIES allows, each time with an answer of MAX_TOKENS."
)


class Command(TerminalCommand):
    help = "Translate files of texts. Existing translations in the target files are kept."
    requires_system_checks = ["stapel_agent"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("source", type=Path, nargs="+", metavar="SOURCE", help=f"one or more files: {', '.join(SUFFIXES)}")
        add(
            "--to",
            action="append",
            required=True,
            metavar="TAG",
            help="target language, such as pt-BR; may be repeated",
        )
        add("--from", dest="from_lang", default="auto", metavar="TAG", help="language of the source, if known")
        add("--out", type=Path, metavar="DIR", help="folder for the target files, if not by the layout of the source")
        add("--provider", help="the provider to call; by default, the configured one")
        add("--model", default="small", metavar="SIZE", help="a size in MODELS; small by default")
        add("--effort", choices=EFFORTS, help="how hard the model should think; by default, as configured")
        add(
            "--glossary",
            type=Path,
            metavar="FILE.json",
            help='JSON, {"term": "translation"}, or one such object per language',
        )
        add("--context", metavar="SENTENCE", help="what the texts are for, such as 'Buttons of a shop.'")
        add("--overwrite", action="store_true", help="replace existing translations")
        add("--mark", choices=["fuzzy"], help="mark new translations for review")
        add("--overwrite-fuzzy", action="store_true", help="replace translations marked as fuzzy")
        add("--references", action="store_true", help="send gettext's source locations to the model")
        add("--key-paths", action="store_true", help="send the paths of keys to the model")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="check existing translations without calling a model")
        only.add_argument("--estimate", action="store_true", help="print what it may cost without calling a model")

    def handle(self, *arguments: Any, verbosity: int, **options: Any) -> None:
        try:
            plan = _plan(**options)
            if options["check"]:
                return self._check(plan, verbosity)
            if options["estimate"]:
                return self._estimate(plan)
        except (CatalogueError, AgentError) as fault:
            raise CommandError(str(fault)) from fault
        self._translate(plan, verbosity)

    def _translate(self, plan: list[Step], verbosity: int) -> None:
        started: list[CatalogueTranslation] = []
        try:
            with waits_announced(self.stderr.write):
                for step in plan:
                    started.append(step.translation)
                    step.translation.run(step.ask, quiet=verbosity == 0)
        except NoProvider:
            pass  # the summary has the reason
        except CatalogueError as fault:
            self._summarise(started, verbosity)
            raise CommandError(str(fault)) from fault
        except KeyboardInterrupt:
            self._summarise(started, verbosity)
            self.stderr.write("interrupted; run the same command to continue")
            raise SystemExit(INTERRUPTED) from None
        self._summarise(started, verbosity)
        if missing := sum(translation.left + len(translation.failed) for translation in started):
            raise CommandError(f"not translated: {missing}; {advice(started)}")

    def _check(self, plan: list[Step], verbosity: int) -> None:
        checked = 0
        for step, label in zip(plan, labels([step.translation for step in plan]), strict=True):
            step.translation.pending()
            checked += review_existing(step.translation, step.terms)
            found = (*failures(step.translation, label, _shown(verbosity)), *fuzzy_texts(step.translation, label))
            for line in found:
                self.stderr.write(line)
        if count := sum(len(step.translation.failed) for step in plan):
            raise CommandError(f"wrong translations: {count}; correct them, or delete them and run without --check")
        if verbosity:
            missing = sum(step.translation.total for step in plan) - checked
            left = f"; {counted(missing, 'text')} without a translation" if missing else ""
            self.stdout.write(f"{counted(checked, 'translation')} checked: no errors{left}")

    def _estimate(self, plan: list[Step]) -> None:
        for step in plan:
            costs = estimate(step.translation, step.cost_of)
            texts = counted(step.translation.left, "text")
            about, most = map(spelled, (costs.expected, costs.most))
            self.stdout.write(f"{step.translation.catalogue.to}: {texts}, about {about}; at most {most}")
        self.stdout.write(ESTIMATE)

    def _summarise(self, translations: list[CatalogueTranslation], verbosity: int) -> None:
        for line in table(translations) if translations and verbosity else ():
            self.stdout.write(line)
        for translation, label in zip(translations, labels(translations), strict=True):
            for line in failures(translation, label, _shown(verbosity)):
                self.stderr.write(line)
            for line in fuzzy_texts(translation, label) if verbosity else ():
                self.stderr.write(line)


@dataclass(frozen=True)
class Step:
    """One catalogue to translate into one language, with the functions that translate it and estimate its cost."""

    translation: CatalogueTranslation
    ask: Ask
    cost_of: CostOf
    terms: Mapping[str, str]


def _plan(**options: Any) -> list[Step]:
    """Return the steps. Reads and checks all files before a model is called. Raises CatalogueError."""
    from_lang, languages = options["from_lang"], options["to"]
    if from_lang != "auto" and locale_name(from_lang) in map(locale_name, languages):
        raise CatalogueError(f"--from {from_lang!r} is also a target language: leave out one of them")
    tags = {locale_name(tag): tag for tag in languages}.values()
    sources = without_translations(options["source"], tags, options["out"], from_lang)
    steps = [_step(source, tag, **options) for source in sources for tag in tags]
    targets: dict[Path, Path] = {}
    for step in steps:
        catalogue = step.translation.catalogue
        is_own = from_lang == "auto" and is_language(catalogue.own_language(), catalogue.to)
        if is_own and not options["check"]:
            raise is_in_target_language(catalogue.source, catalogue.to)
        other = targets.setdefault(catalogue.target.absolute(), catalogue.source)
        if other != catalogue.source:
            raise shared_target(catalogue.source, other, catalogue.target)
    return steps


def _step(file: Path, tag: str, **options: Any) -> Step:
    glossary, out, from_lang = options["glossary"], options["out"], options["from_lang"]
    fuzzy = FuzzyPolicy(options["mark"] == "fuzzy", options["overwrite_fuzzy"])
    catalogue = open_catalogue(file, tag, out, overwrite=options["overwrite"], fuzzy=fuzzy, from_lang=from_lang)
    for other in same_target(file, tag, out, from_lang):
        if not glossary or not other.samefile(glossary):
            raise shared_target(file, other, catalogue.target)
    terms = read_glossary(glossary, tag) if glossary else None
    how = {"provider": options["provider"], "effort": options["effort"], "glossary": terms}
    how |= {"to": tag, "model_size": options["model"]}
    context = options["context"] or ""
    context_options = ContextOptions(references=options["references"], key_paths=options["key_paths"])
    return Step(
        CatalogueTranslation(catalogue, context_options),
        partial(_ask, partial(services.translate, **how), context),
        partial(_ask, partial(services.translation_cost, **how), context),
        terms or {},
    )


def _shown(verbosity: int) -> int | None:
    """The number of texts to name for each reason, or None for all."""
    return None if verbosity > 1 else SHOWN_NAMES


def shared_target(source: Path, other: Path, target: Path) -> CatalogueError:
    """Return the error for two sources with the same target, where one would overwrite the other."""
    return CatalogueError(
        f"{str(source)!r} and {str(other)!r} have the same target {str(target)!r}: name the files of one"
        " language, with --from if their names end in it, or put those of each language into a folder named after it,"
        " such as locales/en/"
    )


def _ask(ask: Callable[..., Any], context: str, from_lang: str, texts: Mapping[str, Any], hint: str) -> Any:
    """Call `ask` with `texts` in a language, and with the context and the hint as one sentence."""
    return ask(from_lang, entries=texts, context=f"{context} {hint}".strip())
