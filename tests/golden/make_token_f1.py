#!/usr/bin/env python3
"""Makes token_f1.json: token F1 of drawn and awkward pairs of answers, and the means over questions of several references,
by the rules of QASPER's official evaluator (allenai/qasper-led-baseline, scripts/evaluator.py: normalize_answer,
token_f1_score and evaluate, of which the first two follow SQuAD's), written out here in Python's own terms. The official script itself was not run: it is not at hand offline, and is in no package.

    python tests/golden/make_token_f1.py
"""

import collections
import json
import pathlib
import random
import re
import string

HERE = pathlib.Path(__file__).parent
TYPES = ["extractive", "abstractive", "boolean", "none"]
AWKWARD = [
    "", "the", "The", "a", "an", "A.I.", "ai", "state-of-the-art", "stateoftheart", "the cat", "cat", "ΑΣ", "ας", "ΑΣ ΑΣΑ", "Σ",
    "İstanbul", "i\u0307stanbul", "a\u0301", "an–the", "–", "the\u001fcat", "the\u00a0cat", "the\u200bcat", "naïve Café", "ÉCOLE",
    "Straße", "STRASSE", "theory", "bath the", "_the_", "the_cat", "3.14", "314", "$5,000", "5000", "yes", "No", "unanswerable", "\t a\n",
    "ǅ", "ǆ", "Ⅷ", "ⅷ", "Ω\u2126", "\u212a", "k", "the the the", "an a the cat", "…the…", "“the cat”", "'the cat'", "①", "a①", "ªthe", "x\u0085y",
    "ΣΑΣ\u0301 Σ", "a\u00adΣ", "\u02b0Σ", "A\u02b0Σ", "日本 the 語", "theẞ", "ﬁt", "\u3000the\u3000", "the\u0300 cat", "an\u0327",
]  # fmt: skip


def normalize_answer(s):
    lowered = "".join(c for c in s.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", lowered).split())


def token_f1_score(prediction, ground_truth):
    prediction, truth = normalize_answer(prediction).split(), normalize_answer(ground_truth).split()
    same = sum((collections.Counter(prediction) & collections.Counter(truth)).values())
    if same == 0:
        return 0
    precision, recall = same / len(prediction), same / len(truth)
    return 2 * precision * recall / (precision + recall)


def evaluate(questions):
    """Means over [[answer, [[reference, type], …]], …], over all and by type of the reference that scored most."""
    best, by_type = [], {t: [] for t in TYPES}
    for answer, references in questions:
        scored = [(token_f1_score(answer, text), kind) for text, kind in references]
        most, kind = sorted(scored, key=lambda pair: pair[0], reverse=True)[0]
        best.append(most)
        by_type[kind].append(most)
    return sum(best) / len(best), {kind: sum(all_) / len(all_) if all_ else None for kind, all_ in by_type.items()}


def phrase(draw):
    """Of few words, so that two have some in common; with articles and stops that do not count."""
    words = draw.choices("cat dog BERT Bert's model models 12 12% F1 F-1 of in not GloVe".split(), k=draw.randint(1, 9))
    return "".join(draw.choice(["", "", "", "the ", "A "]) + w + draw.choice([" ", " ", ", ", ". "]) for w in words).strip()


def main():
    draw = random.Random(4)
    words = [w for w in AWKWARD if w.strip()] + "the a an of in cat dog Model, models. (BERT) F1-score 12% it's don't".split()
    interesting = [chr(c) for c in range(0x20, 0x3000) if not 0xD800 <= c <= 0xDFFF and (chr(c).lower() != chr(c) or c % 37 == 0)]
    texts = AWKWARD + ["".join(w + draw.choice([" ", " ", "  ", "\n", "-", "", "\u2028"]) for w in draw.choices(words, k=draw.randint(1, 8)))
                       for _ in range(700)]  # fmt: skip
    texts += ["".join(draw.choices(interesting, k=draw.randint(1, 12))) for _ in range(300)]
    pairs = [(a, b) for a in AWKWARD[:20] for b in AWKWARD[:20]]
    pairs += [(draw.choice(texts), draw.choice(texts)) for _ in range(900)]
    pairs += [(t, " ".join(draw.sample(t.split(), k=len(t.split())))) for t in texts[:600]]
    pairs += [(phrase(draw), phrase(draw)) for _ in range(3500)]
    questions = [[phrase(draw), [[phrase(draw), draw.choice(TYPES)] for _ in range(draw.randint(1, 4))]] for _ in range(300)]
    mean, by_type = evaluate(questions)
    golden = dict(questions=questions, mean=mean, by_type=by_type,
                  tokens=[[t, normalize_answer(t).split()] for t in texts],
                  f1=[[a, b, round(token_f1_score(a, b), 9)] for a, b in pairs])  # fmt: skip
    path = HERE / "token_f1.json"
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes, {len(texts)} texts, {len(pairs)} pairs")


if __name__ == "__main__":
    main()
