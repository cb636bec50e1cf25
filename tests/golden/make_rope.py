#!/usr/bin/env python3
"""Makes rope.json: frequencies and the factor of the attention as `transformers` computes them for stretched rotary
positions, with the numbers of published checkpoints and some awkward ones.

    python tests/golden/make_rope.py    needs PyTorch, transformers 4.57
"""

import json
import pathlib

import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

LLAMA3 = dict(rope_type="llama3", low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
# name: head size, theta, max_position_embeddings, rope_scaling
CASES = {
    "Llama-3.1-8B": (128, 5e5, 131072, dict(LLAMA3, factor=8.0)),
    "Llama-3.2-1B": (64, 5e5, 131072, dict(LLAMA3, factor=32.0)),
    "long context by interpolation": (128, 1e4, 16384, dict(rope_type="linear", factor=4.0)),
    "Qwen2.5 at 128K": (128, 1e6, 131072, dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32768)),
    "Qwen2.5 as its page says": (128, 1e6, 32768,
                                 dict(type="yarn", factor=4.0, original_max_position_embeddings=32768)),
    "Yarn-Llama-2-7b-64k": (128, 1e4, 65536, dict(type="yarn", factor=16.0, original_max_position_embeddings=4096)),
    "no original length": (64, 1e4, 2048, dict(rope_type="yarn", factor=2.0)),
    "mscale": (64, 1e4, 163840, dict(rope_type="yarn", factor=40.0, original_max_position_embeddings=4096, mscale=0.7,
                                     mscale_all_dim=1.0)),
    "factor given": (64, 1e4, 8192, dict(rope_type="yarn", factor=2.0, attention_factor=1.5, beta_fast=16, beta_slow=2,
                                         original_max_position_embeddings=4096)),
    "whole pairs or not": (32, 150000.0, 131072, dict(rope_type="yarn", factor=32.0, truncate=False,
                                                       original_max_position_embeddings=4096)),
}


def main():
    made = []
    for name, (size, theta, positions, scaling) in CASES.items():
        config = transformers.LlamaConfig(hidden_size=size, num_attention_heads=1, head_dim=size, rope_theta=theta,
                                          max_position_embeddings=positions, rope_scaling=dict(scaling))
        kind = config.rope_scaling["rope_type"]
        frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config, device="cpu")
        made.append(dict(name=name, head_dim=size, rope_theta=theta, max_position_embeddings=positions,
                         rope_scaling=scaling, frequencies=[float(f"{x:.9g}") for x in frequencies.tolist()],
                         attention_factor=float(factor)))
    path = pathlib.Path(__file__).with_name("rope.json")
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
