"""What an index shows about the installed package."""

import re
from importlib.metadata import metadata


def test_description__links():
    """The description is the README, without pictures and links into folders that an index does not have."""
    description = metadata("stapel-agent")["Description"] or metadata("stapel-agent").get_payload()
    assert description.startswith("# stapel-agent\n")
    assert "Licence: MIT." in description
    targets = re.findall(r"\]\(([^)]*)\)", description)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "![" not in description
