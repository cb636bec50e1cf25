"""A SentencePiece model (tokenizer.model) from its pieces: the few fields of sentencepiece_model.proto that decide how
text is cut, written by hand, since the generated code is in no package that the project needs."""

from __future__ import annotations

import struct

BPE = 2  # TrainerSpec.ModelType
BYTE = 6  # SentencePiece.Type


def model(
    pieces: list[str],
    scores: list[float],
    types: list[int],
    ids: dict[str, int | None],
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    charsmap: bytes,
) -> bytes:
    """The bytes of the file; `ids` of unk, bos, eos, pad."""
    out = [
        _field(1, _field(1, piece.encode()) + _float(2, score) + _number(3, kind))
        for piece, score, kind in zip(pieces, scores, types, strict=True)
    ]
    numbers = {"unk": 40, "bos": 41, "eos": 42, "pad": 43}
    trainer = _number(3, BPE) + _number(4, len(pieces)) + _number(35, BYTE in types)
    trainer += b"".join(_number(numbers[name], -1 if i is None else i) for name, i in ids.items())
    trainer += b"".join(
        _field(n + 5, pieces[ids[name]].encode()) for name, n in numbers.items() if ids[name] is not None
    )
    out.append(_field(2, trainer))
    normalizer = _field(1, b"identity") + _field(2, charsmap)
    normalizer += _number(3, add_dummy_prefix) + _number(4, remove_extra_whitespaces) + _number(5, True)
    out.append(_field(3, normalizer))
    return b"".join(out)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as ten bytes
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(int(value))


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content
