"""Images of a prompt: inline ones, and links that may be fetched."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stapel_agent.types import Image, InlineImage, LinkedImage

if TYPE_CHECKING:
    from .fetching import afetched, fetched
    from .reading import described, read_images

__all__ = ["Image", "InlineImage", "LinkedImage", "afetched", "described", "fetched", "read_images"]

# Reading and fetching import Django. A provider that accepts images needs only the value types.
_HOME = {"afetched": ".fetching", "described": ".reading", "fetched": ".fetching", "read_images": ".reading"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)
