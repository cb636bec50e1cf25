"""The whole way of a small pre-trained model: its files from a mirror, checked, the folder renamed into place."""

from __future__ import annotations

import json
import pathlib
import shutil

from . import sources
from .datasets import Archive, Model, WheelModel
from .errors import Absent, NotFound
from .place import MARKER, check, locked, refuse_foreign, settle


def fetch_model(model: Model, mirror: str | None, data: pathlib.Path) -> pathlib.Path:
    """Makes data/NAME a Hugging Face folder and returns it; at once where it already is one. Raises FetchError and
    OSError."""
    folder = data / model.name
    if is_whole(model, folder):
        return folder
    if not mirror:
        raise Absent(
            f"{model.name} comes from a mirror only (--mirror DIR|URL, with {model.path}/): its publisher has it in "
            f"another format ({model.address})"
        )
    scratch = data / ".fetch" / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    with locked(scratch / "lock"):
        if not is_whole(model, folder):
            refuse_foreign(folder)
            _fill(model, mirror, folder, scratch)
    return folder


def is_whole(model: Model | WheelModel, folder: pathlib.Path) -> bool:
    """Whether every file has the size that it was fetched with."""
    try:
        sizes = json.loads((folder / MARKER).read_text())["files"]
        return all((folder / name).stat().st_size == sizes[name] for name in model.files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _fill(model: Model, mirror: str, folder: pathlib.Path, scratch: pathlib.Path) -> None:
    source = sources.open_source(mirror)
    staging = scratch / "files"
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
    staging.mkdir()
    archives = {name: Archive(f"{model.path}/{name}") for name in model.files}
    try:
        for name, archive in archives.items():
            file = source.get(archive.path, scratch)
            check(source, archive, file, scratch)
            shutil.copyfile(file, staging / name)
    except NotFound as error:
        raise Absent(f"the mirror {mirror} has no {model.path}/: {error}") from error
    sizes = {name: (staging / name).stat().st_size for name in model.files}
    note = {"model": model.name, "from": source.describe(model.path), "files": sizes}
    settle(staging, folder, note)
    for archive in archives.values():
        source.discard(archive.path, scratch)
