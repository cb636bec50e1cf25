"""What a GGUF file says of itself: keys, tensors and where they lie. Not by gguf's own reader, which believes every count
and length: a damaged file gives it silently shorter strings or loops without end."""

from __future__ import annotations

import dataclasses
import math
import mmap
import pathlib
import struct

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from paths import lfs_pointer

from .errors import BadModel

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


@dataclasses.dataclass(frozen=True)
class Tensor:
    shape: tuple[int, ...]  # outermost first, as numpy has it; the file has it the other way round
    type: GGMLQuantizationType
    start: int  # from the beginning of the file
    size: int  # bytes


class Header:
    """`keys` by name (arrays as lists) and `tensors` by name."""

    def __init__(self, file: pathlib.Path):
        self.file = file
        self.keys: dict[str, object] = {}
        self.tensors: dict[str, Tensor] = {}
        with open(file, "rb") as stream:
            if stream.read(4) != b"GGUF":
                raise BadModel(lfs_pointer(file) or f"{file} is no GGUF file: it does not begin with 'GGUF'")
            self.bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 4
        version = self._scalar("I")
        if version & 0xFFFF == 0:
            raise BadModel(f"{file} is a GGUF file of big-endian machines, which are not read")
        if version not in (2, 3):
            raise BadModel(f"{file} is a GGUF file of version {version}; versions 2 and 3 are read")
        tensors, keys = self._scalar("Q"), self._scalar("Q")
        for _ in range(keys):
            self._key()
        declared = [self._declaration() for _ in range(tensors)]
        self._place(declared)

    def data(self, name: str) -> np.ndarray:
        """The bytes of a tensor, a row for each of its rows, mapped and not read."""
        tensor = self.tensors[name]
        rows = tensor.shape[0] if len(tensor.shape) > 1 else 1
        return np.frombuffer(self.bytes, np.uint8, tensor.size, tensor.start).reshape(rows, -1)

    def _key(self) -> None:
        name = self._text("a key")
        if name in self.keys:
            raise BadModel(f"{self.file} has the key '{name}' twice")
        self.keys[name] = self._value(name, self._scalar("I"))

    def _value(self, name: str, kind: int):
        if kind in SCALARS:
            return self._scalar(SCALARS[kind])
        if kind == STRING:
            return self._text(f"'{name}'")
        if kind != ARRAY:
            raise BadModel(f"{self.file} is damaged: its key '{name}' has a value of the unknown type {kind}")
        inner, count = self._scalar("I"), self._scalar("Q")
        if inner == STRING:
            return [self._text(f"'{name}'") for _ in range(count)]
        if inner not in SCALARS:
            raise BadModel(f"{self.file}: the key '{name}' is an array of type {inner}, which is not read")
        return list(struct.unpack(f"<{count}{SCALARS[inner]}", self._take(count * struct.calcsize(SCALARS[inner]))))

    def _declaration(self):
        name = self._text("a tensor's name")
        dimensions = self._scalar("I")
        if not 1 <= dimensions <= 4:
            raise BadModel(f"{self.file} is damaged: its tensor '{name}' has {dimensions} dimensions")
        shape = tuple(self._scalar("Q") for _ in range(dimensions))[::-1]
        kind, offset = self._scalar("I"), self._scalar("Q")
        try:
            return name, shape, GGMLQuantizationType(kind), offset
        except ValueError:
            raise BadModel(f"{self.file}: the tensor '{name}' is stored as type {kind}, which is unknown") from None

    def _place(self, declared) -> None:
        alignment = self.keys.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise BadModel(f"{self.file}: general.alignment is {alignment!r}, which aligns nothing")
        begin = -(-self._at // alignment) * alignment
        for name, shape, kind, offset in declared:
            if name in self.tensors:
                raise BadModel(f"{self.file} has the tensor '{name}' twice")
            block, size = GGML_QUANT_SIZES[kind]
            if shape[-1] % block:
                raise BadModel(
                    f"{self.file}: the tensor '{name}' has rows of {shape[-1]}, which are no whole blocks of {kind.name}"
                )
            tensor = Tensor(shape, kind, begin + offset, math.prod(shape) // block * size)
            if tensor.start + tensor.size > len(self.bytes):
                raise BadModel(
                    f"{self.file} is cut short or damaged: its tensor '{name}' ends at byte "
                    f"{tensor.start + tensor.size:,} of {len(self.bytes):,}"
                )
            self.tensors[name] = tensor

    def _take(self, count: int) -> bytes:
        if count > len(self.bytes) - self._at:
            raise BadModel(
                f"{self.file} is cut short or damaged: its header runs past the end, byte {len(self.bytes):,}"
            )
        self._at += count
        return self.bytes[self._at - count : self._at]

    def _scalar(self, code: str):
        return struct.unpack("<" + code, self._take(struct.calcsize(code)))[0]

    def _text(self, what: str) -> str:
        raw = self._take(self._scalar("Q"))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise BadModel(f"{self.file} is damaged: {what} is not UTF-8") from None
