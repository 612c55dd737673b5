"""Text files: they keep their line endings and byte order mark, and are replaced atomically."""

from __future__ import annotations

import codecs
import os
import secrets
import stat
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


class CatalogueError(Exception):
    """A file or language that cannot be used. The message says how to fix it."""


@dataclass(frozen=True)
class TextFile:
    """The contents of a file. Lines of `text` end with "\\n", whatever the file's own `newline` is.

    `mixed` is the text as it was read, if its line ends differ.
    """

    text: str
    newline: str = "\n"
    bom: bytes = b""
    mixed: str = ""

    @classmethod
    def read(cls, path: Path) -> TextFile:
        return cls.of(read_content(path), path)

    @classmethod
    def of(cls, content: bytes, path: Path) -> TextFile:
        """Decode the `content` of the file at `path`. Raises CatalogueError unless it is UTF-8."""
        bom = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            text = content[len(bom) :].decode()
        except UnicodeDecodeError as fault:
            line = content.count(b"\n", 0, fault.start) + 1
            raise CatalogueError(f"{str(path)!r} is not UTF-8 in line {line}: save it as UTF-8") from fault
        newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
        is_mixed = text.count("\r\n") not in (0, text.count("\n"))
        return cls(text.replace("\r\n", "\n"), newline, bom, text * is_mixed)

    @property
    def content(self) -> bytes:
        """The bytes of the file on disk."""
        text = self.text
        if self.mixed:
            text = _with_line_ends(text, self.mixed, self.newline)
        elif self.newline != "\n":
            text = text.replace("\n", self.newline)
        return self.bom + text.encode()

    def write(self, path: Path) -> bytes:
        """Replace the file at `path` atomically, with the same owner and permissions. Returns the bytes written.

        Raises CatalogueError if the file cannot be written.
        """
        content = self.content
        path = Path(os.path.realpath(path))
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                if path.exists():
                    _keep_access(file.fileno(), path.stat())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as fault:
            raise CatalogueError(f"{str(path)!r} cannot be written: {fault.strerror}") from fault
        finally:
            temporary.unlink(missing_ok=True)
        return content


def _keep_access(file: int, before: os.stat_result) -> None:
    """Give the open `file` the permissions of the file before, and the owner if this process may."""
    with suppress(OSError):  # EPERM without the right to, EINVAL for an owner outside of a user namespace
        os.fchown(file, before.st_uid, before.st_gid)
    os.fchmod(file, stat.S_IMODE(before.st_mode))


def _with_line_ends(text: str, original: str, newline: str) -> str:
    """Return `text` with the line end that each line has in `original`, and `newline` after other lines."""
    ends: dict[str, deque[str]] = {}
    for written in original.split("\n")[:-1]:
        line = written.removesuffix("\r")
        ends.setdefault(line, deque()).append("\n" if line == written else "\r\n")
    *lines, last = text.split("\n")
    return "".join([line + (ends[line].popleft() if ends.get(line) else newline) for line in lines]) + last


def read_content(path: Path) -> bytes:
    """Return the bytes of the file at `path`. Raises CatalogueError."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise CatalogueError(f"{str(path)!r} cannot be read: {fault.strerror}") from fault


def check_writable(path: Path) -> None:
    """Raise CatalogueError if no file can be written at `path`, before anything is spent on its contents."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)) or path.is_dir():
        raise CatalogueError(f"{str(path)!r} cannot be written: choose another folder with --out")
