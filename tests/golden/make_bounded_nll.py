#!/usr/bin/env python3
"""Writes bounded_nll.json: negative log-likelihood of every token of story.txt under stories260K, for
tests/tasks/language/perplexity_golden_test.cpp.

With a full cache by transformers; with a bounded one by the decoder below, written in numpy from the papers for reading,
one token at a time, in double precision. With a full cache it must agree with transformers, or nothing is written.

    make_bounded_nll.py FOLDER_OF_STORIES260K        (needs numpy, safetensors, sentencepiece, torch and transformers)
"""

import argparse
import json
import pathlib

import numpy as np
import sentencepiece
import torch
import transformers
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).resolve().parent
SIZE = 64


def norm(x, weight, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rotate(x, position, theta):
    """x [heads, d] by the angles of a position; pairs are (i, i + d/2)."""
    half = x.shape[-1] // 2
    angle = position * theta ** (-np.arange(half) / half)
    a, b = x[:, :half], x[:, half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


class Cache:
    """One layer: states in the order of their tokens. `victim(cache)` names the index of the state to drop."""

    def __init__(self, victim):
        self.victim, self.positions, self.keys, self.values, self.sums = victim, [], [], [], []

    def attend(self, q, k, v, position):
        """q [H, d], k and v [K, d] of the newest token; the output [H, d]."""
        self.positions.append(position)
        self.keys.append(k)
        self.values.append(v)
        self.sums.append(np.zeros(len(q)))
        group = len(q) // len(k)
        keys = np.repeat(np.stack(self.keys), group, axis=1)  # [states, H, d]
        values = np.repeat(np.stack(self.values), group, axis=1)
        self.weights = softmax(np.einsum("hd,nhd->hn", q, keys) / np.sqrt(q.shape[1]))  # [H, states]
        for i in range(len(self.sums)):
            self.sums[i] = self.sums[i] + self.weights[:, i]
        output = np.einsum("hn,nhd->hd", self.weights, values)
        if self.victim and len(self.keys) > SIZE:
            gone = self.victim(self)
            for states in (self.positions, self.keys, self.values, self.sums):
                states.pop(gone)
        return output


def tova(cache):
    return int(np.argmin(cache.weights.mean(0)))  # the first of equals: the oldest


def window(cache):
    return 0


def window_4(cache):
    return 4


def h2o(cache):
    """Among all but the most recent half, the smallest sum of weights over all steps, mean over heads."""
    sums = np.array([s.mean() for s in cache.sums])
    return int(np.argmin(sums[: len(sums) - SIZE // 2]))


def nll_step_by_step(weights, config, ids, victim):
    w = {name: tensor.astype(np.float64) for name, tensor in weights.items()}
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    d, eps, theta = config["hidden_size"] // heads, config["rms_norm_eps"], config["rope_theta"]
    caches = [Cache(victim) for _ in range(config["num_hidden_layers"])]
    nll = []
    for t, token in enumerate(ids[:-1]):
        x = w["model.embed_tokens.weight"][token]
        for i, cache in enumerate(caches):
            at = f"model.layers.{i}."
            y = norm(x, w[at + "input_layernorm.weight"], eps)
            q, k, v = (w[f"{at}self_attn.{n}_proj.weight"] @ y for n in "qkv")
            q = rotate(q.reshape(heads, d), t, theta)
            k = rotate(k.reshape(kv_heads, d), t, theta)
            y = cache.attend(q, k, v.reshape(kv_heads, d), t)
            x = x + w[at + "self_attn.o_proj.weight"] @ y.reshape(-1)
            y = norm(x, w[at + "post_attention_layernorm.weight"], eps)
            gate, up = w[at + "mlp.gate_proj.weight"] @ y, w[at + "mlp.up_proj.weight"] @ y
            x = x + w[at + "mlp.down_proj.weight"] @ (gate / (1 + np.exp(-gate)) * up)
        logits = w["model.embed_tokens.weight"] @ norm(x, w["model.norm.weight"], eps)
        nll.append(-np.log(softmax(logits)[ids[t + 1]]))
    return np.array(nll)


def nll_of_transformers(folder, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    with torch.no_grad():
        log_p = model(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
    return -log_p.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    config = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
    ids = ([pieces.bos_id()] + pieces.encode((HERE / "story.txt").read_text()))[: config["max_position_embeddings"]]

    full = nll_of_transformers(folder, ids)
    error = np.abs(nll_step_by_step(weights, config, ids, None) - full).max()
    assert error < 1e-4, f"the decoder of this script is {error} away from transformers"
    policies = {"tova": tova, "window": window, "window+4": window_4, "h2o": h2o}
    bounded = {name: nll_step_by_step(weights, config, ids, victim) for name, victim in policies.items()}
    print(f"{len(ids)} tokens, error of this script {error:.1e}; mean nll: full {full.mean():.4f}")
    print({name: round(float(nll.mean()), 4) for name, nll in bounded.items()})
    golden = {"size": SIZE, "ids": ids, "nll": {n: [round(float(x), 7) for x in nll] for n, nll in bounded.items()}}
    golden["nll"]["full"] = [round(float(x), 7) for x in full]
    (HERE / "bounded_nll.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
