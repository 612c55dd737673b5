"""Text files as people keep them: read with their line ends and byte order mark, replaced whole or not at all."""

from __future__ import annotations

import codecs
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path


class CatalogueError(Exception):
    """A file or a language that cannot be worked with; the message says the mend."""


@dataclass(frozen=True)
class TextFile:
    """What a file holds; `text` has "\\n" at the end of its lines, whatever the file has."""

    text: str
    newline: str = "\n"
    mark: bytes = b""

    @classmethod
    def read(cls, path: Path) -> TextFile:
        return cls.of(content_of(path), path)

    @classmethod
    def of(cls, content: bytes, path: Path) -> TextFile:
        """What `content`, which is that of `path`, says. Raises CatalogueError unless it is UTF-8."""
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            text = content[len(mark) :].decode()
        except UnicodeDecodeError as fault:
            line = content.count(b"\n", 0, fault.start) + 1
            raise CatalogueError(f"{str(path)!r} is not UTF-8 in line {line}: save it as UTF-8") from fault
        newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
        return cls(text.replace("\r\n", "\n"), newline, mark)

    @property
    def content(self) -> bytes:
        """What the file holds on disk."""
        text = self.text if self.newline == "\n" else self.text.replace("\n", self.newline)
        return self.mark + text.encode()

    def write(self, path: Path) -> bytes:
        """Put this in place of the file at `path`, which keeps its permissions; a reader sees the old or the new.

        Returns its content.
        """
        content = self.content
        path = Path(os.path.realpath(path))
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                if path.exists():
                    os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as fault:
            raise CatalogueError(f"{str(path)!r} cannot be written: {fault.strerror}") from fault
        finally:
            temporary.unlink(missing_ok=True)
        return content


def content_of(path: Path) -> bytes:
    """What the file at `path` holds. Raises CatalogueError."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise CatalogueError(f"{str(path)!r} cannot be read: {fault.strerror}") from fault


def check_writable(path: Path) -> None:
    """Raise CatalogueError where no file can be put at `path`: before anything is paid for what would go there."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)) or path.is_dir():
        raise CatalogueError(f"{str(path)!r} cannot be written: name another folder, with --out")
