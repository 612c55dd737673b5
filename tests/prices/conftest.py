"""Prices of our own for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.prices.price_list import listed


@pytest.fixture(autouse=True)
def price_list() -> Iterator[None]:
    with listed():
        yield
