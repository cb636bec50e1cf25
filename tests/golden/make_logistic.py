#!/usr/bin/env python3
"""Writes logistic_two.tsv and logistic_ten.tsv: texts, labels and the class probabilities of scikit-learn's
LogisticRegression on symbol counts, as in src/metrics/byte_counts.h.

Each line: feature, penalty, label, probabilities (comma-separated), text (symbols, comma-separated). The texts of a
file with one (feature, penalty) are the training set; the probabilities are the fitted model's on those same texts.
Made with scikit-learn 1.9.1. Run it in this folder.
"""
import numpy as np
from sklearn.linear_model import LogisticRegression

FEATURES = {
    "count": lambda counts, length: counts,
    "frequency": lambda counts, length: counts / length,
    "root_frequency": lambda counts, length: np.sqrt(counts / length),
    "log_count": lambda counts, length: np.log1p(counts),
}


def draw(rng, texts, symbols, classes):
    """Texts whose classes prefer different symbols; symbol 0 never occurs and symbol 1 occurs in one text only."""
    preference = rng.dirichlet(np.full(symbols - 2, 2.0), size=classes)
    labels = rng.integers(classes, size=texts)
    drawn = [2 + rng.choice(symbols - 2, size=rng.integers(5, 30), p=preference[label]) for label in labels]
    drawn[0] = np.append(drawn[0], 1)
    return drawn, labels


def write(path, texts, symbols, classes, cases, seed):
    drawn, labels = draw(np.random.default_rng(seed), texts, symbols, classes)
    counts = np.array([np.bincount(text, minlength=symbols) for text in drawn], dtype=float)
    length = counts.sum(axis=1, keepdims=True)
    with open(path, "w") as out:
        for feature, penalty in cases:
            x = FEATURES[feature](counts, length)
            x = x[:, x.std(axis=0) > 0]
            x = (x - x.mean(axis=0)) / x.std(axis=0)
            model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=100000).fit(x, labels)
            for label, probabilities, text in zip(labels, model.predict_proba(x), drawn):
                numbers = ",".join(f"{p:.9f}" for p in probabilities)
                print(feature, penalty, label, numbers, ",".join(map(str, text)), sep="\t", file=out)


def main():
    write("logistic_two.tsv", 60, 12, 2,
          [("count", 1), ("frequency", 10), ("root_frequency", 0.1), ("log_count", 1)], seed=1)
    write("logistic_ten.tsv", 120, 15, 10, [("count", 10), ("root_frequency", 1)], seed=2)


if __name__ == "__main__":
    main()
