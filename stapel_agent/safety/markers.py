"""Breaks the markers in retrieved text, so that it cannot pass for the user, the system or a tool.

`sanitize_for_rag()` breaks everything that a chat template, a tool protocol or a prompt's own wrapping could take for
a marker. This is a mitigation, not a guarantee: an instruction in plain words stays, and a model may follow it. Give
the model no rights that the author of the text does not have.

A marker is broken by one middle dot, after its first character or before its colon. Nothing is removed, so people can
still read the text. No vocabulary has a token with the dot, and no normalization removes it.

    <|im_start|>  <·|im_start|>     [INST]  [·INST]    ### Response:  ### Response·:
    </document>   <·/document>      ```     ``·`       Human:         Human·:

Invisible characters are removed first, by `invisible_characters`. Those that a script needs stay: the joiners of
Persian and Hindi, emoji sequences, soft hyphens within words. Letters and brackets that look like others stay too.
Neither can hide a marker, because markers are searched for in the text as it looks.

These are markers, wherever they stand. All other text is ordinary:

- `<|name|>` with any name, and the other control tokens of the tables below;
- three or more backticks, and three tildes at the start of a line: code stays readable, but its fence closes nothing;
- a closing tag with a word of `WRAPPERS` in its name, also in HTML or XML: quote retrieved text in such a tag;
- an opening tag named like a role or a tool call, also a placeholder such as `<user>`; but `List<User>` is a type;
- at the start of a line: `Human:`, `Assistant:`, `User:`, `System:`, and three or more `#` before such a name or
  one of Alpaca's, with a colon. Within a sentence, in lower case, or after an e-mail's `>` they are ordinary, and so
  are headings without a colon.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

from .invisible_characters import SEEN, UNSEEN, without_invisible

DOT = "\u00b7"

# <|name|> is a marker with any name. With a space, or with one bar missing, it is a marker with these names.
BARRED = """
    assistant begin_of_text bot call channel constrain developer end end_header_id end_of_text endofprompt endoftext
    eom_id eot eot_id final header_end header_start human im_end im_sep im_start image message return start
    start_header_id system think tool tool_call tool_response turn user
"""
# Written <name>, </name>: control tokens of SentencePiece, Gemma, T5, GLM.
ANGLED = r"""
    (?-i:s) bos eos pad unk mask sep cls sop eop escape (?:start|end)_of_\w{1,32}+ (?:start|end)_function_\w{1,32}+
    extra_id_\d{1,4}+ unused_?+\d{1,4}+ reserved_\d{1,4}+
"""
# Written <name ...>, </name>: roles, and tool calls.
SPOKEN = """
    assistant human system system[_-](?:instructions?|message|prompt|reminder) user instructions
    tools tool_calls? tool_code tool_outputs? tool_responses? tool_results? tool_use think thinking invoke
    function_calls? function_results? function_responses? arg_key arg_value
"""
# Written </name>, </name_1>, </some-name>: the tags in which prompts quote a text.
WRAPPERS = """
    answer article assistant chunk content context conversation data doc document evidence example excerpt external
    file history human information input instruction knowledge memory message note output page segment prompt query
    question quote reference response result retrieved snippet source system task text tool transcript untrusted user
"""
# Written [NAME], [/NAME]: Llama 2, Mistral, GLM. Names in the second set are ordinary in lower case.
SQUARE = "inst available_tools call_id gmask model_settings system_prompt tool_calls tool_content tool_results"
SQUARE_CAPITALS = "BOS CLS EOS MASK PAD SEP THINK UNK"
# Written at the start of a line, with a colon. For names in the second set, two colons are code, as in User::find().
TURNS = "Human HUMAN Assistant ASSISTANT"
TURNS_OR_CODE = "User USER System SYSTEM"
HEADERS = "instruction instructions input response system user assistant human"


def _any(names: str) -> str:
    return rf"(?:{'|'.join(names.split())})"


WRAPPER = rf"{_any(WRAPPERS)}s?+(?![a-z])"

# Each match ends where the dot goes. The rest of the marker is a lookahead, so another marker may begin in it.
# Each lookahead is bounded, or ends before the next character that may begin a marker: linear for any text.
MARKER = re.compile(
    rf"""
    <(?= \|[^\s<>|]{{2,64}}+\|>                                         # <|im_start|>, <｜User｜>
       | /?+\|(?:dsml\||"\|>)                                           # DeepSeek's tools, Gemma's quote
       | \s*+\|\s*+{_any(BARRED)}\s*+\|?+\s*+>                          # <| system |>, <|turn>
       | \s*+{_any(BARRED)}\s*+\|\s*+>                                  # <turn|>
       | \s*+<\s*+/?+\s*+sys\s*+>                                       # <<SYS>>
       | (?:\s*+/\s*+)?+{_any(ANGLED)}\s*+/?+>                          # </s>
       | (?!(?<=\w<)(?-i:[A-Z][a-z])) (?:\s*+/\s*+)?+ (?:[a-z]\w{{0,24}}+:)?+
         {_any(SPOKEN)} (?:\s*+/?+>|\s++[\w:.-]{{1,64}}+\s*+=)          # <invoke name=
       | (?:\s*+/\s*+)?+(?:antml:|(?:function|parameter)=)           # <function=name>
       | \s*+/\s*+(?:(?!{WRAPPER})[^\W_]*+[_.:-])*+{WRAPPER}            # </search_results>
    )
    | «(?= \s*+/?+\s*+sys\s*+» )
    | \[(?= \s*+/?+\s*+(?:{_any(SQUARE)}|(?-i:{_any(SQUARE_CAPITALS)}))\s*+\]
          | args\]\s*+\{{
          | \|(?:assistant|endofturn|system|tool|user)\|\]              # EXAONE
          | e~\[ )
    | \](?= ~!?+b[\[\]] )                                               # MiniMax
    | ✿(?= (?:function|args|result|return)✿ )                           # Qwen
    | ``(?=`)
    | [\n\r] [ \t]*+ (?: [>\ \t]*+ ~~(?=~)
                       | (?-i:{_any(TURNS)})[ \t]*+(?=:)
                       | (?-i:{_any(TURNS_OR_CODE)})[ \t]*+(?=:(?!:\w))
                       | \#{{3,}}+[ \t]*+{_any(HEADERS)}[ \t]*+(?=:) )
    """,
    re.VERBOSE | re.IGNORECASE,
)

# The characters that look like a character of a marker, which comes first.
LOOKALIKES = """
    < ‹〈⟨❬❮❰˂ᐸ⧼⦑      > ›〉⟩❭❯❱˃ᐳ⧽⦒      « 《⟪≪⪡      » 》⟫≫⪢
    [ 【〔〖〚⟦⁅❲⦋      ] 】〕〗〛⟧⁆❳⦌      | ¦ǀ∣│┃┆┇❘❙❚⏐׀丨      / ⁄∕⧸╱⟋〳
    : ∶ː˸꞉׃։      # ♯⌗      ` ˋ‵      _ ▁
    A АΑ  B ВΒ  C С  E ЕΕ  H НΗ  I ІΙ  K КΚ  M МΜ  N Ν  O ОΟ  P РΡ  S Ѕ  T ТΤ  U Ս  X ХΧ  Y УΥ
    a аα  c с  d ԁ  e еє  h һ  i іιı  j ј  k кκ  l ӏ  m м  n ոɴ  o оο  p рρ  r г  s ѕꜱ  t тᴛ  u υս  v ν  x хχ  y уγ
"""
BLANKS = {"\u1680": " ", "\u2800": " ", "\u2028": "\n", "\u2029": "\n"}
# Where Unicode has fullwidth, mathematical, circled and other compatible forms of ASCII. The fullwidth tilde is left
# out, because Japanese uses it for a drawn-out sound.
COMPATIBLE = (
    *(range(0xA0, 0x100), range(0x2B0, 0x2E0), range(0x1D2C, 0x1DC0), range(0x2000, 0x2190), range(0x2329, 0x232B)),
    *(range(0x2460, 0x24F0), range(0xFE10, 0xFE70), range(0xFF01, 0xFF5E), range(0xFFE8, 0xFFE9)),
    *(range(0x1D400, 0x1D800), range(0x1F110, 0x1F150)),
)


def _appearances() -> dict[int, str]:
    """Code point -> the character of a marker that it looks like."""
    table = LOOKALIKES.split()
    looks = {drawn: sign for sign, all_drawn in zip(table[::2], table[1::2], strict=True) for drawn in all_drawn}
    for character in map(chr, chain.from_iterable(COMPATIBLE)):
        plain = unicodedata.normalize("NFKC", character)
        plain = looks.get(plain, plain)
        if plain.isascii() and len(plain) == 1:
            looks.setdefault(character, plain)
    return str.maketrans(looks | BLANKS)


APPEARANCES = _appearances()


def sanitize_for_rag(text: str) -> str:
    """Return `text` for quoting in a prompt: without invisible characters, and with a middle dot in every marker.

    Ordinary prose is returned unchanged, and so is text that was sanitized before. Takes linear time for any text.
    """
    if not isinstance(text, str):
        raise TypeError(f"sanitize_for_rag() takes a str, not {type(text).__name__!r}: decode or convert it first")
    text = without_invisible(text)
    pieces, start = [], 0
    for end in _breaking_points(text):
        pieces += [text[start:end], DOT]
        start = end
    return "".join([*pieces, text[start:]])


def _breaking_points(text: str) -> list[int]:
    """Where in `text` the dots go. Markers are searched for in the text as it looks, after a line feed."""
    looks = text if text.isascii() else UNSEEN.sub("", text).translate(APPEARANCES)
    points = [marker.end() - 1 for marker in MARKER.finditer("\n" + looks)]
    if points and len(looks) < len(text):
        seen = [*chain.from_iterable(range(*run.span()) for run in SEEN.finditer(text))]
        points = [seen[point] for point in points]
    return points
