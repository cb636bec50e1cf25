#!/usr/bin/env python3
"""Makes folder_tokens.json: ids as transformers' LlamaTokenizerFast gives them for small_tokenizer.model in a folder that
declares special tokens, in each of the ways in which folders do.

    python tests/golden/make_folder_tokens.py    needs transformers and sentencepiece
"""

import json
import pathlib
import random
import shutil
import tempfile

import transformers

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "", " ", "the end.</s>once", "the end.</s> once", "</s>the", "</s> the", " </s>the", "<s>the</s>", "<|im_start|>user\nhi<|im_end|>",
    "the <|im_start|>  two<|im_end|>", "the dog<|im_end|>\n<|im_start|>cat", "the <|im_start| >", "<|im_start|><|im_end|>", "<unk> <unk>",
    "the dog [X] and the [X]", "the[X]cat", "naïve ▁<|im_end|>▁the", "a<|im_end|>€", "the <|im_<|im_end|>end|>",
]
DECODER = {
    "320": dict(content="<|im_start|>", special=True, normalized=False),
    "321": dict(content="<|im_end|>", special=True, rstrip=True, normalized=False),
    "322": dict(content="[X]", special=False, lstrip=True, single_word=True, normalized=False),
}
NAMES = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>")
# Tokens of added_tokens.json that nothing calls special are left out: slow and fast tokenizers disagree on them.
FOLDERS = {
    "names": {"tokenizer_config.json": NAMES},
    "names_new": {"tokenizer_config.json": dict(NAMES, legacy=False)},
    "described": {"tokenizer_config.json": dict(NAMES, added_tokens_decoder=DECODER)},
    "described_new": {"tokenizer_config.json": dict(NAMES, legacy=False, added_tokens_decoder=DECODER)},
    "no_space": {"tokenizer_config.json": dict(NAMES, add_prefix_space=False, added_tokens_decoder=DECODER)},
    "no_space_new": {"tokenizer_config.json": dict(NAMES, add_prefix_space=False, legacy=False, added_tokens_decoder=DECODER)},
    "ids": {"tokenizer_config.json": NAMES, "added_tokens.json": {"<|im_start|>": 320, "<|im_end|>": 321},
            "special_tokens_map.json": dict(NAMES, eos_token=dict(content="<|im_end|>", lstrip=False, rstrip=False),
                                            additional_special_tokens=["<|im_start|>"])},
}
WORDS = ["the", " the", "dog", " ", "  ", "</s>", "<s>", "<unk>", "<|im_start|>", "<|im_end|>", "[X]", " [X] ", "€", "\n", "it was "]


def main():
    draw = random.Random(3)
    texts = TEXTS + ["".join(draw.choices(WORDS, k=draw.randint(2, 9))) for _ in range(100)]
    # A space at a text's beginning is one "▁" more in SentencePiece's own ids, which are meant here, with `legacy: false`.
    texts = [text for text in texts if not text.startswith(" ")]
    folders = []
    for name, files in FOLDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(HERE / "small_tokenizer.model", folder / "tokenizer.model")
            for file, content in files.items():
                (folder / file).write_text(json.dumps(content))
            tokenizer = transformers.LlamaTokenizerFast.from_pretrained(folder)
            ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        folders.append(dict(name=name, files=files, ids=ids))
    path = HERE / "folder_tokens.json"
    path.write_text(json.dumps(dict(transformers=transformers.__version__, texts=texts, folders=folders),
                               ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes, {len(texts)} texts, {len(folders)} folders")


if __name__ == "__main__":
    main()
