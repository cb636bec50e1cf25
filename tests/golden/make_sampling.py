#!/usr/bin/env python3
"""Makes sampling.json: which tokens may come next, and how probably, as the logits warpers of `transformers` leave them.

    python tests/golden/make_sampling.py    needs PyTorch and transformers 4.57
"""

import json
import pathlib

import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

OPTIONS = [dict(temperature=t, top_k=k, top_p=p)
           for t in (0.5, 1.0, 2.5) for k in (0, 1, 7) for p in (1.0, 0.9, 0.3, 0.01)]


def warpers(o):
    chain = LogitsProcessorList([TemperatureLogitsWarper(o["temperature"])])
    if o["top_k"]:
        chain.append(TopKLogitsWarper(o["top_k"]))
    if o["top_p"] < 1:
        chain.append(TopPLogitsWarper(o["top_p"]))
    return chain


def main():
    logits = (3 * torch.randn(20, generator=torch.Generator().manual_seed(7))).float()
    cases = []
    for o in OPTIONS:
        p = warpers(o)(torch.zeros(1, 1, dtype=torch.long), logits[None].double()).softmax(-1)[0]
        cases.append(o | dict(probabilities=[float(f"{x:.12g}") for x in p.tolist()]))
    path = pathlib.Path(__file__).with_name("sampling.json")
    path.write_text(json.dumps(dict(logits=logits.tolist(), cases=cases), separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
