#!/usr/bin/env python3
"""Makes luna_classifier.json: whole classifiers on tiny sizes, forward and gradients, in double precision.

Written from the formulas of Ma et al. 2021 (arXiv 2106.01540, section 3) and Vaswani et al. 2017 alone, one sentence
at a time without padding; PyTorch only supplies matrix products and derivatives. The C++ models must agree with it on
padded batches.

    python tests/golden/make_luna_classifier.py        needs PyTorch
"""

import json
import math
import pathlib

import torch

torch.set_default_dtype(torch.float64)

D, H, F, L, LAYERS, VOCABULARY, MAX_LENGTH, HEAD, CLASSES = 4, 2, 6, 4, 2, 11, 9, 5, 3
SENTENCES = [[10, 4, 9], [10, 7, 5, 6, 8, 4, 2]]  # <CLS> …; the first is shorter than P
LABELS = [2, 0]
FIRST_POSITION = 2

CASES = {
    "lra": dict(type="luna", tie_kv=False, dynamic_projection=True, norm_first=False, activation="gelu",
                positions="learned", embedding_norm=True, scale_embeddings=False, state_scale_and_positions=False,
                pooling="first"),
    "translation": dict(type="luna", tie_kv=True, dynamic_projection=True, norm_first=False, activation="relu",
                        positions="sinusoidal", embedding_norm=False, scale_embeddings=True,
                        state_scale_and_positions=True, pooling="mean"),
    "pre_norm": dict(type="luna", tie_kv=False, dynamic_projection=False, norm_first=True, activation="gelu",
                     positions="learned", embedding_norm=False, scale_embeddings=False,
                     state_scale_and_positions=False, pooling="mean"),
    "transformer": dict(type="softmax", norm_first=False, activation="gelu", positions="learned", embedding_norm=True,
                        scale_embeddings=False, state_scale_and_positions=False, pooling="first"),
}


def weight_shapes(o):
    """Names on disk and shapes."""
    luna = o["type"] == "luna"
    shapes = {"encoder.tokens.weight": (VOCABULARY, D)}
    if o["positions"] == "learned":
        shapes["encoder.positions.weight"] = (MAX_LENGTH + 2, D)
    if luna:
        shapes["encoder.state"] = (L, D)
    norms = []
    if o["embedding_norm"]:
        norms += ["encoder.embedding_norm"] + (["encoder.state_norm"] if luna else [])
    if o["norm_first"]:
        norms += ["encoder.final_norm"]
    if not luna:
        linears = ["query", "key", "value", "output"]
    elif o["tie_kv"]:
        linears = ["pack_query", "pack_key_value", "query", "key_value", "output"]
    else:
        linears = ["pack_query", "pack_key", "pack_value", "query", "key", "value", "output"]
    for i in range(LAYERS):
        layer = f"encoder.layers.{i}."
        for name in linears:
            shapes[f"{layer}attention.{name}.weight"] = (D, D)
            shapes[f"{layer}attention.{name}.bias"] = (D,)
        shapes |= {layer + "ffn_in.weight": (F, D), layer + "ffn_in.bias": (F,),
                   layer + "ffn_out.weight": (D, F), layer + "ffn_out.bias": (D,)}
        norms += [layer + "attention_norm", layer + "ffn_norm"] + ([layer + "state_norm"] if luna else [])
    for norm in norms:
        shapes |= {norm + ".weight": (D,), norm + ".bias": (D,)}
    return shapes | {"hidden.weight": (HEAD, D), "hidden.bias": (HEAD,), "classes.weight": (CLASSES, HEAD)}


class Net:
    """One classifier; every method works on one sentence."""

    def __init__(self, options, weights):
        self.o, self.w = options, weights

    def linear(self, name, x):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(variance + 1e-5) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def heads(self, q, k, v, slots=None):
        """Softmax attention head by head; only the first `slots` keys may be read."""
        d, outputs = D // H, []
        for h in range(H):
            part = slice(h * d, (h + 1) * d)
            scores = q[:, part] / math.sqrt(d) @ k[:, part].T
            if slots is not None:
                scores[:, slots:] = -math.inf
            e = torch.exp(scores - scores.max(-1, keepdim=True).values)
            outputs.append(e / e.sum(-1, keepdim=True) @ v[:, part])
        return torch.cat(outputs, 1)

    def attention(self, at, x, p):
        if self.o["type"] == "softmax":
            y = self.heads(*(self.linear(at + n, x) for n in ("query", "key", "value")))
            return self.linear(at + "output", y), None
        tied = self.o["tie_kv"]
        pk, pv = ("pack_key_value",) * 2 if tied else ("pack_key", "pack_value")
        k, v = ("key_value",) * 2 if tied else ("key", "value")
        y_p = self.heads(self.linear(at + "pack_query", p), self.linear(at + pk, x), self.linear(at + pv, x))
        slots = len(x) if self.o["dynamic_projection"] else None
        y_x = self.heads(self.linear(at + "query", x), self.linear(at + k, y_p), self.linear(at + v, y_p), slots)
        return self.linear(at + "output", y_x), y_p

    def ffn(self, layer, x):
        h = self.linear(layer + "ffn_in", x)
        h = h * 0.5 * (1 + torch.erf(h / math.sqrt(2))) if self.o["activation"] == "gelu" else h.clamp(min=0)
        return self.linear(layer + "ffn_out", h)

    def layer(self, i, x, p):
        at = f"encoder.layers.{i}."
        if self.o["norm_first"]:
            y_x, y_p = self.attention(at + "attention.", self.norm(at + "attention_norm", x),
                                      self.norm(at + "state_norm", p))
            x = x + y_x
            return x + self.ffn(at, self.norm(at + "ffn_norm", x)), p + y_p
        y_x, y_p = self.attention(at + "attention.", x, p)
        x = self.norm(at + "attention_norm", x + y_x)
        p = None if y_p is None else self.norm(at + "state_norm", p + y_p)
        return self.norm(at + "ffn_norm", x + self.ffn(at, x)), p

    @staticmethod
    def sinusoid(position):
        """fairseq's order: all sines, then all cosines."""
        w = [10000 ** (-i / (D // 2 - 1)) for i in range(D // 2)]
        return torch.tensor([math.sin(position * f) for f in w] + [math.cos(position * f) for f in w])

    def embed(self, ids):
        rows = []
        for t, token in enumerate(ids):
            x = self.w["encoder.tokens.weight"][token]
            if self.o["scale_embeddings"]:
                x = x * math.sqrt(D)
            at = t + FIRST_POSITION
            learned = self.o["positions"] == "learned"
            rows.append(x + (self.w["encoder.positions.weight"][at] if learned else self.sinusoid(at)))
        x = torch.stack(rows)
        return self.norm("encoder.embedding_norm", x) if self.o["embedding_norm"] else x

    def state(self, longest):
        if self.o["type"] == "softmax":
            return None
        p = self.w["encoder.state"]
        if self.o["dynamic_projection"]:
            p = p[:longest]
        if self.o["state_scale_and_positions"]:
            p = p * math.sqrt(D) + torch.stack([self.sinusoid(i) for i in range(len(p))])
        return self.norm("encoder.state_norm", p) if self.o["embedding_norm"] else p

    def logits(self, ids, longest):
        x, p = self.embed(ids), self.state(longest)
        for i in range(LAYERS):
            x, p = self.layer(i, x, p)
        if self.o["norm_first"]:
            x = self.norm("encoder.final_norm", x)
        pooled = x[0] if self.o["pooling"] == "first" else x.mean(0)
        return self.w["classes.weight"] @ self.linear("hidden", pooled).clamp(min=0)


def draw(name, shape, generator):
    x = torch.randn(shape, generator=generator)
    if name.endswith("norm.weight"):
        x = 1 + 0.3 * x
    elif name.endswith("bias"):
        x = 0.3 * x
    elif "tokens" not in name and "state" not in name:
        x = 0.6 * x
    if name in ("encoder.tokens.weight", "encoder.positions.weight"):
        x[1] = 0  # the padding's
    return (x * 1000).round() / 1000  # short decimals that double holds alike everywhere


def make(name, options, generator):
    weights = {n: draw(n, s, generator) for n, s in weight_shapes(options).items()}
    for w in weights.values():
        w.requires_grad_()
    net = Net(options, weights)
    longest = max(map(len, SENTENCES))
    logits = torch.stack([net.logits(ids, longest) for ids in SENTENCES])
    log_probability = logits - torch.logsumexp(logits, 1, keepdim=True)
    loss = -sum(log_probability[i, label] for i, label in enumerate(LABELS)) / len(LABELS)
    loss.backward()

    def numbers(x):
        return None if x is None else [float(f"{v:.10g}") for v in x.detach().flatten().tolist()]

    return dict(name=name, options=options, loss=loss.item(), logits=numbers(logits),
                weights={n: dict(shape=list(w.shape), values=numbers(w)) for n, w in weights.items()},
                gradients={n: numbers(w.grad) for n, w in weights.items()})


def main():
    generator = torch.Generator().manual_seed(20210604)
    cases = [make(name, options, generator) for name, options in CASES.items()]
    sizes = dict(dim=D, heads=H, ffn_dim=F, projection_length=L, layers=LAYERS, vocabulary=VOCABULARY,
                 max_length=MAX_LENGTH, head_dim=HEAD, classes=CLASSES)
    path = pathlib.Path(__file__).with_name("luna_classifier.json")
    path.write_text(json.dumps(dict(sizes=sizes, sentences=SENTENCES, labels=LABELS, cases=cases),
                               separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
