"""scripts/convert_gguf: files that cannot be made a folder. One sentence each, exit status 2, and nothing is left."""

import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from gguf_files import DIM, HEAD_DIM, SCRIPT, TOKENS, TYPES, convert, write_gguf


def refused(capsys, tmp_path, *sentences, file="m.gguf"):
    status, message = convert(capsys, tmp_path / file, tmp_path / "m")
    assert status == 2 and message.count("\n") == 1, message
    assert str(tmp_path / file) in message
    for sentence in sentences:
        assert sentence in message
    assert not (tmp_path / "m").exists() and not (tmp_path / "m.part").exists()


# The file itself


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "is empty"),
        (b"GG", "is no GGUF file"),
        (b"PK\3\4 a wheel", "is no GGUF file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "`git lfs pull`"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "of version 1; versions 2 and 3 are read"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "has no key 'general.architecture'"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "cut short or damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**63), "cut short or damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2) + b"\xff\xfe", "a key is not UTF-8"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"a", 77), "of the unknown type 77"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 4, 2**61), "cut short or damaged"),
    ],
)
def test_no_gguf_file_or_a_damaged_one(capsys, tmp_path, content, sentence):
    (tmp_path / "m.gguf").write_bytes(content)
    refused(capsys, tmp_path, sentence)


def test_a_file_cut_short_anywhere(capsys, tmp_path):
    write_gguf(tmp_path / "whole.gguf", kind="Q8_0")
    whole = (tmp_path / "whole.gguf").read_bytes()
    for end in (*range(5, 9000, 229), len(whole) // 2, len(whole) - 64):  # the keys end at about 7,000
        (tmp_path / "m.gguf").write_bytes(whole[:end])
        refused(capsys, tmp_path, "is cut short or damaged")


def test_a_damaged_byte_of_the_header_is_a_sentence_or_harmless(capsys, tmp_path):
    write_gguf(tmp_path / "whole.gguf", kind="Q8_0")
    whole = (tmp_path / "whole.gguf").read_bytes()
    draw = np.random.default_rng(3)
    for trial in range(150):
        damaged = bytearray(whole)
        damaged[draw.integers(4, 9000)] = draw.integers(256)
        (tmp_path / "m.gguf").write_bytes(damaged)
        status, message = convert(capsys, tmp_path / "m.gguf", tmp_path / f"m{trial}")
        assert status in (0, 2)
        assert status == 0 or (message.count("\n") == 1 and not (tmp_path / f"m{trial}").exists())


@pytest.mark.parametrize("name, sentence", [("nowhere.gguf", "is no file"), ("", "is no file")])
def test_no_such_file(capsys, tmp_path, name, sentence):
    refused(capsys, tmp_path, sentence, file=name)


def test_a_folder_that_is_there_is_left_alone(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/config.json").write_text("mine")
    status, message = convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert status == 2 and "exists already" in message
    assert (tmp_path / "m/config.json").read_text() == "mine"


# The model


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"general.architecture": "gemma3"}, "of architecture 'gemma3'; llama, qwen2 and qwen3 are converted"),
        ({"general.architecture": None}, "has no key 'general.architecture'"),
        ({"llama.embedding_length": None}, "has no key 'llama.embedding_length'"),
        ({"llama.block_count": None}, "has no key 'llama.block_count'"),
        ({"llama.context_length": None}, "has no key 'llama.context_length'"),
        ({"llama.attention.layer_norm_rms_epsilon": None}, "has no key 'llama.attention.layer_norm_rms_epsilon'"),
        ({"llama.attention.head_count": 0}, "llama.attention.head_count is 0, which is no size"),
        ({"llama.attention.head_count": "four"}, "llama.attention.head_count is no single int"),
        ({"llama.attention.head_count_kv": [2, 4]}, "llama.attention.head_count_kv is no single int"),
        ({"llama.attention.head_count_kv": 3}, "4 heads of 64 over 3 of keys and values do not go"),
        ({"llama.rope.freq_base": float("nan")}, "llama.rope.freq_base is nan"),
        ({"llama.rope.dimension_count": 32}, "llama.rope.dimension_count is 32 where heads have 64"),
        ({"llama.rope.scaling.type": "yarn"}, "rotary positions scaled by 'yarn' are not converted"),
        ({"llama.expert_count": 8}, "a mixture of experts"),
        ({"llama.block_count": 3}, "has no tensor 'blk.2.attn_norm.weight'"),
        ({"llama.block_count": 1}, "holds the tensor 'blk.1.attn_k.weight', for which this model has no place"),
        ({"llama.feed_forward_length": 500}, "'blk.0.ffn_gate.weight' has the shape 512×256, but the file's keys make it 500×256"),
        ({"llama.vocab_size": 100}, f"'token_embd.weight' has the shape {len(TOKENS)}×256, but"),
        ({"llama.attention.head_count_kv": 4}, "'blk.0.attn_k.weight' has the shape 128×256, but the file's keys make it 256×256"),
    ],
)  # fmt: skip
def test_keys_that_are_missing_wrong_or_contradicted_by_the_tensors(capsys, tmp_path, keys, sentence):
    write_gguf(tmp_path / "m.gguf", keys=keys)
    refused(capsys, tmp_path, sentence)


def without(name):
    return lambda tensors: tensors.pop(name)


def with_tensor(name, data, kind):
    return lambda tensors: tensors.update({name: (data, kind)})


@pytest.mark.parametrize(
    "change, sentence",
    [
        (without("token_embd.weight"), "has no tensor 'token_embd.weight'"),
        (without("blk.1.ffn_down.weight"), "has no tensor 'blk.1.ffn_down.weight'"),
        (with_tensor("blk.0.attn_rot.weight", np.zeros(4, np.float32), "F32"), "holds the tensor 'blk.0.attn_rot.weight'"),
        (with_tensor("rope_freqs.weight", np.full(HEAD_DIM // 2, 3, np.float32), "F32"), "does not follow the rule of Llama 3"),
        (with_tensor("rope_freqs.weight", np.ones(5, np.float32), "F32"), "is no row of 32 numbers"),
        (with_tensor("output_norm.weight", np.zeros(DIM, np.int32), "I32"), "is stored as I32, which is not read"),
    ],
)  # fmt: skip
def test_tensors_that_are_missing_or_have_no_place(capsys, tmp_path, change, sentence):
    write_gguf(tmp_path / "m.gguf", change=change)
    refused(capsys, tmp_path, sentence)


def test_a_tensor_of_a_type_from_the_future(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf")
    content = (tmp_path / "m.gguf").read_bytes()
    declared = re.escape(b"output_norm.weight" + struct.pack("<IQI", 1, DIM, 0))
    (tmp_path / "m.gguf").write_bytes(
        re.sub(declared, b"output_norm.weight" + struct.pack("<IQI", 1, DIM, 999), content)
    )
    refused(capsys, tmp_path, "'output_norm.weight' is stored as type 999, which is unknown")


# The tokens


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"tokenizer.ggml.model": "bert"}, "tokens of the kind 'bert' are not converted"),
        ({"tokenizer.ggml.model": None}, "has no key 'tokenizer.ggml.model'"),
        ({"tokenizer.ggml.tokens": None}, "has no key 'tokenizer.ggml.tokens'"),
        ({"tokenizer.ggml.pre": "viking"}, "cuts text as 'viking' does (tokenizer.ggml.pre); gpt-2, smollm,"),
        ({"tokenizer.ggml.pre": None}, "does not say how it cuts text"),
        ({"tokenizer.ggml.merges": None}, "has no key 'tokenizer.ggml.merges'"),
        ({"tokenizer.ggml.merges": ["h q"]}, "the merge 'h q' is no two tokens that make a third"),
        ({"tokenizer.ggml.merges": ["he"]}, "the merge 'he' is no two tokens that make a third"),
        ({"tokenizer.ggml.tokens": [*TOKENS, "more"]}, f"names {len(TOKENS) + 1} tokens, but embeds {len(TOKENS)}"),
        ({"tokenizer.ggml.tokens": [*TOKENS[:-1], "!"]}, "has a token twice"),
        ({"tokenizer.ggml.token_type": TYPES[:-1]}, f"{len(TYPES) - 1} of tokenizer.ggml.token_type for {len(TOKENS)} tokens"),
        ({"tokenizer.ggml.eos_token_id": 5000}, "tokenizer.ggml.eos_token_id is 5000, but there are"),
        ({"tokenizer.ggml.bos_token_id": None, "tokenizer.ggml.add_bos_token": True}, "has no tokenizer.ggml.bos_token_id"),
    ],
)  # fmt: skip
def test_tokens_that_cannot_be_converted(capsys, tmp_path, keys, sentence):
    write_gguf(tmp_path / "m.gguf", keys=keys)
    refused(capsys, tmp_path, sentence)


def test_an_unknown_type_of_weights_is_a_mistake_in_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "a.gguf", tmp_path / "m", "--type", "q4"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "invalid choice: 'q4'" in done.stderr
