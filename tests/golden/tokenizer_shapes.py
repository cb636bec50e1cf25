"""Small tokenizer.json files in the shapes of published families, trained here with the `tokenizers` package, and texts
that tokenizers disagree about. For make_tokenizer_json.py and tests/python/test_tokenizer_json.py."""

import json
import pathlib
import random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent

R3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
      r"|\s+(?!\S)|\s+")
R4 = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
      r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}"
      r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

WORDS = ("It was the best of times, it was the worst of times. The little girl wasn't there; they'll go, we've gone, "
         "I'm sure you'd say so: DON'T! 1234 567 89 0.5 $6.30 x[i] += 2; // comment\n\t\treturn {};\r\n\r\n    "
         "Straße naïve Ærøskøbing ŁÓDŹ camelCaseWords HTMLParser Привет мир 你好世界 こんにちは한국어 שלום عالم हिन्दी ไทย "
         "😀👩‍👩‍👧 🇩🇪 e\u0301a\u0308 \u2126 ½ ² Ⅷ … — “quoted”  two   three    four ")


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def trained(pre_tokenizer, size, alphabet=(), normalizer=None, first=()):
    """The model of a BPE trained on WORDS and the story, as a dictionary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(alphabet), special_tokens=list(first),
                                  show_progress=False)
    tokenizer.train_from_iterator([WORDS] * 3 + [(HERE / "story.txt").read_text()], trainer)
    return json.loads(tokenizer.to_str())["model"]


def part(step):
    """A pre-tokeniser, normaliser or decoder as it stands in a file."""
    return json.loads(step.__getstate__())


def sequence(key, *steps):
    return {"type": "Sequence", key: list(steps)}


def token(content, number, special=True, **rules):
    held = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=special)
    return {"id": number, "content": content, **held, **rules}


def before(name, number):
    """TemplateProcessing that puts one token before a text."""
    text = {"Sequence": {"id": "A", "type_id": 0}}
    single = [{"SpecialToken": {"id": name, "type_id": 0}}, text]
    return {"type": "TemplateProcessing", "single": single, "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {name: {"id": name, "ids": [number], "tokens": [name]}}}


def whole(model, added, **parts):
    kept = dict(version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None, pre_tokenizer=None,
                post_processor=None, decoder=None)
    return {**kept, **parts, "model": model}


BYTES = dict(decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True})
OFFSETS = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
ALPHABET = pre_tokenizers.ByteLevel.alphabet()


def merges_as_text(model):
    return {**model, "merges": [" ".join(pair) for pair in model["merges"]]}


def unreached(model):
    """The model with whole words that its merges do not lead to, as Llama-3's vocabulary has them."""
    return {**model, "ignore_merges": True, "merges": [m for i, m in enumerate(model["merges"]) if i % 7 != 3]}


def gpt2():
    model = trained(byte_level(True), 440, ALPHABET, first=["<|endoftext|>"])
    added = [token("<|endoftext|>", 0, normalized=True)]
    return whole(merges_as_text(model), added, pre_tokenizer=part(byte_level(True)), post_processor=OFFSETS, **BYTES)


def smollm():
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"]
    cut = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)])
    model = trained(cut, 440, ALPHABET, first=names)
    return whole(model, [token(n, i) for i, n in enumerate(names)], pre_tokenizer=part(cut), **BYTES)


def llama3():
    cut = pre_tokenizers.Sequence([split(R3), byte_level(False)])
    model = unreached(trained(cut, 440, ALPHABET))
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|eot_id|>"]
    added = [token(n, len(model["vocab"]) + i) for i, n in enumerate(names)]
    both = sequence("processors", OFFSETS, before(names[0], added[0]["id"]))
    return whole(model, added, pre_tokenizer=part(cut), post_processor=both, **BYTES)


def qwen2():
    cut = pre_tokenizers.Sequence([split(R3.replace("{1,3}", "")), byte_level(False)])
    model = trained(cut, 440, ALPHABET, normalizers.NFC())
    names = {"<|endoftext|>": True, "<|im_start|>": True, "<|im_end|>": True, "<tool_call>": False, "<think>": False}
    added = [token(n, len(model["vocab"]) + i, special) for i, (n, special) in enumerate(names.items())]
    added.append(token("\u212bngström", added[-1]["id"] + 1, False, normalized=True))
    return whole(merges_as_text(model), added, normalizer={"type": "NFC"}, pre_tokenizer=part(cut),
                 post_processor=OFFSETS, **BYTES)


def tekken():
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    cut = pre_tokenizers.Sequence([split(R4), byte_level(False)])
    model = unreached(trained(cut, 440, ALPHABET, first=names))
    return whole(model, [token(n, i) for i, n in enumerate(names)], pre_tokenizer=part(cut),
                 post_processor=before("<s>", 1), **BYTES)


PIECES = dict(decoder=sequence(
    "decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}))
FIRST = ["<unk>", "<s>", "</s>"]
FALLBACK = [f"<0x{byte:02X}>" for byte in range(256)]


def of_characters(**change):
    """A model of characters and words, as SentencePiece makes them, with a token for every byte."""
    # Runs of spaces are pieces, and the first character of a word's is "▁"; rarer characters have no piece.
    cut = pre_tokenizers.Split(Regex(r"▁+[^▁]*|[^▁]+"), "isolated")
    model = trained(cut, 560, normalizer=normalizers.Replace(" ", "▁"), first=FIRST + FALLBACK)
    rare = {c for c in model["vocab"] if len(c) == 1 and ord(c) > 0x2fff}
    vocab = {p: i for i, p in enumerate(p for p in model["vocab"] if not rare & set(p))}
    merges = [m for m in model["merges"] if not rare & set("".join(m))]
    return {**model, "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "vocab": vocab, "merges": merges,
            **change}


def llama2():
    model = merges_as_text(of_characters())
    size = len(model["vocab"])
    added = [token(n, i) for i, n in enumerate(FIRST)]
    added += [token("<mask>", size, lstrip=True), token("<pad>", size + 1, rstrip=True),
              token("<word>", size + 2, False, single_word=True), token("<more>", size + 3, False, normalized=True)]
    steps = sequence("normalizers", {"type": "Prepend", "prepend": "▁"},
                     {"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
    return whole(model, added, normalizer=steps, post_processor=before("<s>", 1), **PIECES)


def metaspace(scheme, split, **change):
    cut = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
    model = of_characters(**change)
    added = [*(token(n, i) for i, n in enumerate(FIRST)), token("<more>", len(model["vocab"]), False, normalized=True)]
    return whole(model, added, pre_tokenizer=cut, post_processor=before("<s>", 1), **PIECES)


def mistral():
    return metaspace("first", False)


def unknown():
    """Without byte fallback, and every space begins a piece."""
    return metaspace("always", True, byte_fallback=False)


SHAPES = {shape.__name__: shape for shape in (gpt2, smollm, llama3, qwen2, tekken, llama2, mistral, unknown)}

SPACES = "\t\n\v\f\r\x1c\x1f \x85\u00a0\u1680\u180e\u2000\u2003\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<s>", "</s>", "[INST]",
           "<mask>", "<pad>", "<word>", "<more>", "<tool_call>", "\u212bngström", "\u00c5ngström", "<unk>", "<0x0A>"]
PARTS = [
    *SPACES, "  ", "   ", "\r\n", "\r\n\r\n", "\n\n", " \n ", "a", "b", "The", "the", "times", "HELLO", "camelCase", "ABCdef",
    "ǅ", "ʰ", "ª", "ß", "ſ", "İ", "é", "e\u0301", "\u0301", "\u0345\u0301\u0323", "a\u0323\u0307", "\u0958", "\u1e9b\u0323",
    "Å", "\u212b", "\u2126", "ﬁ", "\u1112\u1161\u11ab", "\uac00\u11a8", "한국", "你好", "世界。", "こん", "カ\u3099", "שלום", "عالم",
    "हिन्दी", "ไทย", "1", "12", "123", "1234", "²", "½", "Ⅷ", "٣", "१२", "𝟘", "\U00016ff4", "'s", "'S", "'ſ", "'t", "'re", "'RE",
    "'Ve", "'ll", "'lL", "'d", "'M", "'", "''", "n't", ".", "...", "!?", "/", "//", "\\", "-", "_", "$", "€", "+=", "(", ")]",
    "…", "—", "“", "▁", "▁▁", "😀", "👩‍👩‍👧", "🇩🇪", "👍🏽", "\u200d", "\ufe0f", "\u0000", "\x7f", "\ue000", "\ufffd", "\U0010ffff",
    "Ġ", "Ċ", "<|", "|>", "<", ">",
]


def awkward(rng, most=8):
    """A short text of parts that tokenizers disagree about."""
    parts = [rng.choice(SPECIAL if rng.random() < 0.08 else PARTS) for _ in range(rng.randrange(most + 1))]
    return "".join(parts)


def anything(rng, most=12):
    """Characters from all of Unicode, near one another half of the time."""
    def character(block):
        while 0xD800 <= (code := block + rng.randrange(256)) <= 0xDFFF or code > 0x10FFFF:
            pass
        return chr(code)
    block = rng.randrange(0x110000) & ~255 if rng.random() < 0.3 else rng.randrange(0x3100) & ~255
    block = 0xE000 if 0xD800 <= block <= 0xDFFF else block
    return "".join(character(block if rng.random() < 0.7 else rng.choice((0, 0x300, 0x2000)))
                   for _ in range(rng.randrange(most + 1)))


def random_texts(seed, count):
    rng = random.Random(seed)
    return [awkward(rng) if rng.random() < 0.6 else anything(rng) for _ in range(count)]
