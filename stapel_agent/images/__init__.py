"""Images that go with a prompt: those that a caller sends along, and those that it links to."""

from stapel_agent.types import Image, InlineImage, LinkedImage

from .fetching import afetched, fetched
from .reading import described, read_images

__all__ = ["Image", "InlineImage", "LinkedImage", "afetched", "described", "fetched", "read_images"]
