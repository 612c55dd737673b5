"""JSON files are changed at the positions of the changes: everything else keeps its bytes."""

import json
import time
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.catalogues import open_catalogue
from stapel_agent.catalogues.json_edits import JsonText
from tests.catalogues.files import made

SOURCE = {"a": "Open", "b": "Close", "list": ["One", "Two"], "n": {"x": "Name", "y": "Place"}, "z": "Last"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            r'{"a": "\u00d6ffnen \/", "e": 1e3, "x": "\ud83d\ude00", "n": {}}',
            r'{"a": "\u00d6ffnen \/", "b": "[Close]", "list": ["[One]", "[Two]"], "e": 1e3, "x": "\ud83d\ude00", '
            r'"n": {"x": "[Name]", "y": "[Place]"}, "z": "[Last]"}',
        ),
        (
            '{\n\t"a" : "Auf",\n\t"list": [ "Eins",""], "own": [1.0, 2],\n\n\t"n": { "y": "Ort" }\n}\n',
            '{\n\t"a" : "Auf",\n\t"b" : "[Close]",\n\t"list": [ "Eins","[Two]"], "own": [1.0, 2],\n\n\t"n": '
            '{ "x": "[Name]", "y": "Ort" },\n\t"z" : "[Last]"\n}\n',
        ),
        (
            '{\n  "b": null,\n  "n": {\n    "y": ""\n  }\n}',
            '{\n  "a": "[Open]",\n  "b": "[Close]",\n  "list": [\n    "[One]",\n    "[Two]"\n  ],\n  "n": {\n'
            '    "x": "[Name]",\n    "y": "[Place]"\n  },\n  "z": "[Last]"\n}',
        ),
        (
            '{"z":"Ende"}',
            '{"a":"[Open]","b":"[Close]","list":["[One]","[Two]"],"n":{"x":"[Name]","y":"[Place]"},"z":"Ende"}',
        ),
    ],
)
def test_target__keeps_its_bytes(tmp_path, before, after):
    """Escapes, numbers, blanks and lines of a target stay. New texts are written in the style of those beside them."""
    target = made(tmp_path, "de.json", before)
    catalogue = open_catalogue(made(tmp_path, "en.json", json.dumps(SOURCE)), "de")
    existing = catalogue.translations()
    for key, text in catalogue.texts().items():
        if key not in existing:
            catalogue.write({key: f"[{text}]"})
    assert target.read_text() == after
    catalogue.write({})
    assert target.read_text() == after


def test_string_catalog__keeps_its_bytes(tmp_path):
    """In a string catalog, the texts and the layout of other languages and keys stay."""
    unit = '{ "stringUnit" : { "state" : "translated", "value" : "%s" } }'
    content = (
        '{\n  "sourceLanguage" : "en",\n  "strings" : {\n\t"Away" : { "comment":"\\u00e9", "localizations" : '
        '{ "de" : %s, "ru" : %s } },\n    "Other" : {\n\n    }\n  },\n  "version" : 1e0\n}\n'
    )
    german, russian = unit % r"Weg \/ damit \u00e9", unit % "!"
    source = made(tmp_path, "App.xcstrings", content % (german, russian))
    catalogue = open_catalogue(source, "fr")
    (away,) = (key for key, text in catalogue.texts().items() if text == "Away")
    catalogue.write({away: "Loin"})
    french = unit.replace("{ ", "{").replace(" }", "}") % "Loin"
    assert source.read_text() == content % (f'{german}, "fr" : {french}', russian)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=2) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=5), values, max_size=4),
    max_leaves=12,
)
STYLES = st.fixed_dictionaries(
    {"indent": st.sampled_from([None, 1, 4, "\t"]), "ensure_ascii": st.booleans()},
    optional={"separators": st.sampled_from([(",", ":"), (" , ", " : "), (",", ": ")])},
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), STYLES, st.data())
def test_any_change(tree, style, data):
    """Whatever is added or replaced, the text holds the new tree in its order, and without a change it is the same."""
    text = json.dumps(tree, **style)
    original = JsonText.of(text, tree)
    assert original.with_tree(deepcopy(tree)) == text
    changed = data.draw(changes_of(tree))
    assert json.dumps(json.loads(original.with_tree(changed))) == json.dumps(changed)


def test_added__many_members():
    """Members are added in linear time: half of 40,000 take a second, not minutes."""
    tree = {f"key{number}": "text" for number in range(40_000)}
    half = {key: text for number, (key, text) in enumerate(tree.items()) if number % 2}
    original = JsonText.of(json.dumps(half, indent=2), half)
    began = time.process_time()
    assert original.with_tree(tree) == json.dumps(tree, indent=2)
    assert time.process_time() - began < 5


@st.composite
def changes_of(draw, tree):
    """The tree with other values, and with more members at any place."""
    if not draw(st.booleans()):
        return tree
    if isinstance(tree, list):
        return [draw(changes_of(value)) for value in tree] + draw(st.lists(JSON, max_size=2))
    if not isinstance(tree, dict):
        return draw(JSON)
    members = [(key, draw(changes_of(value))) for key, value in tree.items()]
    for key, value in draw(st.dictionaries(st.text(min_size=6), JSON, max_size=2)).items():
        members.insert(draw(st.integers(0, len(members))), (key, value))
    return dict(members)
