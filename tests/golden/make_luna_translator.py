#!/usr/bin/env python3
"""Makes luna_translator.json: whole translators on tiny sizes, forward and gradients, in double precision.

Written from the released code of Ma et al. 2021 (github.com/XuezheMax/fairseq-apollo: fairseq/models/luna.py,
fairseq/modules/luna_layer.py, lunar_attention.py, sinusoidal_positional_embedding.py; for elu the paper, §3.2) and,
for the Transformers, Vaswani et al. 2017, one pair of sentences at a time without padding; PyTorch only supplies matrix
products and derivatives. The C++ models must agree with it on padded batches.

    python tests/golden/make_luna_translator.py        needs PyTorch
"""

import json
import math
import pathlib

import torch

torch.set_default_dtype(torch.float64)

D, H, F, L, LAYERS, VOCABULARY, MAX_LENGTH = 8, 2, 12, 4, 2, 13, 9
END = 2  # closes a sentence, and is what a target begins from
SOURCES = [[5, 9, END], [7, 4, 12, 3, 8, 5, END], [10, 6, 6, 11, END]]  # the first is shorter than P
TARGETS = [[8, 4, 11, 7, END], [6, 12, END], [9, 3, 10, 10, 5, 8, END]]
FIRST_POSITION = 2

CASES = {
    "post_norm_tied_softplus": dict(luna=True, norm_first=False, tie_kv=True, omega="softplus", shared="all"),
    "post_norm_untied_elu": dict(luna=True, norm_first=False, tie_kv=False, omega="elu", shared="target"),
    "pre_norm_untied_softplus": dict(luna=True, norm_first=True, tie_kv=False, omega="softplus", shared="none"),
    "pre_norm_tied_elu": dict(luna=True, norm_first=True, tie_kv=True, omega="elu", shared="all"),
    "post_norm_transformer": dict(luna=False, norm_first=False, shared="all"),
    "pre_norm_transformer": dict(luna=False, norm_first=True, shared="none"),
}


def weight_shapes(o):
    """Names on disk and shapes."""
    luna = o["luna"]
    shapes = {"encoder.tokens.weight": (VOCABULARY, D)}
    if o["shared"] != "all":
        shapes["target_tokens.weight"] = (VOCABULARY, D)
    if o["shared"] == "none":
        shapes["projection"] = (VOCABULARY, D)
    if luna:
        shapes["encoder.state"] = (L, D)
    norms = []
    if o["norm_first"]:
        norms += ["encoder.final_norm", "final_norm"] + (["source_state_norm"] if luna else [])
    if not luna:
        reading = causal = ["query", "key", "value", "output"]
    elif o["tie_kv"]:
        reading = ["pack_query", "pack_key_value", "query", "key_value", "output"]
        causal = ["pack_query", "pack_context", "query", "key_value", "output"]
    else:
        reading = ["pack_query", "pack_key", "pack_value", "query", "key", "value", "output"]
        causal = ["pack_query", "pack_context", "query", "key", "value", "output"]
    linears = []
    for i in range(LAYERS):
        encoder, decoder = f"encoder.layers.{i}.", f"layers.{i}."
        linears += [f"{encoder}attention.{n}" for n in reading]
        linears += [f"{decoder}self_attention.{n}" for n in causal]
        linears += [f"{decoder}cross_attention.{n}" for n in reading]
        norms += [encoder + "attention_norm", decoder + "self_norm", decoder + "cross_norm"]
        for layer in (encoder, decoder):
            shapes |= {layer + "ffn_in.weight": (F, D), layer + "ffn_in.bias": (F,),
                       layer + "ffn_out.weight": (D, F), layer + "ffn_out.bias": (D,)}
            norms += [layer + "ffn_norm"] + ([layer + "state_norm"] if luna else [])
    for linear in linears:
        shapes |= {linear + ".weight": (D, D), linear + ".bias": (D,)}
    for norm in norms:
        shapes |= {norm + ".weight": (D,), norm + ".bias": (D,)}
    return shapes


def softmax(scores):
    e = torch.exp(scores - scores.max(-1, keepdim=True).values)
    return e / e.sum(-1, keepdim=True)


def causal_sums(x, y, z):
    """f(X, Y, Z)_t = x_t · Σ_{j≤t} y_jᵀ z_j / t (efficient_causal_attention_seq)."""
    total, rows = 0, []
    for t in range(len(x)):
        total = total + torch.outer(y[t], z[t])
        rows.append(x[t] @ total / (t + 1))
    return torch.stack(rows)


class Net:
    """One translator; every method works on one sentence or pair."""

    def __init__(self, options, weights):
        self.o, self.w = options, weights

    def linear(self, name, x):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(variance + 1e-5) * self.w[name + ".weight"] + self.w[name + ".bias"]

    @staticmethod
    def per_head(attend, *operands):
        d = D // H
        return torch.cat([attend(*(x[:, h * d:(h + 1) * d] for x in operands)) for h in range(H)], 1)

    def heads(self, q, k, v, causal=False):
        def attend(q, k, v):
            scores = q / math.sqrt(D // H) @ k.T
            if causal:
                scores = scores.masked_fill(torch.ones_like(scores).triu(1) > 0, -math.inf)
            return softmax(scores) @ v
        return self.per_head(attend, q, k, v)

    def key_and_value(self, at, prefix, x):
        """Of one linear where they are tied."""
        if self.o["luna"] and self.o["tie_kv"]:
            return (self.linear(at + prefix + "key_value", x),) * 2
        return self.linear(at + prefix + "key", x), self.linear(at + prefix + "value", x)

    def attention(self, at, x, context, p):
        """LunarMultiheadAttention: what x reads of the context, and what P makes of it."""
        if not self.o["luna"]:
            k, v = self.key_and_value(at, "", context)
            return self.linear(at + "output", self.heads(self.linear(at + "query", x), k, v)), None
        y_p = self.heads(self.linear(at + "pack_query", p), *self.key_and_value(at, "pack_", context))
        y_x = self.heads(self.linear(at + "query", x), *self.key_and_value(at, "", y_p))
        return self.linear(at + "output", y_x), y_p

    def omega(self, x):
        """Softplus is F.softplus with beta ln 2."""
        if self.o["omega"] == "softplus":
            return torch.log2(1 + 2 ** x)
        return torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1) + 1

    def causal_attention(self, at, x, p):
        """LunarCausalAttention, which leaves P as it is."""
        k, v = self.key_and_value(at, "", x)
        q = self.linear(at + "query", x)
        if not self.o["luna"]:
            return self.linear(at + "output", self.heads(q, k, v, causal=True))

        def attend(pq, pc, q, k, v):
            a = self.omega(pc @ (pq / math.sqrt(D // H)).T)
            u = softmax(causal_sums(q / math.sqrt(D // H), k, a))
            return causal_sums(u, a, v)
        pq, pc = self.linear(at + "pack_query", p), self.linear(at + "pack_context", x)
        return self.linear(at + "output", self.per_head(attend, pq, pc, q, k, v))

    def before(self, name, x):
        return self.norm(name, x) if self.o["norm_first"] and x is not None else x

    def after(self, name, x, y):
        """The residual and what was read."""
        return None if y is None else x + y if self.o["norm_first"] else self.norm(name, x + y)

    def ffn(self, at, x):
        inner = self.linear(at + "ffn_in", self.before(at + "ffn_norm", x)).clamp(min=0)
        return self.after(at + "ffn_norm", x, self.linear(at + "ffn_out", inner))

    def encoder_layer(self, at, x, p):
        read = self.before(at + "attention_norm", x)
        y_x, y_p = self.attention(at + "attention.", read, read, self.before(at + "state_norm", p))
        x, p = self.after(at + "attention_norm", x, y_x), self.after(at + "state_norm", p, y_p)
        return self.ffn(at, x), p

    def decoder_layer(self, at, x, p, source):
        """With norm_first as well causal attention reads P as it is, and cross-attention LN(P)."""
        y = self.causal_attention(at + "self_attention.", self.before(at + "self_norm", x), p)
        x = self.after(at + "self_norm", x, y)
        y_x, y_p = self.attention(at + "cross_attention.", self.before(at + "cross_norm", x), source,
                                  self.before(at + "state_norm", p))
        x, p = self.after(at + "cross_norm", x, y_x), self.after(at + "state_norm", p, y_p)
        return self.ffn(at, x), p

    @staticmethod
    def sinusoids(first, count):
        """fairseq's order: all sines, then all cosines."""
        w = [10000 ** (-i / (D // 2 - 1)) for i in range(D // 2)]
        return torch.tensor([[math.sin(t * f) for f in w] + [math.cos(t * f) for f in w]
                             for t in range(first, first + count)])

    def embed(self, table, ids):
        return self.w[table][ids] * math.sqrt(D) + self.sinusoids(FIRST_POSITION, len(ids))

    def encode(self, ids):
        x, p = self.embed("encoder.tokens.weight", ids), None
        if self.o["luna"]:
            rows = min(L, len(ids))  # "dynamic projection" of a sentence alone
            p = self.w["encoder.state"][:rows] * math.sqrt(D) + self.sinusoids(0, rows)
        for i in range(LAYERS):
            x, p = self.encoder_layer(f"encoder.layers.{i}.", x, p)
        return self.before("encoder.final_norm", x), self.before("source_state_norm", p)

    def logits(self, source_ids, target_ids):
        source, p = self.encode(source_ids)
        target = "encoder.tokens.weight" if self.o["shared"] == "all" else "target_tokens.weight"
        x = self.embed(target, [END] + target_ids[:-1])
        for i in range(LAYERS):
            x, p = self.decoder_layer(f"layers.{i}.", x, p, source)
        # The decoder's own proj_layer_norm, which the released code applies to P here, is read by nothing.
        return self.before("final_norm", x) @ self.w["projection" if self.o["shared"] == "none" else target].T


def draw(name, shape, generator):
    x = torch.randn(shape, generator=generator)
    if name.endswith("norm.weight"):
        x = 1 + 0.3 * x
    elif name.endswith("bias"):
        x = 0.3 * x
    else:
        x = 0.7 * x
    if name.endswith("tokens.weight"):
        x[1] = 0  # the padding's
    return (x * 100).round() / 100  # short decimals that double holds alike everywhere


def numbers(x):
    return [round(v, 11) + 0.0 for v in x.detach().flatten().tolist()]  # no -0.0


def make(name, options, pool):
    weights = {n: pool[n].clone().requires_grad_() for n in weight_shapes(options)}
    net = Net(options, weights)
    logits = [net.logits(*pair) for pair in zip(SOURCES, TARGETS)]
    flat, labels = torch.cat(logits), sum(TARGETS, [])
    log_probability = flat - torch.logsumexp(flat, 1, keepdim=True)
    loss = -sum(row[label] for row, label in zip(log_probability, labels)) / len(labels)
    loss.backward()

    def gradient(n, w):
        """None where nothing reads the weight; of a linear's matrix the diagonal stands for all."""
        if w.grad is None:
            return None
        linear = w.dim() == 2 and "layers." in n
        return numbers(w.grad.diagonal() if linear else w.grad)

    return dict(name=name, options=options, loss=round(loss.item(), 11), logits=[numbers(x) for x in logits],
                gradients={n: gradient(n, w) for n, w in weights.items()})


def main():
    generator = torch.Generator().manual_seed(19)  # under it every weight matters, and fp32 suffices
    shapes = {}
    for options in CASES.values():
        shapes |= weight_shapes(options)
    pool = {n: draw(n, s, generator) for n, s in shapes.items()}  # one for all cases
    cases = [make(name, options, pool) for name, options in CASES.items()]
    sizes = dict(dim=D, heads=H, ffn_dim=F, projection_length=L, layers=LAYERS, vocabulary=VOCABULARY,
                 max_length=MAX_LENGTH)
    path = pathlib.Path(__file__).with_name("luna_translator.json")
    path.write_text(json.dumps(dict(sizes=sizes, sources=SOURCES, targets=TARGETS,
                                    weights={n: dict(shape=list(w.shape), values=numbers(w)) for n, w in pool.items()},
                                    cases=cases), separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
