#!/usr/bin/env python3
"""Makes tokenizer_ids.json: ids and texts as the Python package of SentencePiece gives them, for tokenizers that may not
be copied here (the C++ tests read the same models from $ATTNLAB_MIRROR), and for small_tokenizer.model, which is
trained here: 320 pieces with byte fallback, and a few rules of normalisation.

    python tests/golden/make_tokenizer_ids.py MIRROR    needs sentencepiece
"""

import argparse
import json
import pathlib
import random
import tempfile

import sentencepiece

MODELS = ["tokenizers/llama2_tokenizer.model", "tokenizers/mistral_v1_tokenizer.model",
          "models/stories260K/tokenizer.model"]
TEXTS = [
    "", " ", "a", " a", "  two  spaces  ", "tab\tand\nnew\n\nlines\r\n", "Once upon a time, there was a little girl.",
    "It was the best of times, it was the worst of times…", "don't “quote” me — it's £5.00 (≈ $6.30)",
    "for (int i = 0; i < n; ++i) { x[i] += 2; }", "Straße, naïve, Ærøskøbing, ŁÓDŹ", "Привет, мир! 你好,世界。 こんにちは",
    "emoji 😀👩‍👩‍👧 and flags 🇩🇪", "ＦＵＬＬ ｗｉｄｔｈ ﬁ ligature ½", "zero\u200bwidth\u00a0no-break \u0301accent",
    "<s> is text here </s> <unk> <0x0A>", "1234567890 3.14159 1e-5 0xdeadbeef", "supercalifragilisticexpialidocious " * 3,
    "▁already▁there", "\u0000nul\u0001control", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 \U0010ffff",
]

SMALL = "small_tokenizer.model"
RULES = {"ﬁ": "fi", "½": "1/2", "Ａ": "A", "…": "...", "İ": "i"}
CORPUS = ["the quick brown fox jumps over the lazy dog", "she said that the little girl went to the park",
          "one day there was a big red ball in the sky", "it was the best of times it was the worst of times",
          "the cat and the dog and the bird sat on the mat", "they wanted to play with it but it was too high"]


def train_small(path):
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.tsv"
        rules.write_text("".join("{}\t{}\n".format(*(" ".join(f"{ord(c):X}" for c in side) for side in rule))
                                 for rule in RULES.items()))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_prefix=str(pathlib.Path(folder) / "small"), vocab_size=320,
            model_type="bpe", byte_fallback=True, character_coverage=1.0, normalization_rule_tsv=str(rules),
            remove_extra_whitespaces=False, num_threads=1, minloglevel=2)
        path.write_bytes((pathlib.Path(folder) / "small.model").read_bytes())
    print(f"{path}: {path.stat().st_size} bytes")


def cases(model):
    generator = random.Random(5)
    drawn = [[generator.randrange(model.get_piece_size()) for _ in range(12)] for _ in range(20)]
    # bytes that make a character, and some that do not
    drawn += [[model.piece_to_id(f"<0x{b:02X}>") for b in bytes] for bytes in
              ("€".encode(), b"\xe2\x82", b"\xff\xfe", b"ab\xc3\xa9\xc3", "😀".encode()[:3] + b"a")]
    return dict(size=model.get_piece_size(), bos=model.bos_id(), eos=model.eos_id(),
                ids=[model.encode(text) for text in TEXTS],
                decode=[dict(ids=ids, text=model.decode(ids)) for ids in drawn])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mirror", type=pathlib.Path)
    mirror = parser.parse_args().mirror
    small = pathlib.Path(__file__).with_name(SMALL)
    train_small(small)
    files = {name: mirror / name for name in MODELS} | {SMALL: small}
    models = {name: cases(sentencepiece.SentencePieceProcessor(model_file=str(file))) for name, file in files.items()}
    path = pathlib.Path(__file__).with_name("tokenizer_ids.json")
    path.write_text(json.dumps(dict(texts=TEXTS, models=models), separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
