#!/usr/bin/env python3
"""Makes rouge.json: precision and recall of rouge1, rouge2, rougeL and rougeLsum as Google's rouge_score gives them, without and
with its stemmer, for drawn and awkward pairs of texts; and stems of words as NLTK's stemmer gives them.

    python tests/golden/make_rouge.py    needs rouge-score
"""

import json
import pathlib
import random
import re

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

HERE = pathlib.Path(__file__).parent
TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
AWKWARD = [
    ("", ""), ("", "a"), ("a", ""), ("...", "a b"), ("the cat", "the cat"), ("The CAT!", "the cat"), ("a b\nc d", "c d\na b"),
    ("a a a b", "a b b"), ("a\n\nb\n", "\na\nb"), ("don't stop", "dont stop"), ("U.S.A. 3.14", "usa 3 14"), ("\u212Aelvin", "kelvin"),
    ("\u0130stanbul", "istanbul"), ("naïve café", "naive cafe"), ("Straße 12", "strasse 12"), ("dying skies news", "die sky new"),
    ("a\rb", "a b"), ("a\u2028b\u0085c", "a b c"), ("generalization of oscillators", "general oscillation"), ("x" * 50, "x" * 51),
    ("a b c d e", "e d c b a"), ("one\ntwo\nthree", "three two\none"), ("a_b-c/d", "a b c d"), ("\tspaced   out ", "spaced out"),
]  # fmt: skip
ENDINGS = """s es ies sses ss ed eed ied ing y ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism
    iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant
    ement ment ent ion sion tion ou ism ate iti ous ive ize e ll le at ating bling izing""".split()
STEMS = """a i o y b to by of cat run fly flow sky toy play happ hop hopp fall fil fail siz fizz hiss relat condit valenc digit
    conform radic differ vile analog vietnam predic oper feud decis hope call formal sens archaeo geo theo triplic form electr
    good reviv allow infer airlin gyroscop adjust defens irrit replac depend adopt homolog commun activ angular effect bowdler
    prob rat ceas contr roll controll tr agr plaster bl motor conflat troubl tann syzyg yyy 1a2 x9 ow ax ey""".split()


def stems():
    words = {stem + ending for stem in STEMS for ending in ["", *ENDINGS]}
    words |= {stem + first + second for stem in STEMS[::6] for first in ENDINGS[::4] for second in ENDINGS[::7]}
    words |= set(re.findall("[a-z]+", (HERE / "story.txt").read_text().lower()))
    words |= {"sky", "skies", "dying", "lying", "tying", "news", "innings", "outing", "cannings", "howe", "proceed", "succeed"}
    return sorted(words)


def pairs(draw):
    words = re.findall("[A-Za-z']+", (HERE / "story.txt").read_text())[:120] + ["running", "runs", "ran", "relational", "3", "…", "é"]
    for _ in range(280):
        base = draw.choices(words, k=draw.randint(1, 40))
        other = [w for w in base if draw.random() < 0.7] + draw.choices(words, k=draw.randint(0, 12))
        if draw.random() < 0.4:
            draw.shuffle(other)
        yield tuple("".join(w + draw.choice([" ", " ", " ", "\n", ", ", ".\n"]) for w in text) for text in (base, other))


def main():
    scorers = [rouge_scorer.RougeScorer(TYPES, use_stemmer=stemmer) for stemmer in (False, True)]
    cases = []
    for reference, prediction in [*AWKWARD, *pairs(random.Random(2))]:
        scores = [scorer.score(reference, prediction) for scorer in scorers]
        cases.append([reference, prediction,
                      *([round(x, 7) for name in TYPES for x in (s[name].precision, s[name].recall)] for s in scores)])  # fmt: skip
    stemmer, words = PorterStemmer(), stems()
    path = HERE / "rouge.json"
    golden = dict(cases=cases, stems={word: stemmer.stem(word) for word in words})
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes, {len(cases)} pairs, {len(words)} words")


if __name__ == "__main__":
    main()
