#!/usr/bin/env python3
"""Makes decoders/<name>/ and decoder_logits.json: tiny random decoders of every kind that src/io/hf_folder.h reads, and
their logits as `transformers` computes them in fp32, with the root mean square error of its own bf16 beside them.

The configuration files are rewritten afterwards into the forms that are met in the wild and that this version of
transformers does not write itself: theta nested in rope_parameters, the model_type "Yi", an absent rope_theta.
With --stories FOLDER also stories260K.json: logits, negative log-likelihoods and a greedy continuation of a pre-trained
model that is not part of the repository.

    python tests/golden/make_decoder_logits.py [--stories FOLDER]    needs PyTorch, transformers 4.57, sentencepiece
"""

import argparse
import json
import pathlib
import shutil

import sentencepiece
import torch
import transformers

HERE = pathlib.Path(__file__).parent
TEXT = 24  # tokens
ROWS = [0, 1, 5, 9, 17, 23]  # whose logits are kept
STORY = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw \
a big, red ball in the sky. She wanted to catch it, but it was too high. Her friend Tom came and said, \"Can I help \
you?\" Lily smiled and said yes. They found a long stick and worked together."
COMMON = dict(vocab_size=40, hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
              max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)


def nested_theta(config):
    config.pop("rope_scaling", None)
    config["rope_parameters"] = {"rope_theta": config.pop("rope_theta"), "rope_type": "default"}


def yi(config):
    config["model_type"] = "Yi"
    config["architectures"] = ["YiForCausalLM"]
    del config["head_dim"]


def plain(config):
    del config["rope_theta"], config["head_dim"]


def newer(config):
    """As transformers 5 writes it: everything rotary in rope_parameters, and dtype."""
    scaling = config.pop("rope_scaling")
    config["rope_parameters"] = {**scaling, "rope_theta": config.pop("rope_theta")}
    config["dtype"] = config.pop("dtype", None) or config.pop("torch_dtype")


LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)


# name: model class, options beside COMMON, type of the stored weights, size of a shard, change to config.json
CASES = {
    "llama": (transformers.LlamaForCausalLM, dict(num_key_value_heads=4, head_dim=8, rope_theta=500.0), "float32",
              "1GB", nested_theta),
    "mistral": (transformers.MistralForCausalLM, dict(num_key_value_heads=2, sliding_window=5), "float32", "16KB",
                None),
    "yi": (transformers.LlamaForCausalLM, dict(num_key_value_heads=1, rope_theta=5e6), "bfloat16", "1GB", yi),
    "tied": (transformers.LlamaForCausalLM, dict(num_key_value_heads=2, tie_word_embeddings=True, rope_theta=1e4,
                                                 vocab_size=320),  # as many ids as small_tokenizer.model
             "float32", "1GB", plain),
    "llama3": (transformers.LlamaForCausalLM, dict(num_key_value_heads=2, rope_theta=500.0, rope_scaling=LLAMA3,
                                                   eos_token_id=[2, 3]), "float32", "1GB", None),
    "llama3_newer": (transformers.LlamaForCausalLM, dict(num_key_value_heads=2, rope_theta=500.0, rope_scaling=LLAMA3),
                     "bfloat16", "1GB", newer),
    "linear": (transformers.LlamaForCausalLM, dict(num_key_value_heads=2, attention_bias=True,
                                                   rope_scaling=dict(rope_type="linear", factor=2.0)),
               "float32", "1GB", None),
    "yarn": (transformers.Qwen2ForCausalLM, dict(num_key_value_heads=2, rope_scaling=YARN), "float32", "1GB", None),
    "qwen2": (transformers.Qwen2ForCausalLM, dict(num_key_value_heads=2, tie_word_embeddings=True), "float32", "1GB",
              None),
    "qwen3": (transformers.Qwen3ForCausalLM, dict(num_key_value_heads=2, head_dim=8, rope_theta=1e6), "float32", "1GB",
              None),
}


def numbers(tensor):
    return [float(f"{x:.8g}") for x in tensor.double().flatten().tolist()]


def make(name, ids):
    kind, options, dtype, shard, change = CASES[name]
    torch.manual_seed(sum(map(ord, name)))
    config = kind.config_class(**COMMON | options, attn_implementation="eager")
    model = kind(config)
    with torch.no_grad():  # larger than the usual initial weights, so that attention is far from uniform
        for parameter_name, p in model.named_parameters():
            if p.dim() == 1:
                p.copy_(1 + 0.3 * torch.randn_like(p))
            else:
                p.copy_((1.0 if "embed" in parameter_name else 0.4) * torch.randn_like(p))
    model = model.to(getattr(torch, dtype))
    folder = HERE / "decoders" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size=shard)
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    if change:
        file = folder / "config.json"
        config = json.loads(file.read_text())
        change(config)
        file.write_text(json.dumps(config, indent=2) + "\n")
    with torch.no_grad():
        logits = model(ids).logits[0, ROWS]
        narrow = model.bfloat16()(ids).logits[0, ROWS].float()
    return numbers(logits), (narrow - logits).square().mean().sqrt().item()


def stories(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").float().eval()
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    ids = torch.tensor([tokenizer.encode(STORY, add_bos=True)])
    with torch.no_grad():
        logits = model(ids).logits[0]
        nll = torch.nn.functional.cross_entropy(logits[:-1].double(), ids[0, 1:], reduction="none")
        prompt = torch.tensor([tokenizer.encode("Once upon a time, there was a", add_bos=True)])
        continued = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=120)
    rows = [0, 1, 17, ids.shape[1] - 1]
    continuation = continued[0, prompt.shape[1]:].tolist()
    return dict(text=STORY, ids=ids[0].tolist(), rows=rows, logits=[numbers(logits[r]) for r in rows], nll=numbers(nll),
                prompt=prompt[0].tolist(), continuation=continuation,
                text_with_prompt=tokenizer.decode(prompt[0].tolist() + continuation))


def write(name, value):
    path = HERE / name
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stories", type=pathlib.Path, help="the folder of stories260K")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    ids = torch.randint(0, COMMON["vocab_size"], (1, TEXT))
    made = {name: make(name, ids) for name in CASES}
    write("decoder_logits.json", dict(ids=ids[0].tolist(), rows=ROWS, logits={n: logits for n, (logits, _) in made.items()},
                                      bf16_error={n: error for n, (_, error) in made.items()}))
    if arguments.stories:
        write("stories260K.json", stories(arguments.stories))


if __name__ == "__main__":
    main()
