"""`manage.py llm_translate`: a catalogue of texts in other languages, past what people have translated."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stapel_agent import services
from stapel_agent.catalogues import CatalogueError, locale_name, open_catalogue, read_glossary
from stapel_agent.management import INTERRUPTED
from stapel_agent.management.catalogue_translation import Ask, CatalogueTranslation, NobodyAnswers
from stapel_agent.management.summary import failures, table
from stapel_agent.schemas import TranslationAnswer

SHOWN_NAMES = 10
"""Failed texts that are named for each reason, at the default verbosity."""


class Command(BaseCommand):
    help = "Translate a JSON or gettext catalogue. What its target files hold already is kept."
    requires_system_checks = ["stapel_agent"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("source", type=Path, metavar="SOURCE", help="a .json, .po or .pot file")
        add("--to", action="append", required=True, metavar="TAG", help="a language, as de or pt-BR; repeat for more")
        add("--from", dest="from_lang", default="auto", metavar="TAG", help="the language of the source, if known")
        add("--out", type=Path, metavar="DIR", help="folder of the target files")
        add("--provider", help="whom to ask; by default DEFAULT_PROVIDER")
        add("--model", default="small", metavar="SIZE", help="one of the sizes in MODELS")
        add("--glossary", type=Path, metavar="FILE.json", help="{term: translation}, or such an object per language")
        add("--context", metavar="SENTENCE", help="what the texts are for, as 'Buttons of a shop.'")
        add("--overwrite", action="store_true", help="translate anew what is translated already")

    def handle(self, *arguments: Any, verbosity: int, **options: Any) -> None:
        begun: list[CatalogueTranslation] = []
        try:
            for translation, ask in _plan(**options):
                begun.append(translation)
                translation.run(ask, quiet=verbosity == 0)
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

    def _summarise(self, translations: list[CatalogueTranslation], verbosity: int) -> None:
        for line in table(translations) if translations and verbosity else ():
            self.stdout.write(line)
        for translation in translations:
            for line in failures(translation, None if verbosity > 1 else SHOWN_NAMES):
                self.stderr.write(line)


def _plan(  # noqa: PLR0913  (the command's options)
    *,
    source: Path,
    to: list[str],
    from_lang: str,
    out: Path | None,
    overwrite: bool,
    glossary: Path | None,
    context: str | None,
    provider: str | None,
    model: str,
    **options: Any,
) -> list[tuple[CatalogueTranslation, Ask]]:
    """What is to be done, each with whom to ask; all of it is read and checked before anybody is. CatalogueError."""
    if from_lang != "auto" and locale_name(from_lang) in map(locale_name, to):
        raise CatalogueError(f"the texts are to be translated from {from_lang!r} into the same: leave --from out")
    plan: list[tuple[CatalogueTranslation, Ask]] = []
    for tag in {locale_name(tag): tag for tag in to}.values():
        catalogue = open_catalogue(source, tag, out, overwrite=overwrite)
        terms = read_glossary(glossary, tag) if glossary else None
        translate = partial(services.translate, from_lang, tag, model_size=model, provider=provider, glossary=terms)
        plan.append((CatalogueTranslation(catalogue), partial(_ask, translate, context or "")))
    return plan


def _ask(
    translate: Callable[..., TranslationAnswer], context: str, texts: Mapping[str, str], hint: str
) -> TranslationAnswer:
    """The facade's answer to `texts`, which are for what `context` says and must fit what `hint` says."""
    return translate(texts, context=f"{context} {hint}".strip())
