"""The rules for finding JSON in a model's reply."""

import inspect
import json
import sys
from itertools import product

import pytest

from stapel_agent.parsing import (
    MAX_DEPTH,
    has_json,
    parse_json_response,
    parse_texts,
    parse_translation_response,
    storable,
)
from tests.rows import each_row, every_row

FENCE = "```"
ANSWER = {"a": 1}


def nested(depth, innermost=""):
    """JSON of `depth` nested arrays."""
    return "[" * depth + innermost + "]" * depth


@each_row(
    [
        ('{"a": 1}', {"a": 1}),
        (' \r\n\t[1, {"a": null}]\n', [1, {"a": None}]),
        ("{}", {}),
        ("[]", []),
        ('\ufeff{"a": 1}', {"a": 1}),
        (' \ufeff\n{"a": 1}', {"a": 1}),
        ('{"a": "b ```json\\n[1]\\n``` <think>c</think> d"}', {"a": "b ```json\n[1]\n``` <think>c</think> d"}),
        ('{\n"a": "</think>"\n}', {"a": "</think>"}),
        ("[1.5, -2e3, 1e-999, 123456789012345678901234567890]", [1.5, -2000.0, 0.0, 123456789012345678901234567890]),
    ]
)
def test_parse__json_as_a_whole(text, result):
    """A reply that is an object or array, apart from a byte order mark and blanks, is the answer, without a comment."""
    assert parse_json_response(text) == (result, None)


SCALARS = ["true", "false", "3", "-1.5", "0", '"word"', '""', '"[1]"', '"{\\"a\\": 1}"', '"a\nb"', '"<think>b</think>"']


@each_row([
    "{}", " {}\n", "\ufeff{}", "`{}`", "```{}```", "```json\n{}\n```", "```\n{}\n```", "~~~ JSON5\n{}\n~~~\n",
    "<think>4</think>{}",
])  # fmt: skip
def test_parse__scalar_as_a_whole(wrapping):
    """A reply that is one JSON scalar, fenced or not, is that scalar, even if it quotes some JSON."""
    with every_row() as row:
        for text in SCALARS:
            with row(text):
                assert parse_json_response(wrapping.replace("{}", text)) == (json.loads(text, strict=False), None)


@each_row(
    ["null", "True", "NaN", "1e999", "01", "word", "'word'", '"wo', '"a" "b"', "It is 4.", "4 it is", "```json\n4"]
)
def test_parse__no_scalar(text):
    """`null`, a scalar beside prose, and an invalid scalar are not answers."""
    assert parse_json_response(text)[0] is None


@pytest.mark.parametrize("text", ["null", "`null`", "```json\nnull\n```"])
def test_parse__null(text):
    """`null` is not a value, fenced or not: the whole reply is the comment."""
    assert parse_json_response(text) == (None, text)


CONFLICTS = [
    '{"a": 1, "a": 2}', '{"a": {"b": 1, "b": "1"}}', '[{"a": 1, "c": 0, "a": true}]', '{"\\u0061": 1, "a": 2}',
    '{"a\\u0000": 1, "a\\ufffd": 2}', '[{"\\ud800": 1, "\\udfff": 2}]',
    'Here it is: {"a": 1, "a": 2,}', '```json\n{"a": 1, "a": 2}\n```', '{"a": 1, "a": 2}}',
]  # fmt: skip


@pytest.mark.parametrize("text", CONFLICTS)
def test_parse__different_values_of_a_key(text):
    """JSON in which a key has different values is no answer: nobody knows which one is meant."""
    assert parse_json_response(text) == (None, text)
    assert has_json(text)


def test_parse__same_value_again():
    """A key that is repeated with the same value has that value."""
    assert parse_json_response('{"a": [1, {"b": 2}], "a": [1, {"b": 2}]}') == ({"a": [1, {"b": 2}]}, None)


def test_parse_texts__different_values_of_a_key():
    """Of an answer to a translation, only the keys that have different values are left out."""
    text = '{"1": "A", "2": "C", "1": "B", "3": "D", "3": "D"}'
    assert parse_texts(text) == ({"2": "C", "3": "D"}, {"1"})
    assert parse_translation_response(text) == {"2": "C", "3": "D"}
    assert parse_texts('{"a\\u0000": 1, "a\\ufffd": 2, "b": 3}') == ({"b": 3}, {"a\ufffd"})


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "<think>only this</think>"])
def test_parse__nothing(text):
    """A reply without a word has neither answer nor comment."""
    assert parse_json_response(text) == (None, None)


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ('{"a": 0}\n{"a": 1}', '{"a": 0}'),
        ('{"a": 0}{"a": 1}', '{"a": 0}'),
        ('{"a": -1}\n{"a": 0}\n{"a": 1}\n', '{"a": -1}\n{"a": 0}'),
        ("{'a': 0}\n{\"a\": 1}", "{'a': 0}"),
    ],
)
def test_parse__several_documents(text, comment):
    """If a reply has several documents, as in JSON Lines, the last valid one is the answer."""
    assert parse_json_response(text) == (ANSWER, comment)


@pytest.mark.parametrize("control", ["\x01", "\x1b", "\x7f", "\x85", "\u2028"])
def test_parse__control_characters(control):
    """A raw control character in a string is part of the string."""
    assert parse_json_response(f'{{"a": "x{control}y"}}') == ({"a": f"x{control}y"}, None)


def test_parse__no_json():
    """A reply without JSON is the comment, without surrounding blanks."""
    assert parse_json_response(" I cannot answer {that}. [sic]\n") == (None, "I cannot answer {that}. [sic]")


@each_row(
    [
        (f'{FENCE}json\n{{"a": 1}}\n{FENCE}', None),
        (f'{FENCE}\n{{"a": 1}}\n{FENCE}', None),
        (f'  {FENCE}JSON title="x.json"\r\n{{"a": 1}}\r\n  {FENCE}\r\n', None),
        ('~~~\n{"a": 1}\n~~~', None),
        (f'Sure:\n\n{FENCE}json\n{{"a": 1}}\n{FENCE}\n\nBye.', "Sure:\nBye."),
        (f'Sure: {FENCE}{{"a": 1}}{FENCE} Bye.', "Sure:\nBye."),
        (f'{FENCE}json {{"a": 1}}{FENCE}', None),
        (f'{FENCE}json {{"a": 1}}\n{FENCE}', None),
        (f'{FENCE}json\n{{"a": 1}}{FENCE} Bye.', "Bye."),
        (f'Sure:\n{FENCE}json\n{{"a": 1}}', "Sure:"),
        ('It is `{"a": 1}`.', "It is\n."),
        ('The `answer` is {"a": 1}', "The `answer` is"),
    ]
)
def test_parse__fence(text, comment):
    """JSON in any kind of fence is found. The fence is not part of the comment."""
    assert parse_json_response(text) == (ANSWER, comment)


@each_row(
    [
        f'{FENCE}json\n{{"a": 0}}\n{FENCE}\nNo:\n{FENCE}json\n{{"a": 1}}\n{FENCE}',
        f'{FENCE}json\n{{"a": \n{FENCE}\nAgain:\n{FENCE}json\n{{"a": 1}}\n{FENCE}',
        f'{FENCE}json\n{{"a": 1}}\n{FENCE}\nOr:\n{FENCE}json\n{{"a": 2, "b": ',
        f'{FENCE}json\n{{"a": 1}}\n{FENCE}\nOr:\n{FENCE}json\n{{"a": oops}}\n{FENCE}',
        f'{FENCE}json\n{{"a": 1}}\n{FENCE}\nIn {{"b": 2}} or [1] see {{"c"}}.',
        f'{FENCE}json\n{{"a": 1}}\n{FENCE}\n{FENCE}python\nf({{"b": 2}})\n{FENCE}',
        f'{FENCE}json\n{{"a": 0}}\n{FENCE}json\n{{"a": 1}}',
        f'~~~\n{{"a": 0}}\n{FENCE}\n{{"a": 1}}',
        f'````\n{{"a": 0}}\n{FENCE}\n{{"a": 1}}',
        f'{FENCE}text\nwords\n{FENCE}\n{{"a": 1}}',
        f'{FENCE}python\nf([1])\n{FENCE}\n{{"a": 1}}',
        f'````\n{FENCE}json\n{{"a": 1}}\n{FENCE}\n````',
        f'~~~markdown\n{FENCE}json\n{{"a": 1}}\n{FENCE}\n~~~',
    ]
)
def test_parse__several_fences(text):
    """The last closed fence that contains only JSON takes precedence over everything else."""
    assert parse_json_response(text)[0] == ANSWER


@each_row(
    [
        ("Sure! Here:", ""),
        ("", "Anything else?"),
        ("use {braces} like [this] ...", ""),
        ("use {{this}} and \\{that\\} and [[those]]:", "and {more} of [it]"),
        ('He said "use {" then', ""),
        ('He said "use [" then', 'not "{".'),
        ("It isn't {closed, but it's", ""),
        ("braces {, brackets [ and {{ and [[ and :{ as well", ""),
        ('the 5" model:', ""),
        ('the 5" model {\\', ""),
        ('Format: {"a": <number>}.', ""),
        ("Format: {'a': 0} or {a: 0}.", ""),
        ('First {"a": 0}, then', ""),
        ("As in [1] and [2, 3] and [] and {}:", "See [4], [] and {}."),
        ("- [ ] one\n- [x] two\n", "- [ ] three"),
        ("C:\\", "\\"),
        ("NaN is no answer: [NaN] {};", ""),
    ],
)
def test_parse__json_inside_prose(before, after):
    """The last non-trivial object or array is found, whatever brackets and quotes the prose contains."""
    comment = "\n".join(filter(None, (before.strip(), after.strip())))
    for text in ('{"a": 1}', '{\n  "a": 1\n}', '{"a": 1,}', '{"a":\n{"}{][": ["{", "]\\"", "\\\\"]}}', '["}", "["]'):
        expected = json.loads(text.replace(",}", "}"))
        assert parse_json_response(f"{before} {text} {after}") == (expected, comment)


@pytest.mark.parametrize(
    "answer", ['{"a": "x^y"}', '["x^y", {"^": "^"}]', '{"a": "x^y", "b": [1,],}', '{"a": "```^b^```"}']
)
def test_parse__raw_line_breaks(answer):
    """A raw line break or tab in a string is part of the string."""
    wrappings = ["{}", "Sure: {} Bye.", "```json\n{}\n```", "Sure:\n```\n{}\n```\nBye."]
    strict = answer.replace(",]", "]").replace(",}", "}")
    with every_row() as row:
        for line_break, wrapping in product(["\n", "\r\n", "\t", "\n\n- "], wrappings):
            with row(repr(line_break), wrapping):
                expected = json.loads(strict.replace("^", json.dumps(line_break)[1:-1]))
                assert parse_json_response(wrapping.replace("{}", answer.replace("^", line_break)))[0] == expected


@each_row([
    "Mind the closing }.", ":}", "- closed by }\n- or by ]", "It ends with `}`", "(so it ends in ]})", "} is the end",
    "]} or so, I think", ", you } see?",
])  # fmt: skip
def test_parse__closing_bracket_in_the_prose_after(after):
    """A closing bracket in the prose after an answer does not affect it."""
    for answer in ('{"a": 1}', 'Sure:\n{"a": 1}', '```json\n{"a": 1}\n```'):
        assert parse_json_response(f"{answer}\n{after}")[0] == ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        '{"a": 1}', '{"b": {"c": [{"a": "}"}]}}', '[{"a": 1}]', '["a", "b"]', '{"a": "x\\ny",}', "[1, 2]", "[[1], [2]]",
        "{}",
    ],
)  # fmt: skip
def test_parse__stray_closing_brackets(answer):
    """Closing brackets after an answer that close nothing do not affect it."""
    expected = json.loads(answer.replace(",}", "}"))
    wrappings = ["{}", " {}\n", "```json\n{}\n```", "\ufeff{}", "<think>[1]</think>\n{}"]
    with every_row() as row:
        for stray, wrapping in product(["}", "}}", "\n}", "]", "}]", " } ]\n}", "]" * 300], wrappings):
            with row(repr(stray), wrapping):
                assert parse_json_response(wrapping.replace("{}", answer + stray)) == (expected, None)


@pytest.mark.parametrize(
    "before", ["Here it is: ", "In short, ", "First [1], then\n", 'The "best" one:\n', "Sure!\n\n"]
)
def test_parse__stray_closing_bracket_in_prose(before):
    """Prose before an answer does not affect it, even with an unmatched bracket."""
    assert parse_json_response(f'{before}{{"a": 1}}}}') == (ANSWER, before.strip())


@each_row(
    [
        f'{FENCE}python\nd = {{"x": 1}}\n{FENCE}',
        f'{FENCE}\nd = {{"x": 1}}\n{FENCE}',
        f'{FENCE}js\n{{"x": 1}}\n{FENCE}',
        f'{FENCE}python\nprint({{"x": [1]}})\n{FENCE}\nand\n~~~bash\ncurl -d \'{{"x": 1}}\'\n~~~',
        f'{FENCE}python\nd = {{"x": 1}}',
        'd = {"x": 1}',
        'In Python: `parse({"x": 1})`.',
        '    return {"x": ["y"]}',
        'Like `{"x": 1}`.',
    ],
)
def test_parse__code_sample_after_the_answer(sample):
    """JSON in a code sample is not the answer if there is JSON outside of it."""
    for answer in ('{"a": 1}', "[1, 2]", "[]", '```json\n{"a": 1}\n```', 'Sure: {"a": 1}.'):
        expected = [] if answer == "[]" else [1, 2] if answer == "[1, 2]" else ANSWER
        assert parse_json_response(f"{answer}\n\nUse it so:\n{sample}")[0] == expected


@pytest.mark.parametrize("sample", [f'{FENCE}js\n{{"a": 1}}\n{FENCE}', 'answer = {"a": 1}', 'return {"a": 1};'])
def test_parse__only_a_code_sample(sample):
    """JSON in a code sample is the answer if there is no other."""
    assert parse_json_response(f"Here it is:\n{sample}")[0] == ANSWER


@pytest.mark.parametrize(("text", "result"), [("It is []", []), ("From [1] to [2, 3.5, null]!", [2, 3.5, None])])
def test_parse__light_values(text, result):
    """An empty value or an array of numbers is the answer if there is no other."""
    assert parse_json_response(text)[0] == result


@each_row(
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2 , \n]", [1, 2]),
        ('{"a": [1,], "b": {"c": ",}",},}', {"a": [1], "b": {"c": ",}"}}),
        ('{"a,}": ",]", "b": "\\",]",}', {"a,}": ",]", "b": '",]'}),
        ("[,]", None),
        ("[ ,]", None),
        ("[1,,]", None),
        ('{"a": ,}', None),
        ("{,}", None),
    ]
)
def test_parse__trailing_commas(text, result):
    """One trailing comma is accepted, one in a string is kept, and one with nothing before it is an error."""
    assert parse_json_response(text) == (result, None if result else text)


@each_row(
    [
        ('<think>Is it {"a": 0}?</think>{"a": 1}', None),
        ('<thinking>\nIs it\n```json\n{"a": 0}\n```\n</thinking>\n\n{"a": 1}', None),
        ('<think>"{</think>\n<think>[</think> Sure: {"a": 1}', "Sure:"),
        ('Hm. <think>{"a": 0}</think> So {"a": 1} it is. <think>{"a": 2}</think>', "Hm.  So\nit is."),
        ('Is it {"a": 0}?\nNo, but {"a":\n</think>\n{"a": 1}', None),
        ('{"a": 1}\n<think>Or {"a": 2}', None),
        ('<reasoning>Is it {"a": 0}?</reasoning>{"a": 1}', None),
        ('<Thought>\n{"a": 0}</Thought>\n{"a": 1}', None),
        ('<THINK>{"a": 0}</think>{"a": 1}', None),
        ('\ufeff<think></think>```json\n{"a": 1}\n```', None),
    ]
)
def test_parse__thoughts(text, comment):
    """A model's thoughts are neither answer nor comment, wherever they are, even if the opening tag is missing."""
    assert parse_json_response(text) == (ANSWER, comment)


@each_row([
    '{"a": [1, 2], "b": ', '[{"a":1},{"a":2}', '[{"a":1},{"a":2} and so on', '{"a": {"b": 1}, "c": "d',
    '{"a": {"b": 1}\n\nThat was all.', '{"[1]', '{"[1]"', '{"[1]\\', '```json\n{"{}[1]\n```',
    "```json\n[[1, 2], [3\n```", '["a", [1]', '[["a", "b"], ["c", "d"]', "{'a': [1, 2], 'b': ", "{a: [1, 2], b: ",
    '{ // a comment\n "a": [1, 2], ', '{"a": oops, "b": [1, 2]}', '{"a": [1, 2], "b": NaN}', '{"a" = [1, 2]}',
    "{'a': [1, 2]}", "{a: [1, 2]}", '["a" "b", {"c": 1}]', '[{"a": 1} {"a": 2}]', '{"a": 1 "b": {"c": 2}}',
    '{"a": "the "best" [1]", "b": [2]}', '{"a": "a 5" screen", "b": [2]}', '{"a": "he said "}" too", "b": [2]}',
    '"a": 1, "b": [1, {"c": 2}]}', '{"a": [1], "b": 2]', '{"a": {"b": 1}}, "c": 2}', 'b": {"a": 1}}',
    '"b": 1, "c": {"a": 1}}', '"b": {"a": 1},\n"c":\n        {"a": 1}\n}}', '1, {"a": 1}]', '"x"], ["a"]]',
    'true, {"a": 1}]', "1, [2, 3]]", "see [1, 2]]", '[{"a": 1}}]', '{{"a": 1}}', "{}1}", ']{{"a"{}}',
    'Sure: {"a": [1, 2], "b": ', 'He said "use {" then {"a": "}", "b": [1], "c": ',
    ': "[", "]:": null}]', 'it: ["}, "].": 1}', '": "{\\"a\\": \\"b\\"}, see", "x": 1}]', '[", ",]]\\"`"]',
])  # fmt: skip
def test_parse__no_piece_of_something_broken(text):
    """JSON that is cut off at either end, or invalid inside, contains no answer."""
    assert parse_json_response(text) == (None, text.strip())


@each_row(['{"a": "b"} for a 5" pipe [sic]}', '{"a": "b"} for "x": yes}', '{"a": "b"} so "x": yes, 5"'])
def test_parse__quotes_and_brackets_in_prose(text):
    """Prose after an answer may have quotes and a bracket that closes nothing, like the rest of JSON."""
    assert parse_json_response(text) == ({"a": "b"}, text[len('{"a": "b"}') :].strip())


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"a":',
        'I think {"a": 1} is wrong, the answer is {"a": 2',
        '{"a": 1}\nBetter:\n```json\n{"a": {"b": 1}',
        '[1, "x"]\nNo, as an object: {"items": [1, "x"',
    ],
)
def test_parse__draft_before_a_cut(text):
    """If the object that follows is never closed, the complete one before it is not taken for the answer."""
    assert parse_json_response(text) == (None, text)


@pytest.mark.parametrize(
    "after",
    [
        ' Use "{" to open.', '\n```python\nd = {"x": 1}\n```', ' Note: {"b": ...} is another form.', " and {curly",
        " }",
    ],
)  # fmt: skip
def test_parse__brackets_in_the_prose_behind(after):
    """Prose, code samples and forms after an answer do not matter."""
    assert parse_json_response('{"a": 1}' + after)[0] == {"a": 1}


@pytest.mark.parametrize(
    "number",
    [
        "NaN", "Infinity", "-Infinity", "1e999", "-1e309", "1.8e308", "9" * 309, "-" + "9" * 309,
        "9" * (sys.get_int_max_str_digits() + 1), "9" * 1_000_000, "1" * 308 + "e9",
    ],
)  # fmt: skip
def test_parse__numbers_beyond_a_double(number):
    """A number that is not valid JSON, or does not fit a double, is rejected anywhere."""
    for text in (f"[{number}]", f'{{"a": [1], "b": {number}, "c": [2]}}', f"It is [{number},]!"):
        assert parse_json_response(text) == (None, text)


def test_parse__largest_numbers():
    """The largest numbers that fit a double are kept, and integers are exact."""
    largest = int(sys.float_info.max)
    digits = "9" * 1000
    assert parse_json_response(f'[{largest}, -{largest}, 1.7e308, "{digits}"]') == (
        [largest, -largest, 1.7e308, digits],
        None,
    )


@pytest.mark.parametrize(
    ("text", "result", "comment"),
    [
        (r'{"\ud800": "a\udfff\u0000"}', {"\ufffd": "a\ufffd\ufffd"}, None),
        (r'["\u0000"]', ["\ufffd"], None),
        (r'["\uDFFF"]', ["\ufffd"], None),
        ('{"\ud800": "a\udfff\0"}', {"\ufffd": "a\ufffd\ufffd"}, None),
        (r'["\uD83D\uDE00", "\\ud800"]', ["\U0001f600", "\\ud800"], None),
        ('A\0B\ud800 {"a": 1} \udfff', {"a": 1}, "A\ufffdB\ufffd\n\ufffd"),
        ("\0\udc00", None, "\ufffd\ufffd"),
    ],
)
def test_parse__unstorable_characters(text, result, comment):
    """NUL and lone surrogates, raw or escaped, become U+FFFD in keys, strings and the comment."""
    assert parse_json_response(text) == (result, comment)


def test_parse__depth():
    """MAX_DEPTH nested arrays are an answer, and one more is not. Brackets in strings do not count."""
    deepest, deeper, flat = nested(MAX_DEPTH), nested(MAX_DEPTH + 1), json.dumps(["[" * 1000, *[[]] * 1000])
    assert parse_json_response(deepest) == (json.loads(deepest), None)
    assert parse_json_response(f"Sure: {deepest}") == (json.loads(deepest), "Sure:")
    assert parse_json_response(deeper) == (None, deeper)
    assert parse_json_response(f"Sure: {deeper}") == (None, f"Sure: {deeper}")
    assert parse_json_response(flat) == (json.loads(flat), None)
    assert parse_json_response(quoting := nested(MAX_DEPTH, '"["')) == (json.loads(quoting), None)


@pytest.mark.parametrize(("times", "is_answer"), [(MAX_DEPTH // 2, True), (MAX_DEPTH // 2 + 1, False)])
def test_parse__depth_of_both_kinds(times, is_answer):
    """Nested arrays and objects count together."""
    text = '[{"a":' * times + "1" + "}]" * times
    assert parse_json_response(text) == ((json.loads(text), None) if is_answer else (None, text))


@pytest.mark.parametrize(
    ("text", "result", "comment"),
    [
        (f"{FENCE}\n[]\n{FENCE}\n{{}}", [], "{}"),
        ('~~~\nno\n~~~\n[]\n~~~\n{"a": 1}', ANSWER, "~~~\nno\n~~~\n[]"),
    ],
    ids=("after the closing one", "after a third one"),
)
def test_parse__outside_of_fences(text, result, comment):
    """Text after a pair of fences is outside. A third fence is never closed."""
    assert parse_json_response(text) == (result, comment)


def test_parse__little_stack_left():
    """A caller with a deep stack gets the answer or none, but never a RecursionError."""
    deepest = nested(MAX_DEPTH)

    def descend(frames):
        return descend(frames - 1) if frames else parse_json_response(deepest)[0]

    frames_left = sys.getrecursionlimit() - len(inspect.stack(0))
    assert descend(frames_left - 100) in (None, json.loads(deepest))


def test_parse_translation__object():
    """The object in the reply is the translation."""
    assert parse_translation_response('Sure: {"title": "Bonjour"}') == {"title": "Bonjour"}


@pytest.mark.parametrize("text", ["", "no", "null", '["title"]', '[{"title": "Bonjour"}]', '{"title": "Bon'])
def test_parse_translation__no_object(text):
    """A reply without an object raises a readable ValueError."""
    with pytest.raises(ValueError, match=r"^the answer contains no JSON object$"):
        parse_translation_response(text)


def test_storable__everything_json_like():
    """The copy has clean keys and strings. Everything else, and the original, is unchanged."""
    value = {"\0": ["\ud800", ("a", 1, 2.5, None, True)], 7: {"b\udfff": {}}}
    original = {"\0": ["\ud800", ("a", 1, 2.5, None, True)], 7: {"b\udfff": {}}}
    assert storable(value) == {"\ufffd": ["\ufffd", ["a", 1, 2.5, None, True]], 7: {"b\ufffd": {}}}
    assert value == original


@pytest.mark.parametrize("text", ["", "plain", "é", "Привет", "\U0001f600" * 1000, "\ufffd"])
def test_storable__clean_text(text):
    """A text with nothing to replace is returned itself, not a copy."""
    assert storable(text) is text


def test_storable__deep():
    """The depth of a value is not limited by the stack."""
    value = deep = ["\0"]
    for _ in range(100_000):
        deep = [deep]
    copy = storable(deep)
    while copy is not None and len(copy) == 1 and isinstance(copy[0], list):
        copy = copy[0]
    assert (copy, value) == (["\ufffd"], ["\0"])
