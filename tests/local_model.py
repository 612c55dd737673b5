"""A fixture with a real small model behind an OpenAI-compatible API, for tests marked `model`."""

from collections.abc import Iterator

import pytest

from example.model import running_model


@pytest.fixture(scope="session")
def local_model() -> Iterator[str]:
    """The model's base URL for OPENAI_COMPAT_BASE_URL. Each worker has its own model."""
    with running_model() as base_url:
        yield base_url
