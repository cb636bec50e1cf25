"""What the tests of scripts/convert_gguf share: tiny models with random weights, written as GGUF files by the package `gguf`
the way llama.cpp's convert_hf_to_gguf.py does, and the script called in this process."""

import json
import pathlib

import numpy as np
import pytest
from script_module import load_script

gguf = pytest.importorskip("gguf", reason="the Python package gguf is missing: run scripts/setup")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "convert_gguf"

convert_gguf = load_script("convert_gguf")

LAYERS, DIM, FFN, HEADS, KV_HEADS = 2, 256, 512, 4, 2  # K kinds come in blocks of 256
HEAD_DIM = DIM // HEADS
QWEN3_HEAD_DIM = 2 * HEAD_DIM  # as in its small models
QUANTISED = ("F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")  # what the package can write
# Where the scales lie in the blocks of what it can only read.
SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def byte_alphabet():
    """GPT-2's character for each byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


MERGES = ["h e", "l l", "he ll", "Ġ w"]
SPECIAL = ["<|start|>", "<|end|>"]
TOKENS = [*SPECIAL, *byte_alphabet(), *(merge.replace(" ", "") for merge in MERGES), "<tool>"]
TYPES = [3, 3, *[1] * (len(TOKENS) - 3), 4]
TEMPLATE = "{% for m in messages %}<|start|>{{ m['content'] }}<|end|>{% endfor %}"

TOKENIZER = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.token_type": TYPES,
    "tokenizer.ggml.merges": MERGES,
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 1,
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.chat_template": TEMPLATE,
}


def keys_of(architecture):
    sizes = {
        "block_count": LAYERS,
        "context_length": 512,
        "embedding_length": DIM,
        "feed_forward_length": FFN,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.freq_base": 50000.0,
        "vocab_size": len(TOKENS),
    }
    if architecture == "qwen3":
        sizes |= {"attention.key_length": QWEN3_HEAD_DIM, "attention.value_length": QWEN3_HEAD_DIM}
    else:
        sizes["rope.dimension_count"] = HEAD_DIM
    return {"general.architecture": architecture} | {f"{architecture}.{k}": v for k, v in sizes.items()} | TOKENIZER


def weights_of(architecture, tied):
    """Under their names in Hugging Face's folders, in its order of rows."""
    draw = np.random.default_rng(7)
    head_dim = QWEN3_HEAD_DIM if architecture == "qwen3" else HEAD_DIM
    q, kv = HEADS * head_dim, KV_HEADS * head_dim
    shapes = {"model.embed_tokens.weight": (len(TOKENS), DIM), "model.norm.weight": (DIM,)}
    if not tied:
        shapes["lm_head.weight"] = (len(TOKENS), DIM)
    for i in range(LAYERS):
        layer = {
            "input_layernorm.weight": (DIM,),
            "post_attention_layernorm.weight": (DIM,),
            "self_attn.q_proj.weight": (q, DIM),
            "self_attn.k_proj.weight": (kv, DIM),
            "self_attn.v_proj.weight": (kv, DIM),
            "self_attn.o_proj.weight": (DIM, q),
            "mlp.gate_proj.weight": (FFN, DIM),
            "mlp.up_proj.weight": (FFN, DIM),
            "mlp.down_proj.weight": (DIM, FFN),
        }
        if architecture == "qwen2":
            layer |= {f"self_attn.{p}_proj.bias": (n,) for p, n in (("q", q), ("k", kv), ("v", kv))}
        if architecture == "qwen3":
            layer |= {f"self_attn.{p}_norm.weight": (head_dim,) for p in "qk"}
        shapes |= {f"model.layers.{i}.{name}": shape for name, shape in layer.items()}
    return {name: draw.normal(1.0 if len(s) == 1 else 0.0, 0.1, s).astype(np.float32) for name, s in shapes.items()}


def permute(weights, heads):
    """LlamaModel.permute of llama.cpp's convert_hf_to_gguf.py."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
        .swapaxes(1, 2)
        .reshape(weights.shape)
    )


STORED = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def stored_name(name):
    stem, kind = name.rsplit(".", 1)
    if not stem.startswith("model.layers."):
        return f"{STORED[stem]}.{kind}"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{STORED[rest]}.{kind}"


def packed(values, kind):
    """The bytes of a tensor. Of kinds that nobody here can write, random blocks with scales that are numbers."""
    if kind not in SCALES:
        return gguf.quantize(values, gguf.GGMLQuantizationType[kind])
    _, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    blocks = np.random.default_rng(values.size).integers(0, 256, (values.size // 256, size), np.uint8)
    for at in SCALES[kind]:
        blocks[:, at : at + 2] = np.float16([0.001]).view(np.uint8)
    return blocks.reshape(values.shape[0], -1)


def write_gguf(path, architecture="llama", kind="F32", tied=True, keys=None, change=lambda tensors: None):
    """Writes a model; `keys` are changed or, where None, left out; `change` may alter the stored tensors, (bytes, kind) by
    name. Returns the weights in Hugging Face's order as the file's kind keeps them."""
    tensors, kept = {}, {}
    for name, values in weights_of(architecture, tied).items():
        heads = {"q_proj": HEADS, "k_proj": KV_HEADS}.get(name.split(".")[-2]) if architecture == "llama" else None
        stored = permute(values, heads) if heads else values
        of = kind if values.ndim > 1 else "F32"
        data = packed(stored, of)
        tensors[stored_name(name)] = (data, of)
        back = gguf.dequantize(data.view(np.uint8), gguf.GGMLQuantizationType[of]).reshape(values.shape)
        kept[name] = unpermuted(back, values.shape[0] // heads) if heads else back
    change(tensors)
    write_file(path, {k: v for k, v in {**keys_of(architecture), **(keys or {})}.items() if v is not None}, tensors)
    return kept


def unpermuted(stored, head_dim):
    """Row s·d/2 + j of a head is what was stored as its row 2j + s."""
    rows = []
    for head in range(stored.shape[0] // head_dim):
        for s in (0, 1):
            rows += [stored[head * head_dim + 2 * j + s] for j in range(head_dim // 2)]
    return np.stack(rows)


def write_file(path, keys, tensors):
    writer = gguf.GGUFWriter(path, keys.get("general.architecture", "none"))
    writer.kv_data[0].pop("general.architecture", None)
    kinds = {str: "string", bool: "bool", int: "uint32", float: "float32", list: "array"}
    for name, value in keys.items():
        getattr(writer, f"add_{kinds[type(value)]}")(name, value)
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def convert(capsys, file, folder, *options):
    """Exit status and what was written to standard error."""
    status = convert_gguf.main([str(file), str(folder), *options])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.err


def read_json(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))
