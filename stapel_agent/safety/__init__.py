"""Makes foreign text safe to quote in a prompt. Imports neither Django nor the rest of this package."""

from .invisible_characters import HIDDEN

__all__ = ["HIDDEN"]
