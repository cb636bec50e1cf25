"""The tensors of a GGUF file under the names, and in the order of rows, that Hugging Face's code expects."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import gguf
import numpy as np

from .config import Model
from .errors import BadModel
from .header import Header

BLOCK = 1 << 22  # weights unpacked at a time; unpacking takes some 10 times their bytes


@dataclasses.dataclass(frozen=True)
class Weight:
    stored: str  # its name in the file
    name: str  # its name in the folder
    shape: tuple[int, ...]
    interleaved: bool = False  # rows lie as llama.cpp rotates them


def wanted(model: Model) -> list[Weight]:
    """Every tensor of the model, in the order of its layers."""
    q, kv = model.heads * model.head_dim, model.kv_heads * model.head_dim
    paired = model.architecture == "llama"
    names = [Weight("token_embd.weight", "model.embed_tokens.weight", (model.vocabulary, model.dim))]
    for i in range(model.layers):
        layer = [
            Weight("attn_norm.weight", "input_layernorm.weight", (model.dim,)),
            Weight("attn_q.weight", "self_attn.q_proj.weight", (q, model.dim), paired),
            Weight("attn_k.weight", "self_attn.k_proj.weight", (kv, model.dim), paired),
            Weight("attn_v.weight", "self_attn.v_proj.weight", (kv, model.dim)),
            Weight("attn_output.weight", "self_attn.o_proj.weight", (model.dim, q)),
            Weight("ffn_norm.weight", "post_attention_layernorm.weight", (model.dim,)),
            Weight("ffn_gate.weight", "mlp.gate_proj.weight", (model.ffn_dim, model.dim)),
            Weight("ffn_up.weight", "mlp.up_proj.weight", (model.ffn_dim, model.dim)),
            Weight("ffn_down.weight", "mlp.down_proj.weight", (model.dim, model.ffn_dim)),
        ]
        if model.biases or model.architecture == "qwen2":
            layer += [
                Weight("attn_q.bias", "self_attn.q_proj.bias", (q,), paired),
                Weight("attn_k.bias", "self_attn.k_proj.bias", (kv,), paired),
                Weight("attn_v.bias", "self_attn.v_proj.bias", (kv,)),
            ]
        if model.biases:
            layer.append(Weight("attn_output.bias", "self_attn.o_proj.bias", (model.dim,)))
        if model.architecture == "qwen3":
            layer += [
                Weight("attn_q_norm.weight", "self_attn.q_norm.weight", (model.head_dim,)),
                Weight("attn_k_norm.weight", "self_attn.k_norm.weight", (model.head_dim,)),
            ]
        names += [Weight(f"blk.{i}.{w.stored}", f"model.layers.{i}.{w.name}", w.shape, w.interleaved) for w in layer]
    names.append(Weight("output_norm.weight", "model.norm.weight", (model.dim,)))
    if not model.tied:
        names.append(Weight("output.weight", "lm_head.weight", (model.vocabulary, model.dim)))
    return names


def check_tensors(header: Header, weights: list[Weight]) -> None:
    """Raises BadModel where a tensor is missing, has another shape than the keys say, or has no place."""
    for weight in weights:
        tensor = header.tensors.get(weight.stored)
        if tensor is None:
            raise BadModel(f"{header.file} has no tensor '{weight.stored}'")
        if tensor.shape != weight.shape:
            raise BadModel(
                f"{header.file}: the tensor '{weight.stored}' has the shape {_shape(tensor.shape)}, but the file's keys "
                f"make it {_shape(weight.shape)}"
            )
        block, size = gguf.GGML_QUANT_SIZES[tensor.type]
        try:
            gguf.dequantize(np.zeros((1, size), np.uint8), tensor.type)
        except NotImplementedError:
            raise BadModel(
                f"{header.file}: the tensor '{weight.stored}' is stored as {tensor.type.name}, which is not read"
            ) from None
    over = set(header.tensors) - {weight.stored for weight in weights} - {"rope_freqs.weight"}
    if over:
        raise BadModel(f"{header.file} holds the tensor '{min(over)}', for which this model has no place")


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def rows_of(header: Header, weight: Weight, head_dim: int) -> Iterator[np.ndarray]:
    """The weight in fp32, some rows at a time (whole heads), so that no tensor is ever unpacked as a whole."""
    packed, kind = header.data(weight.stored), header.tensors[weight.stored].type
    if len(weight.shape) == 1:
        row = gguf.dequantize(packed, kind)
        yield untangled(row.reshape(-1, 1), head_dim)[:, 0] if weight.interleaved else row[0]
        return
    rows = max(BLOCK // weight.shape[1] // head_dim, 1) * head_dim
    for first in range(0, len(packed), rows):
        block = gguf.dequantize(packed[first : first + rows], kind)
        yield untangled(block, head_dim) if weight.interleaved else block


def untangled(rows: np.ndarray, head_dim: int) -> np.ndarray:
    """llama.cpp rotates neighbouring rows of a head of q and k together, Hugging Face's code row j with row j + d/2: its
    converter for architecture llama, and no other, therefore stores row s·d/2 + j as 2j + s. Without this the model
    runs, and is as bad as with half its training."""
    heads = rows.reshape(-1, head_dim // 2, 2, rows.shape[-1])
    return np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(rows.shape)
