"""Files of archives in the places that a set has them, SGML as plain lines."""

from __future__ import annotations

import pathlib
import re

from .datasets import Moved

_SEGMENT = re.compile(rb"<seg[^>]*>(.*?)</seg>", re.DOTALL | re.IGNORECASE)


def arrange(moved: tuple[Moved, ...], folder: pathlib.Path) -> None:
    """Moves what is there of `moved`, and removes folders that are empty then."""
    for one in moved:
        file = folder / one.path
        if not file.exists() or one.path == one.name:
            continue
        if one.path.endswith(".sgm"):
            (folder / one.name).write_bytes(segments(file.read_bytes()))
            file.unlink()
        else:
            file.replace(folder / one.name)
    for emptied in {(folder / one.path).parent for one in moved} - {folder}:
        if emptied.exists() and not any(emptied.iterdir()):
            emptied.rmdir()


def segments(sgml: bytes) -> bytes:
    """The segments, a line each, white space as single blanks: what sacreBLEU makes of them. Entities stay: these files
    have "&" as it is."""
    return b"".join(b" ".join(text.split()) + b"\n" for text in _SEGMENT.findall(sgml))
