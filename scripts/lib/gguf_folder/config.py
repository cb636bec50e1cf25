"""The model that the keys of a GGUF file describe, as config.json has it."""

from __future__ import annotations

import collections
import dataclasses
import math

import gguf
import numpy as np

from .errors import BadModel
from .header import Header

ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
# What would make another model of the same tensors, and Llama 3's answer to long texts as llama.cpp's converter knows it.
REFUSED = {"expert_count": "a mixture of experts", "rope.scaling.yarn_log_multiplier": "YaRN"}
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


@dataclasses.dataclass(frozen=True)
class Model:
    architecture: str
    layers: int
    dim: int
    ffn_dim: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    biases: bool  # of all four projections of the attention; qwen2's three are its own
    config: dict  # config.json, but for what tokens and weights add


def read_model(header: Header) -> Model:
    architecture = _require(header, "general.architecture", str)
    if architecture not in ARCHITECTURES:
        raise BadModel(
            f"{header.file} holds a model of architecture '{architecture}'; llama, qwen2 and qwen3 are converted"
        )
    keys = Keys(header, architecture)
    for name, what in REFUSED.items():
        if keys.get(name):
            raise BadModel(f"{header.file}: {architecture}.{name} asks for {what}, which is not converted")
    heads = keys.count("attention.head_count")
    dim = keys.count("embedding_length")
    head_dim = keys.count("attention.key_length", dim // heads)
    for name in ("rope.dimension_count", "attention.value_length"):
        if keys.count(name, head_dim) != head_dim:
            raise BadModel(f"{header.file}: {architecture}.{name} is {keys.get(name)} where heads have {head_dim}")
    kv_heads = keys.count("attention.head_count_kv", heads)
    if heads % kv_heads or head_dim % 2:
        raise BadModel(f"{header.file}: {heads} heads of {head_dim} over {kv_heads} of keys and values do not go")
    model = Model(
        architecture=architecture,
        layers=keys.count("block_count"),
        dim=dim,
        ffn_dim=keys.count("feed_forward_length"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        vocabulary=keys.count("vocab_size", _rows_of_embedding(header)),
        tied="output.weight" not in header.tensors,
        biases=architecture == "llama" and "blk.0.attn_output.bias" in header.tensors,
        config={},
    )
    return dataclasses.replace(model, config=_config(model, keys))


class Keys:
    """The keys ARCHITECTURE.NAME."""

    def __init__(self, header: Header, architecture: str):
        self.header, self._architecture = header, architecture

    def get(self, name: str, default=None):
        return self.header.keys.get(f"{self._architecture}.{name}", default)

    def count(self, name: str, default: int | None = None) -> int:
        value = _require(self.header, f"{self._architecture}.{name}", int, default)
        if value < 1:
            raise BadModel(f"{self.header.file}: {self._architecture}.{name} is {value}, which is no size")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = _require(self.header, f"{self._architecture}.{name}", float, default)
        if not (math.isfinite(value) and value > 0):
            raise BadModel(f"{self.header.file}: {self._architecture}.{name} is {value}, which is no positive number")
        return float(str(np.float32(value)))  # 1e-05, not what a float of 32 bits is in 64


def _require(header: Header, name: str, kind: type, default=None):
    value = header.keys.get(name, default)
    if value is None:
        raise BadModel(f"{header.file} has no key '{name}'")
    if isinstance(value, list) and kind is int and value and len(set(map(str, value))) == 1:
        value = value[0]  # one a layer, all the same
    if type(value) is not kind:
        raise BadModel(f"{header.file}: {name} is no single {kind.__name__}, as it should be")
    return value


def _rows_of_embedding(header: Header) -> int:
    embedding = header.tensors.get("token_embd.weight")
    if embedding is None:
        raise BadModel(f"{header.file} has no tensor 'token_embd.weight'")
    return embedding.shape[0]


def _config(model: Model, keys: Keys) -> dict:
    window = keys.get("attention.sliding_window")
    mistral = model.architecture == "llama" and window
    if window and not mistral:
        raise BadModel(f"{keys.header.file}: {model.architecture}.attention.sliding_window is not converted")
    config = {
        "architectures": ["MistralForCausalLM" if mistral else ARCHITECTURES[model.architecture]],
        "model_type": "mistral" if mistral else model.architecture,
        "hidden_act": "silu",
        "vocab_size": model.vocabulary,
        "hidden_size": model.dim,
        "intermediate_size": model.ffn_dim,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "rms_norm_eps": keys.number("attention.layer_norm_rms_epsilon"),
        "rope_theta": keys.number("rope.freq_base", 10000.0),
        "rope_scaling": _rope_scaling(model, keys),
        "max_position_embeddings": keys.count("context_length"),
        "tie_word_embeddings": model.tied,
    }
    if mistral:
        config["sliding_window"] = window
    if model.architecture == "llama" and not mistral:
        config |= {"attention_bias": model.biases, "mlp_bias": False}
    if model.architecture == "qwen3":
        config["attention_bias"] = False
    if model.architecture != "llama":
        config["use_sliding_window"] = False
    return config


def _rope_scaling(model: Model, keys: Keys) -> dict | None:
    file = keys.header.file
    kind = keys.get("rope.scaling.type", "none")
    if kind == "linear":
        return {"rope_type": "linear", "factor": keys.number("rope.scaling.factor")}
    if kind != "none":
        raise BadModel(f"{file}: rotary positions scaled by '{kind}' are not converted")
    if keys.get("rope.scale_linear", 1.0) != 1.0:  # of files from 2023
        return {"rope_type": "linear", "factor": keys.number("rope.scale_linear")}
    return _llama3(model, keys) if "rope_freqs.weight" in keys.header.tensors else None


def _llama3(model: Model, keys: Keys) -> dict:
    """Llama 3.1 and later: the file holds what each frequency is divided by, config.json the rule that gives it."""
    header = keys.header
    stored = header.tensors["rope_freqs.weight"]
    if stored.type.name != "F32" or stored.shape != (model.head_dim // 2,):
        raise BadModel(f"{header.file}: 'rope_freqs.weight' is no row of {model.head_dim // 2} numbers in F32")
    factors = header.data("rope_freqs.weight").view(np.float32)[0].astype(float)
    factor = float(factors.max())
    low, high, positions = LLAMA3.values()
    turns = (
        positions
        * keys.number("rope.freq_base", 10000.0) ** (-np.arange(0, model.head_dim, 2) / model.head_dim)
        / (2 * np.pi)
    )
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    if not np.allclose(factors, 1 / ((1 - smooth) / factor + smooth), rtol=1e-4):
        raise BadModel(f"{header.file}: 'rope_freqs.weight' does not follow the rule of Llama 3 and is not converted")
    return {"rope_type": "llama3", "factor": factor, **LLAMA3}


def stored_as(header: Header) -> str:
    """How most of the weights were stored, by its customary name: Q4_1, Q4_K_M."""
    counts: collections.Counter[str] = collections.Counter()
    for tensor in header.tensors.values():
        counts[tensor.type.name] += math.prod(tensor.shape)
    most = counts.most_common(1)[0][0]
    try:
        name = (
            gguf.LlamaFileType(header.keys.get("general.file_type")).name.removeprefix("MOSTLY_").removeprefix("ALL_")
        )
    except ValueError:
        return most
    return name if name.startswith(most) else most  # Q4_K_M also holds Q6_K
