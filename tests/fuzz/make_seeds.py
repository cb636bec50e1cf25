"""Seeds for the fuzzers: small sound files, and a few that are nearly so, into tests/fuzz/corpus.

    .venv/bin/python tests/fuzz/make_seeds.py

What the fuzzers find beyond them comes there by scripts/fuzz --minimise.
"""

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


if __name__ == "__main__":
    for make in (safetensors, token_lines, tokenizer, tokenizer_json, hf_config, hf_index, squality, qasper):
        make()
