"""The tokens of a GGUF file as Hugging Face has them: tokenizer.json for byte-level BPE, tokenizer.model for SentencePiece,
and what tokenizer_config.json, config.json and generation_config.json say of bos, eos and the chat."""

from __future__ import annotations

import dataclasses

from . import sentencepiece
from .errors import BadModel
from .header import Header

CONTROL, USER_DEFINED, UNUSED = 3, 4, 5

# The patterns are those of the families' own tokenizer.json, to the letter: readers know them by their text.
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CAPITALS, _SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LLAMA3 = _CONTRACTIONS + r"\p{N}{1,3}" + _REST
_QWEN2 = _CONTRACTIONS + r"\p{N}" + _REST
_TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}*{_SMALL}+|[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}+{_SMALL}*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _byte_level(use_regex: bool) -> dict:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def _sequence(first: dict, use_regex: bool) -> dict:
    return {"type": "Sequence", "pretokenizers": [first, _byte_level(use_regex)]}


def _split(pattern: str) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


@dataclasses.dataclass(frozen=True)
class Family:
    """What a GGUF file leaves to the name in tokenizer.ggml.pre."""

    pre_tokenizer: dict
    normalizer: dict | None = None
    ignore_merges: bool = False
    add_bos: bool = False  # where the file does not say


FAMILIES = {
    "gpt-2": Family(_byte_level(True)),
    "smollm": Family(_sequence({"type": "Digits", "individual_digits": True}, True)),
    "llama-bpe": Family(_sequence(_split(_LLAMA3), False), ignore_merges=True, add_bos=True),
    "qwen2": Family(_sequence(_split(_QWEN2), False), normalizer={"type": "NFC"}),
    "tekken": Family(_sequence(_split(_TEKKEN), False), ignore_merges=True, add_bos=True),
}


class Tokens:
    """The file's tokens, checked. `files` are to be written, by name; `config` goes into tokenizer_config.json."""

    def __init__(self, header: Header, vocabulary: int):
        self.file, self._keys = header.file, header.keys
        self.texts = self._list("tokens", str)
        if len(self.texts) > vocabulary:
            raise BadModel(f"{self.file} names {len(self.texts):,} tokens, but embeds {vocabulary:,}")
        self.types = self._list("token_type", int, len(self.texts))
        self.bos, self.unknown, self.pad = (self._id(f"{name}_token_id") for name in ("bos", "unknown", "padding"))
        ends = [self._id(f"{name}_token_id") for name in ("eos", "eot", "eom")]  # a turn ends with eot in Llama 3
        self.eos = list(dict.fromkeys(end for end in ends if end is not None))
        model = self._key("model")
        if model == "gpt2":
            self._byte_pairs()
        elif model == "llama":
            self._sentencepiece()
        else:
            raise BadModel(f"{self.file}: tokens of the kind {model!r} are not converted; 'gpt2' and 'llama' are")

    def ids(self) -> dict:
        """What config.json and generation_config.json say."""
        eos = self.eos[0] if len(self.eos) == 1 else self.eos or None
        return {"bos_token_id": self.bos, "eos_token_id": eos, "pad_token_id": self.pad}

    def _byte_pairs(self) -> None:
        family = self._family()
        vocabulary = {text: i for i, text in enumerate(self.texts) if self.types[i] != UNUSED}
        if len(vocabulary) != sum(kind != UNUSED for kind in self.types):
            raise BadModel(f"{self.file} has a token twice")
        merges = [self._merge(merge, vocabulary) for merge in self._list("merges", str)]
        added = [i for i, kind in enumerate(self.types) if kind in (CONTROL, USER_DEFINED)]
        self._ends(family.add_bos)
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [self._added(i) for i in added],
            "normalizer": family.normalizer,
            "pre_tokenizer": family.pre_tokenizer,
            "post_processor": self._template(),
            "decoder": _byte_level(True),
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": family.ignore_merges,
                "vocab": vocabulary,
                "merges": merges,
            },
        }
        self.files = {"tokenizer.json": tokenizer}
        self.config = self._config("PreTrainedTokenizerFast")

    def _family(self) -> Family:
        pre = self._keys.get("tokenizer.ggml.pre")
        if pre in FAMILIES:
            return FAMILIES[pre]
        known = ", ".join(FAMILIES)
        if pre is None:  # of files from before May 2024
            raise BadModel(f"{self.file} does not say how it cuts text (tokenizer.ggml.pre); {known} are known here")
        raise BadModel(f"{self.file} cuts text as {pre!r} does (tokenizer.ggml.pre); {known} are known here")

    def _merge(self, merge: str, vocabulary: dict[str, int]) -> str:
        parts = merge.split(" ")
        if len(parts) != 2 or any(part not in vocabulary for part in (*parts, "".join(parts))):
            raise BadModel(f"{self.file}: the merge {merge!r} is no two tokens that make a third")
        return merge

    def _added(self, i: int) -> dict:
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        return {"id": i, "content": self.texts[i], **flags, "special": self.types[i] == CONTROL}

    def _template(self) -> dict | None:
        """What puts bos and eos around a text."""
        before = [self.bos] if self.add_bos else []
        after = self.eos[:1] if self.add_eos else []
        if not before and not after:
            return None

        def around(*parts):
            return [
                part
                for name, kind in parts
                for part in (
                    *({"SpecialToken": {"id": self.texts[i], "type_id": kind}} for i in before),
                    {"Sequence": {"id": name, "type_id": kind}},
                    *({"SpecialToken": {"id": self.texts[i], "type_id": kind}} for i in after),
                )
            ]

        named = {self.texts[i]: {"id": self.texts[i], "ids": [i], "tokens": [self.texts[i]]} for i in before + after}
        return {
            "type": "TemplateProcessing",
            "single": around(("A", 0)),
            "pair": around(("A", 0), ("B", 1)),
            "special_tokens": named,
        }

    def _sentencepiece(self) -> None:
        self._ends(True)
        self.files = {
            "tokenizer.model": sentencepiece.model(
                self.texts,
                self._list("scores", float, len(self.texts)),
                self.types,
                {"unk": self.unknown, "bos": self.bos, "eos": self.eos[0] if self.eos else None, "pad": self.pad},
                add_dummy_prefix=self._key("add_space_prefix", True),
                remove_extra_whitespaces=self._key("remove_extra_whitespaces", False),
                charsmap=bytes(value & 0xFF for value in self._key("precompiled_charsmap", [])),
            )
        }
        self.config = {**self._config("LlamaTokenizer"), "legacy": False}

    def _ends(self, add_bos: bool) -> None:
        self.add_bos = self._key("add_bos_token", add_bos)
        self.add_eos = self._key("add_eos_token", False)
        for flag, ids, name in ((self.add_bos, self.bos, "bos"), (self.add_eos, self.eos or None, "eos")):
            if flag and ids is None:
                raise BadModel(
                    f"{self.file} puts {name} at every text's ends, but has no tokenizer.ggml.{name}_token_id"
                )

    def _config(self, kind: str) -> dict:
        named = {"bos": self.bos, "eos": self.eos[0] if self.eos else None, "unk": self.unknown, "pad": self.pad}
        config = {
            "tokenizer_class": kind,
            "add_bos_token": self.add_bos,
            "add_eos_token": self.add_eos,
            **{f"{name}_token": None if i is None else self.texts[i] for name, i in named.items()},
            "clean_up_tokenization_spaces": False,
        }
        template = self._keys.get("tokenizer.chat_template")
        return config if template is None else {**config, "chat_template": template}

    def _key(self, name: str, default=None):
        value = self._keys.get(f"tokenizer.ggml.{name}", default)
        if value is None:
            raise BadModel(f"{self.file} has no key 'tokenizer.ggml.{name}'")
        if default is not None and type(value) is not type(default):
            raise BadModel(f"{self.file}: tokenizer.ggml.{name} is no {type(default).__name__}")
        return value

    def _list(self, name: str, kind: type, count: int | None = None) -> list:
        values = self._key(name)
        if not isinstance(values, list) or any(type(value) is not kind for value in values):
            raise BadModel(f"{self.file}: tokenizer.ggml.{name} is no list of {kind.__name__}")
        if count is not None and len(values) != count:
            raise BadModel(f"{self.file} has {len(values):,} of tokenizer.ggml.{name} for {count:,} tokens")
        return values

    def _id(self, name: str) -> int | None:
        value = self._keys.get(f"tokenizer.ggml.{name}")
        if value is not None and not (type(value) is int and 0 <= value < len(self.texts)):
            raise BadModel(f"{self.file}: tokenizer.ggml.{name} is {value}, but there are {len(self.texts):,} tokens")
        return value
