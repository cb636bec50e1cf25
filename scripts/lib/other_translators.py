"""Speed of other people's translators on random tokens, for scripts/compare_translators: prints tokens a second."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time


def train(s, threads, sentences, length, dropout, repetitions) -> float:
    """torch.nn.Transformer with tied embeddings, label smoothing and fused Adam; source and target tokens a second."""
    import torch

    torch.set_num_threads(threads)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = torch.nn.Embedding(s["vocabulary"], s["dim"])
            self.body = torch.nn.Transformer(
                s["dim"], s["heads"], s["layers"], s["layers"], s["ffn"], dropout, batch_first=True
            )
            self.register_buffer("positions", torch.randn(1, length, s["dim"]))
            self.drop = torch.nn.Dropout(dropout)

        def embed(self, ids):
            return self.drop(self.tokens(ids) * s["dim"] ** 0.5 + self.positions)

        def forward(self, source, target):
            mask = torch.nn.Transformer.generate_square_subsequent_mask(length)
            x = self.body(self.embed(source), self.embed(target), tgt_mask=mask, tgt_is_causal=True)
            return x @ self.tokens.weight.T

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=True)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    source, target = (torch.randint(4, s["vocabulary"], (sentences, length)) for _ in range(2))
    seconds = []
    for _ in range(repetitions + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss(model(source, target).flatten(0, 1), target.flatten()).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return sentences * 2 * length / statistics.median(seconds[1:])


def filled(spec, s):
    """A CTranslate2 specification with random weights."""
    import numpy as np

    random = np.random.default_rng(1)
    d, f, v = s["dim"], s["ffn"], s["vocabulary"]

    def matrix(rows, columns):
        return (random.standard_normal((rows, columns)) * columns**-0.5).astype(np.float32)

    def linear(layer, rows, columns):
        layer.weight, layer.bias = matrix(rows, columns), np.zeros(rows, np.float32)

    def norm(layer):
        layer.gamma, layer.beta = np.ones(d, np.float32), np.zeros(d, np.float32)

    def feed_forward(layer):
        linear(layer.linear_0, f, d)
        linear(layer.linear_1, d, f)
        norm(layer.layer_norm)

    def own(layer):
        linear(layer.linear[0], 3 * d, d)
        linear(layer.linear[1], d, d)
        norm(layer.layer_norm)

    tokens = matrix(v, d)
    for side in (spec.encoder, spec.decoder):
        embeddings = side.embeddings[0] if isinstance(side.embeddings, list) else side.embeddings
        embeddings.weight = tokens
        side.scale_embeddings = np.float32(d**0.5)
    for layer in spec.encoder.layer:
        own(layer.self_attention)
        feed_forward(layer.ffn)
    for layer in spec.decoder.layer:
        own(layer.self_attention)
        linear(layer.attention.linear[0], d, d)
        linear(layer.attention.linear[1], 2 * d, d)
        linear(layer.attention.linear[2], d, d)
        norm(layer.attention.layer_norm)
        feed_forward(layer.ffn)
    spec.decoder.projection.weight, spec.decoder.projection.bias = tokens, np.zeros(v, np.float32)
    return spec


def decode(s, threads, sentences, length, beam, repetitions) -> float:
    """CTranslate2, beam search to exactly `length` tokens; target tokens a second."""
    import random

    import ctranslate2

    words = ["<unk>", "<s>", "</s>"] + [f"w{i}" for i in range(3, s["vocabulary"])]
    spec = filled(ctranslate2.specs.TransformerSpec.from_config((s["layers"], s["layers"]), s["heads"], pre_norm=False), s)
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.config.add_source_eos = True
    with tempfile.TemporaryDirectory() as folder:
        spec.validate()
        spec.save(folder)
        model = ctranslate2.Translator(folder, compute_type="float32", intra_threads=threads, inter_threads=1)
        drawn = random.Random(1)
        source = [[words[drawn.randrange(3, len(words))] for _ in range(length - 1)] for _ in range(sentences)]
        seconds = []
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            model.translate_batch(source, beam_size=beam, max_decoding_length=length, min_decoding_length=length)
            seconds.append(time.perf_counter() - start)
    return sentences * length / statistics.median(seconds[1:])


def main() -> None:
    phase, sizes, *numbers = sys.argv[1:]
    s = json.loads(sizes)
    threads, sentences, length, beam = (int(n) for n in numbers[:4])
    dropout, repetitions = float(numbers[4]), int(numbers[5])
    if phase == "train":
        print(train(s, threads, sentences, length, dropout, repetitions))
    else:
        print(decode(s, threads, sentences, length, beam, repetitions))


if __name__ == "__main__":
    main()
