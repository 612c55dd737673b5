"""A test of many rows tries all of them, and names each that fails."""

import pytest

from tests.rows import each_row, every_row


def test_every_row__names_what_failed():
    """A failed row keeps its fault, is named, and does not stop the others."""
    tried = []
    with pytest.raises(BaseExceptionGroup) as raised, every_row() as row:
        for number in range(4):
            with row("number", number):
                tried.append(number)
                assert number != 1
                if number == 2:
                    pytest.fail("two")
    assert tried == [0, 1, 2, 3]
    assert [(type(fault), fault.__notes__) for fault in raised.value.exceptions] == [
        (AssertionError, ["in the row number, 1"]),
        (pytest.fail.Exception, ["in the row number, 2"]),
    ]


def test_every_row__all_hold():
    """Without a failure nothing is raised."""
    with every_row() as row, row("one"):
        assert True


def test_each_row__takes_tuples_and_single_arguments():
    """A test gets the values of each row as arguments. Its name stays, and rows that fail are named."""
    tried = []

    @each_row([(1, "a"), (2, "b")])
    def test_pair(number, letter):
        tried.append((number, letter))

    @each_row(["c" * 1000, "d"])
    def test_one(letter):
        assert letter == "d"

    test_pair()
    assert (tried, test_pair.__name__) == ([(1, "a"), (2, "b")], "test_pair")
    with pytest.raises(BaseExceptionGroup) as raised:
        test_one()
    assert [fault.__notes__ for fault in raised.value.exceptions] == [[f"in the row {'c' * 80}"]]
