"""The measures of the code are within their limits, and they find what they should."""

import pytest

from tests import measures


def test_measures__kept():
    """No measure of the package's code exceeds its limit."""
    assert [str(measure) for measure in measures.measures() if not measure.is_kept] == []


def test_measures__reasons_in_use():
    """Each listed reason for an import within a function belongs to a module that has one."""
    modules = {where.partition(":")[0] for where, node in measures.functions().items() if measures.imports(node)}
    assert modules == set(measures.LAZY_IMPORTS)


SIX_LINES = "".join(f"    x{number} = {number}\n" for number in range(6))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (f"def f():\n{SIX_LINES}def g():\n{SIX_LINES}", ["m.py:2 ~ m.py:9"]),
        (
            f'def f():\n    """Says."""\n{SIX_LINES}def g():\n    """Says more."""\n    # Why.\n{SIX_LINES}',
            ["m.py:3 ~ m.py:12"],
        ),
        (f"def f():\n    def g():\n{SIX_LINES.replace('    ', '        ')}", []),
        (f"def f():\n{SIX_LINES}def g():\n{SIX_LINES.replace('3', '4')}", []),
    ],
    ids=("alike", "but for comments", "one within another", "unlike"),
)
def test_copied_runs__found(source, found, monkeypatch):
    """Six lines that occur in two functions are found, and no others."""
    monkeypatch.setattr(measures, "sources", lambda: {"m.py": source})
    monkeypatch.setattr(measures, "functions", measures.functions.__wrapped__)
    assert list(measures.copied_runs()) == found


def test_inner_imports__found(monkeypatch):
    """An import in a function is found if its module has no reason for it."""
    monkeypatch.setattr(
        measures, "sources", lambda: {"services.py": "def f():\n    import os\n", "apps.py": "import re\n"}
    )
    monkeypatch.setattr(measures, "functions", measures.functions.__wrapped__)
    assert list(measures.inner_imports()) == ["services.py:1 f"]
