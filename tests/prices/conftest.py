"""Our own prices for the tests in this folder."""

from collections.abc import Iterator

import pytest

from tests.prices.price_list import listed


@pytest.fixture(autouse=True)
def price_list() -> Iterator[None]:
    with listed():
        yield
