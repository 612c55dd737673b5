"""The numbered plural forms of i18next's older JSON format (v3): their count and their rule for each language.

Source: i18next, `PluralResolver` of its versions up to 23, with `compatibilityJSON: "v3"`. The order is not always that
of gettext: Slovenian's form 0 is for all numbers that the others do not cover.
"""

from __future__ import annotations

from collections.abc import Iterator

from .gettext_plurals import ENGLISH, PluralForms
from .target_paths import locale_name

SLAVIC = "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"
RULES = {
    "ach ak am arn br fil gun ln mfe mg mi oc pt tg tl ti tr uz wa fr": (2, "n > 1"),
    "af an ast az bg bn ca da de dev el en eo es et eu fi fo fur fy gl gu ha hi hu hy ia it kk kn ku lb mai ml mn mr "
    "nah nap nb ne nl nn no nso pa pap pms ps pt_PT rm sco se si so son sq sv sw ta te tk ur yo or": (2, "n != 1"),
    "ay bo cgg fa ht id ja jbo ka km ko ky lo ms sah su th tt ug vi wo zh": (1, "0"),
    "be bs cnr dz hr ru sr uk": (3, SLAVIC),
    "ar": (6, "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5"),
    "cs sk": (3, "n==1 ? 0 : n>=2 && n<=4 ? 1 : 2"),
    "csb pl": (3, SLAVIC.replace("n%10==1 && n%100!=11", "n==1")),
    "cy": (4, "n==1 ? 0 : n==2 ? 1 : n!=8 && n!=11 ? 2 : 3"),
    "ga": (5, "n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4"),
    "gd": (4, "n==1 || n==11 ? 0 : n==2 || n==12 ? 1 : n>2 && n<20 ? 2 : 3"),
    "is mk": (2, "n%10!=1 || n%100==11"),
    "jv": (2, "n != 0"),
    "kw": (4, "n==1 ? 0 : n==2 ? 1 : n==3 ? 2 : 3"),
    "lt": (3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2"),
    "lv": (3, "n%10==1 && n%100!=11 ? 0 : n!=0 ? 1 : 2"),
    "mnk": (3, "n==0 ? 0 : n==1 ? 1 : 2"),
    "mt": (4, "n==1 ? 0 : n==0 || n%100>1 && n%100<11 ? 1 : n%100>10 && n%100<20 ? 2 : 3"),
    "ro": (3, "n==1 ? 0 : n==0 || n%100>0 && n%100<20 ? 1 : 2"),
    "sl": (4, "n%100==1 ? 1 : n%100==2 ? 2 : n%100==3 || n%100==4 ? 3 : 0"),
    "he iw": (4, "n==1 ? 0 : n==2 ? 1 : n>10 && n%10==0 ? 2 : 3"),
}
"""The number of forms and the C expression that selects one, by language."""
FORMS = {language: PluralForms(*forms) for languages, forms in RULES.items() for language in languages.split()}
NUMBERED = {"jv", "or"}
"""Languages whose two forms are numbered, because the first one is not the form of 1."""


def numbered_keys(base: str, singular: str, plural: str, to: str) -> Iterator[tuple[str, str, int | None]]:
    """Yield the keys of the language `to`, each with the source's text for it, and an example number if one is needed.

    i18next has no plural forms for a language that is not in RULES: such a language has the key alone.
    """
    locale = locale_name(to)
    language = locale if locale in FORMS else locale.partition("_")[0]
    forms = FORMS.get(language)
    if forms is None:
        yield base, plural, None
        return
    is_named = forms.count == 2 and language not in NUMBERED
    for form, (origin, example) in sorted(forms.origins((singular, plural), ENGLISH).items()):
        key = (base, f"{base}_plural")[form] if is_named else f"{base}_{form}"
        yield key, (singular, plural)[origin], example if forms.count > 2 else None
