"""Seeds for the fuzzers: small sound files, and a few that are nearly so, into tests/fuzz/corpus.

    .venv/bin/python tests/fuzz/make_seeds.py

What the fuzzers find beyond them comes there by scripts/fuzz --minimise.
"""

import hashlib
import json
import pathlib
import struct

import numpy as np
from safetensors.numpy import save

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"


def write(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content.encode() if isinstance(content, str) else content)


def with_header(header, data=b""):
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors():
    write("safetensors", "golden", (GOLDEN / "python.safetensors").read_bytes())
    types = {t: np.arange(3).astype(t) for t in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "?")}
    write("safetensors", "types", save(types, {"format": "pt"}))
    write("safetensors", "empty", save({"none": np.zeros((0, 4), np.float32), "scalar": np.ones((), np.float32)}))
    write("safetensors", "no-tensors", with_header({}))
    entry = {"dtype": "BF16", "shape": [2, 1], "data_offsets": [0, 4]}
    write("safetensors", "bf16", with_header({"w": entry}, bytes(4)))
    write("safetensors", "unaligned", with_header('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   ', bytes(4)))
    for name, change in (
        ("overlap", {"v": {**entry, "data_offsets": [2, 6]}}),
        ("unread-type", {"w": {**entry, "dtype": "F8_E4M3"}}),
        ("huge", {"w": {**entry, "shape": [2**62, 2**62]}}),
        ("empty-and-huge", {"w": {**entry, "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}),
        ("negative", {"w": {**entry, "shape": [-2]}}),
        ("nested", {"w": {**entry, "shape": [[[2]]]}}),
        ("metadata", {"__metadata__": {"a": 1}}),
    ):
        write("safetensors", name, with_header({"w": entry, **change}, bytes(4)))
    write("safetensors", "twice", with_header('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{}}'))
    write("safetensors", "lying-length", struct.pack("<Q", 2**40) + b"{}")


def token_lines():
    lines = {
        "plain": "[1, 5, 9]\n[3]\n",
        "named": '{"id": "b\\u00e9", "ids": [0, 2147483647], "more": {"x": [null, 1e5, true]}}\r\n\n',
        "cut": "[1, 2]\n[3, 4",
        "no-list": '{"ids": 3}\n',
        "no-ids": '{"tokens": [1]}\n',
        "odd-ids": '[1, 1.5, -2, 99999999999999999999, [2], "x"]\n',
        "large": "[2147483648]",
        "odd-name": '{"id": 3, "ids": [1]}',
        "outside": "[1, 1000]",
        "nothing": "\n \n[]\n",
    }
    for name, text in lines.items():
        write("token_lines", name, text)


def field(number, content):
    """A field of a protocol buffer: bytes, text, a message (list of fields), a whole number or a float."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, float):
        return varint(number << 3 | 5) + struct.pack("<f", content)
    if isinstance(content, list):
        content = b"".join(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(n):
    out = b""
    while n > 0x7F:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def model(pieces, trainer=(), normalizer=(), more=()):
    """sentencepiece_model.proto: pieces are (text, score, type)."""
    listed = b""
    for text, score, kind in pieces:
        listed += field(1, [field(1, text), *([field(2, score)] if score else []), field(3, kind)])
    return listed + field(2, list(trainer)) + field(3, list(normalizer)) + b"".join(more)


def tokenizer():
    start = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    words = [(p, -float(i), NORMAL) for i, p in enumerate(("▁", "▁a", "▁the", "on", "ce", "O", "n", "c", "e", ".", "é"))]
    in_bytes = [(f"<0x{b:02X}>", 0.0, BYTE) for b in range(256)]
    unigram, bpe, word, char = ([field(3, kind)] for kind in (1, 2, 3, 4))
    prefix = [field(1, "identity"), field(3, 1), field(4, 1), field(5, 1)]
    write("tokenizer", "unigram", model(start + words, unigram, prefix))
    write("tokenizer", "bpe", model(start + words, bpe, prefix))
    write("tokenizer", "word", model(start + words, word, prefix))
    write("tokenizer", "char", model(start + words, char, prefix))
    write("tokenizer", "no-bos", model(start[:1] + words, unigram, []))
    defined = [("girl", 0.0, USER_DEFINED), ("gone", 0.0, UNUSED)]
    write("tokenizer", "defined", model(start + defined + words, bpe, prefix))
    write("tokenizer", "suffix", model(start + words, [*unigram, field(24, 1)], prefix))
    write("tokenizer", "bytes", model(start + in_bytes + words[:4], [*bpe, field(35, 1)], prefix))
    units, texts = struct.pack("<256I", *([0] * 256)), b"x\0"
    charsmap = field(2, struct.pack("<I", len(units)) + units + texts)
    write("tokenizer", "charsmap", model(start + words, unigram, [*prefix, charsmap]))
    write("tokenizer", "denormalizer", model(start + words, unigram, prefix, [field(5, [charsmap])]))
    sample = field(1, [field(1, "a ce"), field(2, "▁a ▁ ce")])
    write("tokenizer", "self-test", model(start + words, unigram, prefix, [field(4, [sample])]))
    write("tokenizer", "twice-a-piece", model(start + words + words[:1], unigram, prefix))
    write("tokenizer", "cut", model(start + words, unigram, prefix)[:-5])


def of_bytes(**change):
    """A byte-level tokenizer.json of a few pieces."""
    pieces = ["Ġ", "a", "t", "h", "e", "Ċ", ".", "o", "n", "Ã", "©", "Ġt", "he", "Ġthe", "on"]
    model = {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)}, "merges": ["Ġ t", "h e", "Ġt he", ["o", "n"]]}
    return {
        "added_tokens": [{"id": len(pieces), "content": "<|x|>", "special": True, "normalized": False}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "decoder": {"type": "ByteLevel"},
        "model": model,
        **change,
    }


def of_characters(**change):
    steps = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]
    pieces = ["<unk>", "<s>", "▁", "t", "h", "e", "a", "n", "o", "é", "<0x0A>", "▁t", "he", "▁the"]
    model = {"vocab": {p: i for i, p in enumerate(pieces)}, "merges": ["▁ t", "h e", "▁t he"], "unk_token": "<unk>",
             "fuse_unk": True}
    prepend = [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]
    return {
        "added_tokens": [{"id": 1, "content": "<s>", "special": True, "lstrip": True, "rstrip": True}],
        "normalizer": {"type": "Sequence", "normalizers": prepend},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
            "special_tokens": {"<s>": {"ids": [1]}},
        },
        "decoder": {"type": "Sequence", "decoders": steps},
        "model": {**model, **change},
    }


def tokenizer_json():
    r3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
    split = {"type": "Split", "pattern": {"Regex": r3}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    digits = {"type": "Digits", "individual_digits": True}
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    added = [{"id": 14, "content": "the", "special": False, "single_word": True}]
    for name, content in (
        ("bytes", of_bytes()),
        ("nfc", of_bytes(normalizer={"type": "NFC"})),
        ("split", of_bytes(pre_tokenizer={"type": "Sequence", "pretokenizers": [digits, split, level]})),
        ("processor", of_bytes(post_processor={"type": "ByteLevel"})),
        ("characters", of_characters()),
        ("fallback", of_characters(byte_fallback=True)),
        ("ignore", of_characters(ignore_merges=True, unk_token=None)),
        ("metaspace", {**of_characters(), "normalizer": None, "pre_tokenizer": space}),
        ("words", {**of_characters(), "added_tokens": added}),
        ("unigram", of_characters(type="Unigram")),
        ("no-merge", of_characters(merges=["▁ x"])),
        ("twice-an-id", of_characters(vocab={"a": 0, "b": 0}, merges=[])),
        ("large-id", of_characters(vocab={"a": 16777215}, merges=[])),
        ("empty", of_characters(vocab={"": 0, "a": 1}, merges=[["", "a"]])),
        ("no-model", {"added_tokens": []}),
        ("list", []),
    ):
        write("tokenizer_json", name, json.dumps(content, ensure_ascii=False))
    write("tokenizer_json", "cut", json.dumps(of_bytes())[:-9])


def hf_config():
    for family in ("llama", "mistral", "tied", "yi"):
        write("hf_config", family, (GOLDEN / "decoders" / family / "config.json").read_bytes())
    least = {
        "model_type": "llama",
        "vocab_size": 40,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    write("hf_config", "least", json.dumps(least))
    for name, change in (
        ("rope", {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}),
        ("scaled", {"rope_scaling": {"type": "linear", "factor": 2.0}}),
        ("yarn", {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 1}}),
        ("llama3", {"rope_parameters": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
                                        "original_max_position_embeddings": 16}}),
        ("qwen2", {"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 1}),
        ("qwen3", {"model_type": "qwen3", "attention_bias": True}),
        ("partly", {"rope_parameters": {"partial_rotary_factor": 0.5}}),
        ("ids", {"bos_token_id": [1], "eos_token_id": [2, 3], "dtype": "bfloat16"}),
        ("odd-ids", {"eos_token_id": [[2]]}),
        ("biases", {"attention_bias": True}),
        ("quantised", {"quantization_config": {}}),
        ("heads", {"num_key_value_heads": 3}),
        ("head-size", {"head_dim": 3}),
        ("window", {"model_type": "mistral", "sliding_window": None}),
        ("gelu", {"hidden_act": "gelu", "rms_norm_eps": "x"}),
        ("unknown", {"model_type": "mamba"}),
        ("theta", {"rope_theta": 0.5}),
        ("large", {"vocab_size": 2**40 + 1}),
    ):
        write("hf_config", name, json.dumps({**least, **change}))
    write("hf_config", "list", "[]")


def hf_index():
    for name, content in (
        ("sound", {"metadata": {"total_size": 20}, "weight_map": {"w": "a.safetensors", "x.y": "a.safetensors"}}),
        ("absent", {"weight_map": {"z": "a.safetensors"}}),
        ("no-file", {"weight_map": {"w": "b.safetensors"}}),
        ("elsewhere", {"weight_map": {"w": "../a.safetensors"}}),
        ("folder", {"weight_map": {"w": ".."}}),
        ("long-name", {"weight_map": {"w": "a" * 300}}),
        ("number", {"weight_map": {"w": 3}}),
        ("list", {"weight_map": ["w"]}),
        ("none", {"weight_map": {}}),
        ("no-map", {"metadata": {}}),
        ("text", "w"),
    ):
        write("hf_index", name, json.dumps(content))


def squality():
    asked = {"question_text": "Who?", "question_number": 1, "responses": [{"response_text": "N\u00e9mo."}]}
    story = {"metadata": {"passage_id": "7"}, "document": "Once\r\nupon a time.", "questions": [asked]}
    sound = json.dumps(story)
    second = {"metadata": {"passage_id": "8"}, "questions": [asked, {**asked, "question_number": -2}]}
    for name, content in (
        ("sound", sound),
        ("two", f"{sound}\r\n\n{json.dumps({**story, **second})}\n"),
        ("twice", f"{sound}\n{sound}"),
        ("cut", sound[:-9]),
        ("no-text", json.dumps({**story, "document": " \n"})),
        ("nothing-asked", json.dumps({**story, "questions": []})),
        ("hidden", json.dumps({**story, "questions": [{**asked, "responses": None}]})),
        ("number", json.dumps({**story, "questions": [{**asked, "question_number": 1.5}]})),
        ("no-story", json.dumps({"metadata": {}})),
        ("list", "[]\n"),
        ("blank", "\n \n"),
    ):
        write("squality", name, content)


def qasper():
    def paper(*answers, **change):
        asked = {"question": "Which?", "question_id": "q", "answers": [{"answer": answer} for answer in answers]}
        section = {"section_name": "Data", "paragraphs": ["One.", "", "Two.\r\n"]}
        return json.dumps({"1704.2": {"title": "", "full_text": [section], "qas": [asked], **change}})

    none = {"unanswerable": False, "extractive_spans": [], "yes_no": None, "free_form_answer": ""}
    spans, text = {**none, "extractive_spans": ["a", "b"]}, {**none, "free_form_answer": "c"}
    line = {"_id": "f0", "input": "Which?", "context": "Data\nOne.", "answers": ["a"], "all_classes": None}
    for name, content in (
        ("types", paper(spans, text, {"yes_no": True}, {"yes_no": False}, {"unanswerable": True})),
        ("no-answer", paper(none)),
        ("no-answers", paper()),
        ("odd-flag", paper({"yes_no": "yes"})),
        ("no-text", paper(text, full_text=[{"section_name": None, "paragraphs": [""]}])),
        ("columns", paper(text, full_text={"section_name": ["Data"], "paragraphs": [["One."]]})),
        ("nothing-asked", paper(text, qas=[])),
        ("cut", paper(text)[:-9]),
        ("lines", f"{json.dumps(line)}\n\n{json.dumps({**line, '_id': 'f1'})}\n"),
        ("same-lines", f"{json.dumps(line)}\n{json.dumps(line)}\n"),
        ("no-context", json.dumps({"_id": "f0", "input": "Which?"})),
        ("none", "{}"),
    ):
        write("qasper", name, content)


def fairseq_file():
    def write_both(name, index, ids):
        write("fairseq_file", name, struct.pack("<H", len(index)) + index + ids)

    def index(lengths, offsets, code=8, version=1, count=None):
        head = b"MMIDIDX\0\0" + struct.pack("<QBQ", version, code, len(lengths) if count is None else count)
        return head + struct.pack(f"<{len(lengths)}i", *lengths) + struct.pack(f"<{len(offsets)}q", *offsets)

    two = np.array([7, 8, 2, 2], "<u2").tobytes()
    write_both("two", index([3, 1], [0, 6]), two)
    write_both("cut", index([3, 1], [0, 6])[:-3], two)
    write_both("no-sentence", index([], []), b"")
    for code in (1, 2, 3, 4, 5, 6, 9, 10, 200):
        width = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 9: 4, 10: 8}.get(code, 2)
        write_both(f"type-{code}", index([2], [0], code), b"".join(struct.pack("<q", i)[:width] for i in (900, 2)))
    write_both("negative-id", index([2], [0], 4), struct.pack("<ii", -1, 2))
    write_both("large-id", index([2], [0], 10), struct.pack("<QQ", 2**63, 2))
    write_both("unended", index([3, 1], [0, 6]), two[:-2] + b"\5\0")
    write_both("negative-length", index([-3, 1], [0, 6]), two)
    write_both("empty-sentence", index([0, 4], [0, 0]), two)
    write_both("overlap", index([3, 1], [0, 4]), two)
    write_both("longer-bin", index([3], [0]), two)
    write_both("huge-length", index([2**31 - 1], [0]), two)
    write_both("huge-count", index([3, 1], [0, 6], count=2**61), two)
    write_both("version-2", index([3, 1], [0, 6], version=2), two)
    write_both("older", b"TNTIDX\0\0" + bytes(40), two)


def pair_file():
    def pairs(ids=(7, 8, 2, 9, 2), ends=(5,), sources=(3,), width="H", note=b"kept 1\n", version=1, **trailer):
        payload = struct.pack(f"<{len(ids)}{width}", *ids) + note
        payload += struct.pack(f"<{len(ends)}Q", *ends) + struct.pack(f"<{len(sources)}i", *sources)
        size = struct.calcsize(width)
        known = {"pairs": len(ends), "width": size, "ids": len(ids) * size, "note": len(note), "vocabulary": 10}
        summed = b"attnpair" + struct.pack("<Q", version) + payload + struct.pack("<5Q", *{**known, **trailer}.values())
        return summed + b"f" * 64 + hashlib.sha256(summed).hexdigest().encode()

    sound = pairs()
    for name, content in (
        ("sound", sound),
        ("wide", pairs(width="i")),
        ("none", pairs((), (), ())),
        ("two", pairs((7, 2, 2, 2, 8, 2), (3, 6), (2, 1))),
        ("no-target", pairs(sources=(5,))),
        ("no-source", pairs(sources=(0,))),
        ("falling-ends", pairs((7, 2, 2, 2, 8, 2), (6, 3), (2, 1))),
        ("end-outside", pairs(ends=(6,))),
        ("huge-end", pairs(ends=(2**63,))),
        ("huge-count", pairs(pairs=2**60)),
        ("odd-width", pairs(width="b")),
        ("version", pairs(version=2)),
        ("cut", sound[:-9]),
        ("other-magic", b"attnseq\n" + sound[8:]),
    ):
        write("pair_file", name, content)


def subword_nmt():
    codes, words = "#version: 0.2\nl o\nlo w</w>\ne r</w>\n", "low 5\nl@@ 3\no@@ 2\nw 2\ner 1\n"
    for name, parts in (
        ("sound", (codes, words, "low lower x \u00a0 l\u00f6w")),
        ("version-1", ("l o\nlo w\nlow </w>\n", words, "low lo")),
        ("version-3", ("#version: 0.3\nl o\n", words, "low")),
        ("no-vocabulary", (codes, "", "low lower")),
        ("no-codes", ("", words, "low")),
        ("no-pair", (codes + "three of them\n", words, "low")),
        ("no-count", (codes, "low\n", "low")),
        ("large-count", (codes, "low 99999999999999999999\n", "low")),
        ("twice", (codes + codes[14:], words + words, "low")),
        ("odd-marks", ("#version: 0.2\n< /w>\na </w>\nb a</w>\n", words, "ba a</w>")),
        ("special", (codes, "<s> 3\n</s> 2\n", "<s> </s>")),
        ("overwrite", (codes, "low 3\nlow 2 #fairseq:overwrite\n", "low")),
        ("long", (codes, words, "lo" * 500)),
    ):
        write("subword_nmt", name, "\0".join(parts))
    write("subword_nmt", "no-utf8", codes.encode() + b"\xff \xfe\n\0low 1\n\0\xc3\x28")


if __name__ == "__main__":
    translation = (fairseq_file, pair_file, subword_nmt)
    for make in (safetensors, token_lines, tokenizer, tokenizer_json, hf_config, hf_index, squality, qasper, *translation):
        make()
