"""Character references in translations."""

from stapel_agent.translation.placeholders.character_references import changed, corrected
from tests.rows import each_row


@each_row(
    [
        ("Terms &copy; more", "Terms &kopie; mehr", "has '&kopie;', which the text does not have"),
        ("Terms &copy; more", "Begriffe mehr", "lost '&copy;'"),
        ("a&nbsp;b", "a b", "lost '&nbsp;'"),
        ("5 &#8364;", "5", "lost '&#8364;'"),
        ("a b", "a &lt;b", "has '&lt;', which the text does not have"),
        ("a b", "a&nbsp;b", "has '&nbsp;', which the text does not have"),
        ("Terms &copy; more", "Begriffe © mehr", None),
        ("Tom &amp; Jerry&#39;s", "Tom ja Jerry", None),
        ("Really &ldquo;so&rdquo;?", "Wirklich &bdquo;so&ldquo;&nbsp;?", None),
        ("5 &euro; &#8211; 6", "5 &#8364; - 6", None),
        ("a & b", "a & b", None),
        ("&Save && Close", "&Speichern & Schließen", "has '&' in place of '&&'"),
        ("&Save && Close", "&Speichern &Schließen", "has '&' in place of '&&'"),
        ("R&&D", "F&E", "has '&' in place of '&&'"),
        ("&Save && Close", "Speichern && S&chließen", None),
        ("&Save && Close", "保存して閉じる(&S)", None),
        ("&Save && Close", "&Speichern und schließen", None),
        ("R&D && &ldquo;more&rdquo;", "F&E && &bdquo;mehr&ldquo;", None),
        ("&Q&A", "&Frage & Antwort", None),
        ("&lt;not set>", "&lt;nicht gesetzt&gt;", None),
        ('&lt;b>"so"&lt;/b>', "&lt;b&gt;&quot;so&quot;&lt;/b&gt;", None),
        ("a > b", "a &gt; b", "has '&gt;', which the text does not have"),
    ]
)
def test_changed(source, translation, fault):
    """References are kept and none is added. Punctuation follows the language."""
    assert changed(source, translation) == fault


def test_corrected__ampersand():
    """A bare ampersand is written as in the source."""
    assert corrected("Tom &amp; Jerry", "Tom & Jerry &copy;") == "Tom &amp; Jerry &copy;"
    assert corrected("Tom & Jerry &amp;", "Tom & Jerry") == "Tom & Jerry"
