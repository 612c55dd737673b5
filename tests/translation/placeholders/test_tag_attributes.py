"""Attributes of tags that people read."""

import pytest

from stapel_agent.translation.placeholders.tag_attributes import readable_attributes, with_values


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ('<img src="a.png" alt="A cat" title=\'Tom\'>', ["A cat", "Tom"]),
        ('<input placeholder="Name" value="x" aria-label="Your name"/>', ["Name", "Your name"]),
        ('<a href="title=x" data-title="x">', []),
        ("<br>", []),
    ],
)
def test_readable_attributes(tag, values):
    """Readable attributes are found, others are not."""
    assert [attribute.value for attribute in readable_attributes(tag)] == values


def test_with_values__quotes():
    """A value stays within its quotes."""
    tag = "<img alt=\"A cat\" title='B'>"
    attributes = readable_attributes(tag)
    assert with_values(tag, list(zip(attributes, ['Eine "Katze"', "l'B"], strict=True))) == (
        "<img alt=\"Eine &quot;Katze&quot;\" title='l&#39;B'>"
    )
