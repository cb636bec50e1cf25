#!/usr/bin/env python3
"""Writes python.safetensors with Python's safetensors: one tensor of each type, for tests/io/safetensors_test.cpp.

Element i of every tensor is i − 2 (BOOL: i is odd), so that the test can say what it expects without a second file.
A full torch is needed, as numpy has no bfloat16.
"""

import pathlib

import torch
from safetensors.torch import save_file

TYPES = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
}


def main():
    counting = torch.arange(6).reshape(2, 3) - 2
    tensors = {name: counting.to(dtype) for name, dtype in TYPES.items()}
    tensors["u8"] = (counting + 2).to(torch.uint8)
    tensors["bool"] = torch.arange(6).reshape(2, 3) % 2 == 1
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    path = pathlib.Path(__file__).with_name("python.safetensors")
    save_file(tensors, path, metadata={"made_by": "make_safetensors.py", "note": "naïve"})


if __name__ == "__main__":
    main()
