#!/usr/bin/env python3
"""Makes bleu.json: what sacreBLEU says of drawn and awkward lines: its tokenizers, the statistics of each sentence, scores of
corpora and of sentences by BLEU, chrF2 and chrF2++.

    pip install sacrebleu==2.6.0 regex==2026.11.19
    python tests/golden/make_bleu.py

The lines are drawn here (lines_of_translations.py) and are nobody's text.
"""

import json
import pathlib
import random
import re
import sys

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import _compute_p_value

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import lines_of_translations  # noqa: E402

CORPORA = [  # references, sentences, how the prediction is made
    (1, 60, "noisy"), (3, 40, "noisy"), (2, 30, "drawn"), (1, 8, "short"), (2, 8, "short"), (1, 6, "unmatched"), (1, 4, "empty"),
    (1, 12, "awkward"), (2, 40, "awkward"),
]  # fmt: skip
BLEU_OPTIONS = [
    dict(tokenize="13a"), dict(tokenize="intl"), dict(tokenize="none"), dict(tokenize="13a", lowercase=True),
    dict(tokenize="intl", lowercase=True), dict(tokenize="13a", effective_order=True),
    dict(tokenize="13a", smooth_method="none"), dict(tokenize="13a", smooth_method="floor"),
    dict(tokenize="none", smooth_method="add-k"), dict(tokenize="none", smooth_method="floor", smooth_value=0.01),
    dict(tokenize="13a", smooth_method="add-k", smooth_value=0.5, effective_order=True),
]  # fmt: skip
CHRF_OPTIONS = [dict(word_order=0), dict(word_order=2), dict(word_order=2, lowercase=True), dict(word_order=0, lowercase=True)]


def scored(metric, options, predictions, references):
    """references: a list for each sentence."""
    by_place = list(zip(*references))
    statistics = metric._extract_corpus_statistics(predictions, by_place)
    corpus = metric.corpus_score(predictions, by_place)
    return dict(options=options, sentences=statistics, score=corpus.score, signature=str(metric.get_signature()),
                each=[metric._aggregate_and_compute([s]).score for s in statistics],
                **(dict(precisions=corpus.precisions, bp=corpus.bp) if isinstance(metric, BLEU) else {}))  # fmt: skip


def compound_split(line):
    """scripts/compound_split_bleu.sh of fairseq in Python's words, after its joining of subwords (data/data_utils.py)."""
    joined = (line + " ").replace("@@ ", "").rstrip()
    return re.sub(r"(\S)-(\S)", r"\1 ##AT##-##AT## \2", joined, flags=re.ASCII).split()


def p_value(draw):
    """A paired test as sacreBLEU makes it of the scores of its resamples (significance.py, _paired_bs_test)."""
    import numpy as np

    a, b = 27.0, 27.0 + 0.3 * draw.random()
    resampled_a = [a + draw.gauss(0, 1) for _ in range(60)]
    resampled_b = [x + b - a + draw.gauss(0, 0.4) for x in resampled_a]
    diffs = np.abs(np.array(resampled_a) - np.array(resampled_b))
    return dict(a=a, b=b, resampled_a=resampled_a, resampled_b=resampled_b,
                p=float(_compute_p_value(diffs - diffs.mean(), abs(a - b))))  # fmt: skip


def main():
    draw = random.Random(16)
    awkward = lines_of_translations.AWKWARD
    texts = awkward + [lines_of_translations.line(draw) for _ in range(150)]
    tokens = {name: [BLEU(tokenize=name)._preprocess_segment(t).split() for t in texts] for name in ("13a", "intl", "none")}
    tokens["compound-split"] = [compound_split(t) for t in texts]
    corpora = []
    for count, size, how in CORPORA:
        predictions, references = lines_of_translations.corpus(draw, size, count, how)
        corpora.append(dict(predictions=predictions, references=references,
                            bleu=[scored(BLEU(**o), o, predictions, references) for o in BLEU_OPTIONS],
                            chrf=[scored(CHRF(**o), o, predictions, references) for o in CHRF_OPTIONS]))  # fmt: skip
    golden = dict(texts=texts, tokens=tokens, corpora=corpora, paired=[p_value(draw) for _ in range(8)])
    path = HERE / "bleu.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes, {len(texts)} texts, {len(corpora)} corpora")


if __name__ == "__main__":
    main()
