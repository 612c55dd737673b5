"""What a translator sees of texts of every kind: source, masked."""

from stapel_agent.translation.placeholders.protected_spans import spans


def hidden(text):
    """The hidden parts of a text, in order."""
    return [text[span.start : span.end] for span in spans(text)]


MASKS = [
    # printf
    ("Hello %s", "Hello ⟦1⟧"),
    ("%(name)s has %(count)d", "⟦1⟧ has ⟦2⟧"),
    ("%1$s and %2$d", "⟦1⟧ and ⟦2⟧"),
    ("%05.2f km, %-10s, %+d, %#x, %5d, %.3fs", "⟦1⟧ km, ⟦2⟧, ⟦3⟧, ⟦4⟧, ⟦5⟧, ⟦6⟧s"),
    ("%lld of %@ and %1$@", "⟦1⟧ of ⟦2⟧ and ⟦3⟧"),
    ("%d%% done", "⟦1⟧⟦2⟧ done"),
    ("%dpx", "⟦1⟧px"),
    ("v1%s", "v1⟦1⟧"),
    ("%<price>.2f €", "⟦1⟧ €"),
    ("%username% and %B %d", "⟦1⟧ and ⟦2⟧ ⟦3⟧"),
    ("50% off, 50%-a, %50eko, %, 100%.", "50% off, 50%-a, %50eko, %, 100%."),
    # Braces
    ("{name} {0} {} {a.b} {a[0]} {x!r:>10} {:.2f}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧ ⟦6⟧ ⟦7⟧"),
    ("{{x}} {{ user.name|upper }} ${x} ${a.b()} #{x} %{count}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧ ⟦6⟧"),
    ("{% if a %}b{% endif %}{# no #}", "⟦1⟧b⟦2⟧⟦3⟧"),
    ("{n, number} {d, date, short}", "⟦1⟧ ⟦2⟧"),
    ("{ not one of them", "{ not one of them"),
    ("$t(common.ok) @:common.ok @.lower:key", "⟦1⟧ ⟦2⟧ ⟦3⟧"),
    # Names
    ("The :attribute is :value: now", "The ⟦1⟧ is ⟦2⟧ now"),
    ("At 10:30, a:b, Note: so, ::", "At 10:30, a:b, Note: so, ::"),
    (":name様", "⟦1⟧様"),
    ("[1,19] some", "⟦1⟧ some"),
    # Markup
    ('<a href="/x" title="a > b">b</a>', "⟦1⟧b⟦2⟧"),
    ("<br/><br /><b>a</b></>", "⟦1⟧⟦2⟧⟦3⟧a⟦4⟧⟦5⟧"),
    ("<1>a</1> <2/>", "⟦1⟧a⟦2⟧ ⟦3⟧"),
    ("a <!-- hidden --> b <![CDATA[ c ]]> <?xml?>", "a ⟦1⟧ b ⟦2⟧ ⟦3⟧"),
    ("<script>if (a < b) {}</script><style>a{}</style>", "⟦1⟧⟦2⟧"),
    ("<script src='x'> never closed", "⟦1⟧ never closed"),
    ("<!-- never closed", "⟦1⟧ never closed"),
    ("a < b and c > d, <3, x<y", "a < b and c > d, <3, x<y"),
    ("a &lt; b &gt; c &amp; &nbsp; &#39;", "a ⟦1⟧ b ⟦2⟧ c &amp; &nbsp; &#39;"),
    ("Enter &lt;your name&gt; or &lt;id&gt;", "Enter ⟦1⟧your name⟦2⟧ or ⟦3⟧id⟦4⟧"),
    ("&lt;b>a&lt;/b> &lt;B&gt;", "⟦1⟧a⟦2⟧ ⟦3⟧"),
    ("&lt;a href=&quot;/b?c&amp;d&quot;&gt;e&lt;/a&gt;&lt;br/&gt;", "⟦1⟧e⟦2⟧⟦3⟧"),
    ("&#60;b&#62;a&#60;/b&#62; &amp;lt;i&amp;gt;", "⟦1⟧a⟦2⟧ ⟦3⟧"),
    ('a\\nb\\tc don\\\'t \\"d\\"', 'a⟦1⟧b⟦2⟧c don\\\'t \\"d\\"'),
    # Markdown
    ('[a](/b) ![c](d.png "e") [f][g] [h] i](j)', "⟦1⟧a⟦2⟧ ⟦3⟧c⟦4⟧ ⟦5⟧f⟦6⟧ ⟦7⟧ i⟦8⟧"),
    ("use `code` and\n```py\nprint()\n```\nnow", "use ⟦1⟧ and\n⟦2⟧\nnow"),
    ("O`zbek so`z", "O`zbek so`z"),
    # Addresses
    ("See https://a.example/b?c=d#e. Or www.a.example!", "See ⟦1⟧. Or ⟦2⟧!"),
    ("(https://a.example/Foo_(bar)) https://a.example/{id}.", "(⟦1⟧) ⟦2⟧."),
    ("«https://a.example/b»، 请看https://a.example/b。", "«⟦1⟧»، 请看⟦2⟧。"),
    ("me.too+x@mail.example.org, mailto:a@b.example, tel:+49-30", "⟦1⟧, ⟦2⟧, ⟦3⟧"),
    ("myapp://open?id=1 javascript:alert(1)", "⟦1⟧ ⟦2⟧"),
    (r"See https://a.example/x\n\nNew www.a.example\tTab a.example/b\rRun", "See ⟦1⟧⟦2⟧⟦3⟧New ⟦4⟧⟦5⟧Tab ⟦6⟧⟦7⟧Run"),
    (r"\'https://a.example\' \"a.example/b\" https://a.example\u00a0so", r"\'⟦1⟧\' \"⟦2⟧\" ⟦3⟧⟦4⟧so"),
    (r"Or:\nhttps://a.example\na.example/b\twww.a.example\na@b.example", "Or:⟦1⟧⟦2⟧⟦3⟧⟦4⟧⟦5⟧⟦6⟧⟦7⟧⟦8⟧"),
    (r"file://C:\Users\udo a.example/b\c", "⟦1⟧ ⟦2⟧"),
    # ICU
    ("{n, plural, one {# item} other {# items}}", "⟦1⟧⟦2⟧ item⟦3⟧⟦4⟧ items⟦5⟧"),
    ("{g, select, a {He} other {They}} in {place}", "⟦1⟧He⟦2⟧They⟦3⟧ in ⟦4⟧"),
    ("{n, plural, offset:1 =0 {It''s no} other {b}}", "⟦1⟧It''s no⟦2⟧b⟦3⟧"),
    ("{n, plural, other {a '{b}' <a href=\"{url}\">c</a>}}", "⟦1⟧a ⟦2⟧ ⟦3⟧c⟦4⟧⟦5⟧"),
    ("{n, plural, one {a {m, select, x {b} other {c}}} other {d}}", "⟦1⟧a ⟦2⟧b⟦3⟧c⟦4⟧d⟦5⟧"),
    ("[{n, plural, other {a}}](/b)", "⟦1⟧⟦2⟧a⟦3⟧⟦4⟧"),
    # Conventions of single projects
    ("Hello [name], ~user~, §id§, ##no##, <<date>> and [%key:a b%]", "Hello ⟦1⟧, ⟦2⟧, ⟦3⟧, ⟦4⟧, ⟦5⟧ and ⟦6⟧"),
    ("Set %x% to %command.name%, %link_start%here%link_end%", "Set ⟦1⟧ to ⟦2⟧, ⟦3⟧here⟦4⟧"),
    ("%sread more%s, %sBBCode%s, %s or %sthis%s", "⟦1⟧read more⟦2⟧, ⟦3⟧BBCode⟦4⟧, ⟦5⟧ or ⟦6⟧this⟦7⟧"),
    ("%1 of %2 (%3%), %1% %2%", "⟦1⟧ of ⟦2⟧ (⟦3⟧), ⟦4⟧ ⟦5⟧"),
    ("#1 of #2 pages, ranked #12", "⟦1⟧ of ⟦2⟧ pages, ranked #12"),
    ('{user name}, {#a}b{/a}, {a%}, { "{{c1::" }', "⟦1⟧, ⟦2⟧b⟦3⟧, ⟦4⟧, ⟦5⟧"),
    ("@NAME@ !NAME ::name:: a\\n:error %(count) x", "⟦1⟧ !NAME ⟦2⟧ a⟦3⟧⟦4⟧ ⟦5⟧ x"),
    ("A\\u00a0b \\x41 \\N[1] c", "A⟦1⟧b ⟦2⟧ ⟦3⟧ c"),
    ("[url=a]b[/url] [highlight=c]d[/highlight] <color=#fff>e</color>", "⟦1⟧b⟦2⟧ ⟦3⟧d⟦4⟧ ⟦5⟧e⟦6⟧"),
    ("[[a:b|c d]], [[a/b]], [https://a.example e f] [$1 g]", "⟦1⟧c d⟦2⟧, ⟦3⟧, ⟦4⟧⟦5⟧ e f⟦6⟧ ⟦7⟧⟦8⟧ g⟦9⟧"),
    ("{{PLURAL:$1|a|b}} to $2", "⟦1⟧ to ⟦2⟧"),
    ("[quant,_1,file,files] of [_2]", "⟦1⟧ of ⟦2⟧"),
    ("{ $n ->\n [one] a day\n *[other] { $n } days\n}", "⟦1⟧⟦2⟧a day⟦3⟧⟦4⟧ days⟦5⟧"),
    # Remarks for people
    ("Phone [optional] [To] [too long] [y/N]", "Phone [optional] [To] [too long] [y/N]"),
    ("[duplicate]", "[duplicate]"),
    ("You are #1 of ~100, about 5~10, a^2, §5", "You are #1 of ~100, about 5~10, a^2, §5"),
    # Our own marks
    ("A ⟦1⟧ and ⟦⟦2⟧⟧ mark", "A ⟦1⟧1⟦2⟧ and ⟦3⟧2⟦4⟧ mark"),
    (r"Sent by \(user.name) to \(n)", "Sent by ⟦1⟧ to ⟦2⟧"),
    (r"Escaped \(like this\)", r"Escaped \(like this\)"),
    # Nothing is hidden
    ("", ""),
    ("Plain words, 12 of them.\n\nTwo paragraphs\u2028", "Plain words, 12 of them.\n\nTwo paragraphs\u2028"),
]
