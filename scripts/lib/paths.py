"""Names of files as they come: hidden ones are no data, and their bytes need not be UTF-8."""

import os
import sys

LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def visible(top, pattern):
    """The files and folders below `top` that match a glob, in order, without hidden ones and what lies in hidden
    folders: macOS leaves a file ._NAME beside each that it copies."""
    return sorted(path for path in top.glob(pattern) if not is_hidden(path.relative_to(top)))


def is_hidden(path):
    """Whether any part of the path begins with a dot."""
    return any(part.startswith(".") for part in path.parts)


def shown(text):
    """A path, or words with one in them, that can be printed and written anywhere: bytes that are not UTF-8 as \\xe9."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def print_path(path):
    """Prints the path for a program to read: its very bytes."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(path) + b"\n")
    sys.stdout.buffer.flush()


def lfs_pointer(path):
    """A sentence where the file is what a clone without Git LFS leaves in its place, else nothing."""
    with open(path, "rb") as file:
        if not file.read(len(LFS_POINTER)) == LFS_POINTER:
            return ""
    return f"{path} is not the file itself but a pointer to it; `git lfs pull`, in that clone, fetches the file"
