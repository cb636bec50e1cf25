"""scripts/compare_llama_cpp: the same weights in another type, and the table, with a stand-in for llama.cpp."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
from gguf_files import ROOT, gguf, write_gguf
from script_module import load_script

SCRIPT = ROOT / "scripts/compare_llama_cpp"


def values(tensor):
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


@pytest.mark.parametrize("kind, bits", [("fp32", 0), ("bf16", 16)])
def test_all_weights_and_what_is_said_of_them_come_through(tmp_path, kind, bits):
    write_gguf(tmp_path / "stored.gguf", kind="Q4_1")
    load_script("compare_llama_cpp").same_weights(tmp_path / "stored.gguf", tmp_path / "wide.gguf", kind)
    stored, wide = (gguf.GGUFReader(tmp_path / f"{name}.gguf") for name in ("stored", "wide"))
    told = {f.name: f.contents() for f in wide.fields.values() if not f.name.startswith("GGUF.")}
    for field in stored.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.file_type":
            assert told[field.name] == field.contents(), field.name
    assert [t.name for t in wide.tensors] == [t.name for t in stored.tensors]
    for one, other in zip(stored.tensors, wide.tensors):
        expected = values(one).astype(np.float32)
        if bits and expected.ndim > 1:
            assert np.abs(values(other) - expected).max() <= np.abs(expected).max() / 256
        else:
            assert np.array_equal(values(other), expected)


def test_the_table_has_both_programs_and_their_ratios(tmp_path):
    write_gguf(tmp_path / "stored.gguf", kind="Q4_1")
    llama = tmp_path / "llama"
    llama.write_text("#!/bin/sh\necho '{\"prompt\": 50.0, \"decode\": 20.0}'\n")
    llama.chmod(0o755)
    command = [sys.executable, SCRIPT, tmp_path / "stored.gguf", "--llama-python", llama, "--threads", "1"]
    command += ["--depth", "64", "--tokens", "4", "--rounds", "1", "--csv", tmp_path / "table.csv"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "table.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["type"], row["threads"]) for row in rows] == [("fp32", "1"), ("bf16", "1")]
    for row in rows:
        assert float(row["prompt_tokens_per_second"]) == 50 and float(row["decode_tokens_per_second"]) == 20
        assert f"{float(row['full_tokens_per_second']) / 20:.2f}" in done.stdout
        assert float(row["tova_prompt_tokens_per_second"]) > 0
