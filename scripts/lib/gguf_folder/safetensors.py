"""A safetensors file written from front to back: the package of that name wants all tensors in memory at once."""

from __future__ import annotations

import json
import math
import pathlib
import struct
from collections.abc import Iterator

import numpy as np

BYTES = {"F32": 4, "BF16": 2}


def write(
    path: pathlib.Path, kind: str, shapes: dict[str, tuple[int, ...]], tensors: Iterator[np.ndarray], progress
) -> int:
    """Writes what `tensors` yields in fp32, in the order of `shapes`. How many values lost bits."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        begin, end = end, end + math.prod(shape) * BYTES[kind]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    rounded = 0
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors:
            if kind == "BF16":
                shorter = bfloat16(values)
                rounded += int(np.count_nonzero((shorter.astype(np.uint32) << 16).view(np.float32) != values))
                values = shorter
            file.write(values.data.cast("B"))
            progress(file.tell() - 8 - len(text))
        if file.tell() - 8 - len(text) != end:
            raise AssertionError(f"{file.tell() - 8 - len(text)} bytes of tensors were written, not {end}")
    return rounded


def bfloat16(values: np.ndarray) -> np.ndarray:
    """The upper 16 bits, rounded to nearest, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    upper = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), upper)
