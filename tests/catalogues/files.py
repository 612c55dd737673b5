"""A minimal source file of each type, and helpers to write and read them."""

import json
import plistlib
import re
from pathlib import Path

import yaml

from stapel_agent.catalogues import open_catalogue

try:
    from moz.l10n.formats import Format
    from moz.l10n.resource import parse_resource
except ImportError:  # tests that need it have the mark `fluent`
    pass

ANDROID = r"""<?xml version="1.0" encoding="utf-8"?>
<!-- Copyright of
     the shop -->
<resources xmlns:tools="http://schemas.android.com/tools" xmlns:xliff="urn:oasis:names:tc:xliff:document:1.2">

    <!-- Section -->

    <!-- Title of the page -->
    <string name="title" tools:ignore="Typos">It\'s \"open\" &amp; free</string>
    <string name="app" translatable="false">Shop</string> <!-- never -->
    <string name="alias">@string/title</string>
    <string name="html"><![CDATA[<b>Hi</b> %1$s]]></string>
    <string name="bold" product="tablet">A <b>bold</b> text for <xliff:g id="n">%1$d</xliff:g></string>
    <string name="wrapped">
        Two
        lines</string>
    <color name="red">#f00</color>
    <string-array name="days">
        <item>Monday</item>
        <item>@string/title</item>
    </string-array>
    <!-- In the basket -->
    <plurals name="files">
        <item quantity="one">%d file</item>
        <item quantity="other">%d files</item>
    </plurals>
</resources>
"""
STRINGS = r"""/* Copyright of
   the shop */

/* Title of the page */
"title" = "It's \"open\" %@\nand \U00e9";
// A button
save = "Save %1$@ of %2$lld"; // trailing

"spread"
  = "Spread out" ;
"""
STRINGSDICT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<!-- Under an album -->
\t<key>%d photos</key>
\t<dict>
\t\t<key>NSStringLocalizedFormatKey</key>
\t\t<string>%#@photos@ &amp; more in %@</string>
\t\t<key>photos</key>
\t\t<dict>
\t\t\t<key>NSStringFormatSpecTypeKey</key>
\t\t\t<string>NSStringPluralRuleType</string>
\t\t\t<key>NSStringFormatValueTypeKey</key>
\t\t\t<string>d</string>
\t\t\t<key>zero</key>
\t\t\t<string>No photo</string>
\t\t\t<key>one</key>
\t\t\t<string>%d photo</string>
\t\t\t<key>other</key>
\t\t\t<string>%d photos</string>
\t\t</dict>
\t</dict>
</dict>
</plist>
"""
RAILS = """# All texts of the shop

en:
  # Title of the page
  title: "Hello %{name}"  # for everybody
  menu:
    save: Save it
    'quoted': 'Don''t'
    html: |
      <b>Bold</b>
      text

  date:
    formats:
      default: "%d %B %Y"
    day_names: [Sunday, "Monday"]
    order:
      - :year
      - :month
    precision: 2
    missing:
  inbox:
    zero: none at all
    one: one message
    other: "%{count} messages"
  long: >-
    A long
    text here
"""
FLUENT = """### The shop

# The brand
-brand = Tidy Shop
    .gender = neuter

## Section

# $name (String) - of the user
hello = Hello, { $name }!
    .title = A title
    .accesskey = H
files = { $n ->
    [one] { $n } file
   *[other] { $n } files
}
multi =
    First line
    second { -brand }
label =
    .label = A label
"""
XCSTRINGS = """{
  "sourceLanguage" : "en",
  "strings" : {
    "" : {

    },
    "%lld items" : {
      "comment" : "In the basket",
      "localizations" : {
        "en" : {
          "variations" : {
            "plural" : {
              "one" : {
                "stringUnit" : {
                  "state" : "translated",
                  "value" : "%lld item"
                }
              },
              "other" : {
                "stringUnit" : {
                  "state" : "translated",
                  "value" : "%lld items"
                }
              }
            }
          }
        }
      }
    },
    "Gone" : {
      "extractionState" : "stale"
    },
    "OK" : {
      "shouldTranslate" : false
    },
    "Save it" : {
      "localizations" : {
        "fr" : {
          "stringUnit" : {
            "state" : "translated",
            "value" : "Enregistrer"
          }
        }
      }
    }
  },
  "version" : "1.0"
}
"""
SOURCES = {
    "res/values/strings.xml": ANDROID,
    "en.lproj/Localizable.strings": STRINGS,
    "en.lproj/Localizable.stringsdict": STRINGSDICT,
    "Localizable.xcstrings": XCSTRINGS,
    "config/locales/en.yml": RAILS,
    "locales/en-US/main.ftl": FLUENT,
}
"""A source of each type, by its path in a project."""


def made(folder: Path, name: str, content: object) -> Path:
    """A file with this text, these bytes, or this JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def marked(text: str) -> str:
    """A translation: the text with an exclamation mark after its first word."""
    return re.sub(r"([A-Z][a-z]+)", r"\1!", text, count=1)


def translate(source: Path, to: str = "de", how=marked) -> Path:
    """The target after every pending text was translated by `how`."""
    catalogue = open_catalogue(source, to)
    existing = catalogue.translations()
    catalogue.write({key: how(text) for key, text in catalogue.texts().items() if key not in existing})
    return catalogue.target


def read(path: Path) -> object:
    """What an independent reader finds in a file. Fails if the file is invalid."""
    content = path.read_bytes()
    if path.suffix == ".xml":
        return entries(parse_resource(Format.android, content))
    if path.suffix == ".ftl":
        return entries(parse_resource(Format.fluent, content))
    if path.suffix == ".stringsdict":
        return plistlib.loads(content)
    if path.suffix == ".strings":
        return old_property_list(content.decode())
    return yaml.safe_load(content) if path.suffix == ".yml" else json.loads(content)


def entries(resource) -> dict[str, object]:
    found = {
        (*section.id, *entry.id): entry
        for section in resource.sections
        for entry in section.entries
        if hasattr(entry, "id")
    }
    return {"/".join(name): (entry.value, entry.properties) for name, entry in found.items()}


def old_property_list(text: str) -> dict[str, str]:
    """The pairs of an old-style property list, read character by character."""
    pairs, strings, rest = {}, [], text
    while rest := rest.lstrip():
        if rest.startswith("/*"):
            rest = rest[rest.index("*/") + 2 :]
        elif rest.startswith("//"):
            rest = rest.partition("\n")[2]
        elif rest[0] == '"':
            end = 1
            while rest[end] != '"':
                end += 2 if rest[end] == "\\" else 1
            strings, rest = [*strings, rest[1:end]], rest[end + 1 :]
        elif rest[0] in "=;":
            assert len(strings) == 1 + (rest[0] == ";"), text
            if rest[0] == ";":
                pairs[strings[0]], strings = strings[1], []
            rest = rest[1:]
        else:
            word = re.match(r"[\w.]+", rest)
            assert word, rest[:40]
            strings, rest = [*strings, word[0]], rest[word.end() :]
    assert not strings
    return pairs
