"""scripts/convert_gguf: weights, settings and tokens of GGUF files of every family, against what was written, and against
transformers, tokenizers and sentencepiece where they are installed (the project does not need them)."""

import errno

import numpy as np
import pytest
from gguf_files import (
    HEAD_DIM,
    QUANTISED,
    SCALES,
    TEMPLATE,
    TOKENS,
    convert,
    convert_gguf,
    gguf,
    read_json,
    write_gguf,
)
from safetensors.numpy import load_file

ARCHITECTURES = ("llama", "qwen2", "qwen3")


# Weights


@pytest.mark.parametrize("kind", ["F32", *QUANTISED, *SCALES])
def test_every_weight_comes_out_as_the_file_keeps_it_with_rows_of_q_and_k_in_order(capsys, tmp_path, kind):
    kept = write_gguf(tmp_path / "m.gguf", kind=kind)
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == 0
    read = load_file(tmp_path / "m/model.safetensors")
    assert read.keys() == kept.keys()
    assert all(np.array_equal(read[name], kept[name]) for name in kept)
    assert read_json(tmp_path / "m", "config.json")["attnlab_weights"] == kind


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("tied", [True, False])
def test_every_architecture(capsys, tmp_path, architecture, tied):
    kept = write_gguf(tmp_path / "m.gguf", architecture, tied=tied)
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == 0
    read = load_file(tmp_path / "m/model.safetensors")
    assert read.keys() == kept.keys()
    assert all(np.array_equal(read[name], kept[name]) for name in kept)
    assert read_json(tmp_path / "m", "config.json")["tie_word_embeddings"] is tied


def test_a_tensor_is_unpacked_a_few_rows_at_a_time(capsys, tmp_path, monkeypatch):
    kept = write_gguf(tmp_path / "m.gguf", kind="Q8_0")
    whole = gguf.dequantize
    largest = []

    def dequantize(data, kind):
        largest.append(data.size)
        return whole(data, kind)

    monkeypatch.setattr(gguf, "dequantize", dequantize)
    monkeypatch.setattr("gguf_folder.weights.BLOCK", 1)  # one head's rows, the least
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert max(largest) == HEAD_DIM * 512 // 32 * 34
    read = load_file(tmp_path / "m/model.safetensors")
    assert all(np.array_equal(read[name], kept[name]) for name in kept)


def test_bf16_says_how_many_weights_lost_bits(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf")
    status, message = convert(capsys, tmp_path / "m.gguf", tmp_path / "m", "--type", "bf16")
    assert status == 0 and "lost bits in bf16; fp32 keeps them all" in message
    assert read_json(tmp_path / "m", "config.json")["torch_dtype"] == "bfloat16"


def test_bf16_is_torchs(tmp_path):
    torch = pytest.importorskip("torch", reason="no import torch here: scripts/setup --python-torch")
    from gguf_folder.safetensors import bfloat16

    awkward = [0.0, -0.0, 1.0, 1 + 2**-8, 1 + 3 * 2**-8, 1e-45, 3.4e38, np.inf, -np.inf]
    values = np.concatenate([np.float32(awkward), np.random.default_rng(1).normal(size=100_000).astype(np.float32)])
    expected = torch.from_numpy(values).bfloat16().view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(bfloat16(values), expected)
    assert np.isnan((bfloat16(np.float32([np.nan])).astype(np.uint32) << 16).view(np.float32))


# Settings


def test_config_of_llama(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf", kind="Q4_1", keys={"general.file_type": int(gguf.LlamaFileType.MOSTLY_Q4_1)})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert read_json(tmp_path / "m", "config.json") == {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "vocab_size": len(TOKENS),
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "rms_norm_eps": 1e-5,
        "rope_theta": 50000.0,
        "rope_scaling": None,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": None,
        "torch_dtype": "float32",
        "attnlab_weights": "Q4_1",
    }


@pytest.mark.parametrize(
    "kind, file_type, name",
    [("Q4_K", "MOSTLY_Q4_K_M", "Q4_K_M"), ("Q6_K", "MOSTLY_Q6_K", "Q6_K"), ("Q8_0", "MOSTLY_Q4_K_M", "Q8_0")],
    ids=["mixed", "plain", "a name that is not true"],
)
def test_the_weights_name_is_the_customary_one(capsys, tmp_path, kind, file_type, name):
    write_gguf(tmp_path / "m.gguf", kind=kind, keys={"general.file_type": int(gguf.LlamaFileType[file_type])})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert read_json(tmp_path / "m", "config.json")["attnlab_weights"] == name


def test_a_llama_with_a_window_is_a_mistral(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf", keys={"llama.attention.sliding_window": 128})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    config = read_json(tmp_path / "m", "config.json")
    assert (config["model_type"], config["sliding_window"]) == ("mistral", 128)


def test_several_ends_are_listed(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf", keys={"tokenizer.ggml.eot_token_id": 262})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert read_json(tmp_path / "m", "generation_config.json")["eos_token_id"] == [1, 262]


def llama3_divisors(factor):
    """Llama3RopeScaling in llama.cpp's convert_hf_to_gguf.py."""
    divisors = []
    for i in range(0, HEAD_DIM, 2):
        wavelength = 2 * np.pi * 50000.0 ** (i / HEAD_DIM)
        smooth = (8192 / wavelength - 1) / 3
        long, short = wavelength > 8192, wavelength < 2048
        divisors.append(factor if long else 1.0 if short else 1 / ((1 - smooth) / factor + smooth))
    return np.float32(divisors)


def test_the_scaling_of_llama_3_is_found_from_its_divisors(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf", change=lambda t: t.update({"rope_freqs.weight": (llama3_divisors(32.0), "F32")}))
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == 0
    assert read_json(tmp_path / "m", "config.json")["rope_scaling"] == {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }


# Tokens


@pytest.mark.parametrize(
    "pre, text, pieces",
    [
        ("gpt-2", "We'll see 1234", ["We", "'ll", "Ġsee", "Ġ1234"]),
        ("smollm", "We'll see 1234", ["We", "'ll", "Ġsee", "Ġ", "1", "2", "3", "4"]),
        ("llama-bpe", "WE'LL see 1234!\n", ["WE", "'LL", "Ġsee", "Ġ", "123", "4", "!Ċ"]),
        ("qwen2", "WE'LL see 1234!\n", ["WE", "'LL", "Ġsee", "Ġ", "1", "2", "3", "4", "!Ċ"]),
        ("tekken", "aBc see 12/\n", ["a", "Bc", "Ġsee", "Ġ", "1", "2", "/Ċ"]),
    ],
)
def test_text_is_cut_as_the_name_in_the_file_says(capsys, tmp_path, pre, text, pieces):
    tokenizers = pytest.importorskip("tokenizers", reason="the Python package tokenizers is not installed")
    write_gguf(tmp_path / "m.gguf", keys={"tokenizer.ggml.pre": pre})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "m/tokenizer.json"))
    assert [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)] == pieces
    assert [tokenizer.id_to_token(i) for i in range(len(TOKENS))] == TOKENS
    assert tokenizer.encode("hell<|end|> <tool>").tokens == ["hell", "<|end|>", "Ġ", "<tool>"]
    assert tokenizer.decode(tokenizer.encode(text + " né 中").ids) == text + " né 中"


@pytest.mark.parametrize(
    "pre, stored, adds",
    [("smollm", None, False), ("qwen2", None, False), ("llama-bpe", None, True), ("tekken", None, True),
     ("smollm", True, True), ("llama-bpe", False, False)],
)  # fmt: skip
def test_bos_is_put_first_where_the_file_or_else_its_family_says_so(capsys, tmp_path, pre, stored, adds):
    write_gguf(tmp_path / "m.gguf", keys={"tokenizer.ggml.pre": pre, "tokenizer.ggml.add_bos_token": stored})
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    config, template = (read_json(tmp_path / "m", f"tokenizer{name}.json") for name in ("_config", ""))
    assert config["add_bos_token"] is adds
    first = template["post_processor"]["single"][0] if adds else None
    assert first == ({"SpecialToken": {"id": "<|start|>", "type_id": 0}} if adds else None)


def test_what_the_tokenizers_settings_say(capsys, tmp_path):
    write_gguf(tmp_path / "m.gguf")
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    settings = read_json(tmp_path / "m", "tokenizer_config.json")
    assert settings["chat_template"] == TEMPLATE
    assert (settings["bos_token"], settings["eos_token"], settings["pad_token"]) == ("<|start|>", "<|end|>", None)


def test_tokens_that_only_fill_the_table_are_left_out(capsys, tmp_path):
    fill = {"tokenizer.ggml.tokens": [*TOKENS[:-1], "[PAD262]"], "tokenizer.ggml.token_type": [3, 3, *[1] * 260, 5]}
    write_gguf(tmp_path / "m.gguf", keys=fill)
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    assert "[PAD262]" not in read_json(tmp_path / "m", "tokenizer.json")["model"]["vocab"]


def test_sentencepiece_tokens_cut_text_as_the_model_that_they_come_from(capsys, tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece", reason="the Python package sentencepiece is not installed")
    text = ["How far can it be bounded before quality suffers?", "A  story of 12 bears, and more bears."] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_prefix=str(tmp_path / "s"), vocab_size=320, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        user_defined_symbols=["<tool>"], minloglevel=2,
    )  # fmt: skip
    original = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "s.model"))
    n = original.get_piece_size()
    kinds = [(original.is_unknown, 2), (original.is_control, 3), (original.is_byte, 6)]
    types = [
        next((k for test, k in kinds if test(i)), 4 if original.id_to_piece(i) == "<tool>" else 1) for i in range(n)
    ]
    keys = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": None,
        "tokenizer.ggml.merges": None,
        "tokenizer.ggml.tokens": [original.id_to_piece(i) for i in range(n)],
        "tokenizer.ggml.scores": [original.get_score(i) for i in range(n)],
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": None,
        "llama.vocab_size": n,
    }
    embedding = (np.zeros((n, 256), np.float32), "F32")
    write_gguf(tmp_path / "m.gguf", keys=keys, change=lambda t: t.update({"token_embd.weight": embedding}))
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == 0
    ours = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m/tokenizer.model"))
    for sentence in [*text[:2], "", " ", "bears  bears\n", "né 中文 🙂", "<tool>bears<s>", "  12"]:
        assert ours.encode(sentence) == original.encode(sentence)
        assert ours.decode(ours.encode(sentence)) == original.decode(original.encode(sentence))
    assert (ours.bos_id(), ours.eos_id(), ours.unk_id(), ours.pad_id()) == (1, 2, 0, -1)
    assert read_json(tmp_path / "m", "tokenizer_config.json")["add_bos_token"] is True


# The whole against transformers


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1", "Q6_K"])
def test_logits_are_those_of_transformers_reading_the_gguf_file(capsys, tmp_path, architecture, kind):
    torch = pytest.importorskip("torch", reason="no import torch here: scripts/setup --python-torch")
    transformers = pytest.importorskip("transformers", reason="the Python package transformers is not installed")
    write_gguf(tmp_path / "m.gguf", architecture, kind, tied=architecture == "llama")
    convert(capsys, tmp_path / "m.gguf", tmp_path / "m")
    load = transformers.AutoModelForCausalLM.from_pretrained
    ids = torch.arange(24)[None]
    with torch.no_grad():
        ours = load(tmp_path / "m", dtype=torch.float32)(ids).logits
        theirs = load(tmp_path, gguf_file="m.gguf", dtype=torch.float32)(ids).logits
    assert torch.equal(ours, theirs)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    assert tokenizer("hell w").input_ids == [TOKENS.index("hell"), TOKENS.index("Ġw")]
    assert tokenizer.apply_chat_template([{"content": "he"}], tokenize=False) == "<|start|>he<|end|>"


# Nothing half-written


def test_what_a_killed_conversion_left_is_cleared_away(capsys, tmp_path):
    (tmp_path / "m.part").mkdir()
    (tmp_path / "m.part/half").write_text("half a tok")
    write_gguf(tmp_path / "m.gguf")
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == 0
    assert not (tmp_path / "m.part").exists() and not (tmp_path / "m/half").exists()


@pytest.mark.parametrize("error, status", [(OSError(errno.ENOSPC, "No space"), 1), (KeyboardInterrupt(), 130)])
def test_a_conversion_that_ends_early_leaves_nothing(capsys, tmp_path, monkeypatch, error, status):
    write_gguf(tmp_path / "m.gguf")

    def rows(*_):
        yield np.zeros((1, 256), np.float32)
        raise error

    monkeypatch.setattr("gguf_folder.weights.rows_of", rows)
    assert convert(capsys, tmp_path / "m.gguf", tmp_path / "m")[0] == status
    assert not (tmp_path / "m").exists() and not (tmp_path / "m.part").exists()


def test_the_folder_is_printed_for_the_next_command(capfdbinary, tmp_path):
    write_gguf(tmp_path / "m.gguf")
    assert convert_gguf.main([str(tmp_path / "m.gguf"), str(tmp_path / "m")]) == 0
    assert capfdbinary.readouterr().out == f"{tmp_path / 'm'}\n".encode()
