"""The whole way: check everything, write FOLDER.part, rename it."""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import sys

from fetch.progress import Progress

from . import safetensors, weights
from .config import read_model, stored_as
from .errors import BadModel
from .header import Header
from .tokenizer import Tokens

TYPES = {"fp32": ("F32", "float32"), "bf16": ("BF16", "bfloat16")}


def convert(file: pathlib.Path, folder: pathlib.Path, kind: str = "fp32") -> None:
    """Makes `folder` a Hugging Face folder of the model in `file`. Raises BadModel and OSError, and leaves nothing then."""
    if folder.exists():
        raise BadModel(f"{folder} exists already; remove it, or name another folder")
    if not file.is_file():
        raise BadModel(f"{file} is no file")
    if file.stat().st_size == 0:
        raise BadModel(f"{file} is empty")
    header = Header(file)
    model = read_model(header)
    tensors = weights.wanted(model)
    weights.check_tensors(header, tensors)
    tokens = Tokens(header, model.vocabulary)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    part.mkdir(parents=True)
    try:
        _write_texts(part, header, model, tokens, kind)
        _write_weights(part / "model.safetensors", header, model, tensors, kind)
        os.sync()  # the files before the rename that makes them count
        os.replace(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_texts(part: pathlib.Path, header: Header, model, tokens: Tokens, kind: str) -> None:
    config = {
        **model.config,
        **tokens.ids(),
        "torch_dtype": TYPES[kind][1],
        "attnlab_weights": stored_as(header),  # belongs beside every result of this model
    }
    context = {"model_max_length": config["max_position_embeddings"]}
    files = {
        "config.json": config,
        "generation_config.json": tokens.ids(),
        "tokenizer_config.json": {**tokens.config, **context},
        **tokens.files,
    }
    for name, content in files.items():
        if isinstance(content, dict):
            content = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
        (part / name).write_bytes(content)


def _write_weights(path: pathlib.Path, header: Header, model, tensors: list[weights.Weight], kind: str) -> None:
    shapes = {weight.name: weight.shape for weight in tensors}
    total = sum(map(math.prod, shapes.values()))
    bar = Progress(path.name, 0, total * safetensors.BYTES[TYPES[kind][0]])
    rows = (row for weight in tensors for row in weights.rows_of(header, weight, model.head_dim))
    rounded = safetensors.write(path, TYPES[kind][0], shapes, rows, bar.update)
    bar.finish(total * safetensors.BYTES[TYPES[kind][0]])
    print(f"{total:,} weights, stored as {stored_as(header)}, written in {kind}", file=sys.stderr)
    if rounded:
        print(
            f"{rounded:,} of them ({100 * rounded / total:.0f} %) lost bits in bf16; fp32 keeps them all",
            file=sys.stderr,
        )
