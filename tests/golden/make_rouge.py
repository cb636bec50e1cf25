#!/usr/bin/env python3
"""Makes rouge.json: precision and recall of rouge1, rouge2, rougeL and rougeLsum as Google's rouge_score gives them, without and
with its stemmer, for drawn and awkward pairs of texts; and stems of words as NLTK's stemmer gives them.

    python tests/golden/make_rouge.py    needs rouge-score==0.1.2 (src/metrics/signature.h names it), here with nltk 3.10.4
"""

import itertools
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
EMPTY = ["", " ", "\n", "\n\n", "…", "- -", "é", "a", "\na\n"]
ODD_WORDS = """
    co-operate cooperate re-entry 3.14 3 14 1,000 1000 0x1F 1e-5 U.S. us don't dont don’t İ İstanbul i̇stanbul
    istanbul \u212Aelvin kelvin Kelvin naïve naive ﬁne fine Straße STRASSE ＡＢＣ abc １２ 12 ² x² x2 Ⅷ ½ ΑΣ ας Москва 東京
    tokyo e\u0301 é e a\u00adb ab a\u200bb a_b a/b a.b C++ c F1-score f1 #1 @me 50% $5 (x) "x" x' 'x _x_ x. — – - … İİ
    Kk ſ s ı i \u01C4 dz \U0001F600 \U0001D41A a""".split()
ODD_SEPARATORS = [" ", " ", "  ", "-", "_", "", "\n", "\r", "\r\n", "\t", "\u00a0",
                  "\u2028", "\u0085", "\u200b", "\u3000", ".", ", ", "/", "\x1c", "\u0307"]  # fmt: skip
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


def glued(draw, words, between):
    return "".join(word + draw.choice(between) for word in words)


def changed(draw, words, more):
    """Most of the words, some new ones, sometimes in another order."""
    other = [w for w in words if draw.random() < 0.7] + draw.choices(more, k=draw.randint(0, 12))
    if draw.random() < 0.4:
        draw.shuffle(other)
    return other


def running_texts(draw, story):
    words = story[:120] + ["running", "runs", "ran", "relational", "3", "…", "é"]
    for _ in range(400):
        base = draw.choices(words, k=draw.randint(1, 40))
        yield tuple(glued(draw, text, [" ", " ", " ", "\n", ", ", ".\n"]) for text in (base, changed(draw, base, words)))


def inflected(draw):
    """The same stems with other endings: what matches is decided by the stemmer."""
    endings = ["", "", *ENDINGS, *(first + second for first in ENDINGS[::5] for second in ("s", "ed", "ing", "ly", "ness"))]
    for _ in range(600):
        base = draw.choices(STEMS, k=draw.randint(1, 9))
        yield tuple(" ".join(stem + draw.choice(endings) for stem in text) for text in (base, changed(draw, base, STEMS[:20])))


def of_odd_characters(draw):
    for _ in range(600):
        base = draw.choices(ODD_WORDS, k=draw.randint(1, 12))
        yield tuple(glued(draw, text, ODD_SEPARATORS) for text in (base, changed(draw, base, ODD_WORDS)))


def of_few_words(draw):
    """Words that repeat, so that clipping, order and ties decide."""
    for _ in range(600):
        words = ["a", "b", "the", "cats", "cat", "1"][: draw.randint(1, 6)]
        yield tuple(glued(draw, draw.choices(words, k=draw.randint(0, 24)), [" ", " ", " ", "\n"]) for _ in range(2))


def of_many_sentences(draw, story):
    """For ROUGE-Lsum, whose longest common subsequences are of a line with every other line."""
    for _ in range(80):
        sentences = [draw.choices(story[:60], k=draw.randint(1, 12)) for _ in range(draw.randint(5, 24))]
        others = [changed(draw, s, story[:60]) for s in sentences if draw.random() < 0.8]
        draw.shuffle(others)
        yield tuple("".join(" ".join(s) + draw.choice([".\n", "\n", "\n\n", " \n"]) for s in text) for text in (sentences, others))


def pairs(draw):
    story = re.findall("[A-Za-z']+", (HERE / "story.txt").read_text())
    yield from AWKWARD
    yield from itertools.product(EMPTY, EMPTY)
    yield from running_texts(draw, story)
    yield from inflected(draw)
    yield from of_odd_characters(draw)
    yield from of_few_words(draw)
    yield from of_many_sentences(draw, story)


def main():
    scorers = [rouge_scorer.RougeScorer(TYPES, use_stemmer=stemmer) for stemmer in (False, True)]
    cases = []
    for reference, prediction in pairs(random.Random(2)):
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
