"""Folders of decoders that the program writes open with transformers, or at least with safetensors, as the golden ones
that transformers wrote."""

import json
import os
import pathlib
import subprocess

import numpy
import pytest

safetensors = pytest.importorskip("safetensors", reason="Python's safetensors is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ATTNLAB_BUILD", ROOT / "build" / "release"))
GOLDEN = ROOT / "tests" / "golden"
DECODERS = ["llama", "mistral", "yi", "tied"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder for each golden decoder, loaded and saved again by the C++ test."""
    program = BUILD / "tests" / "test_io"
    if not program.exists():
        pytest.skip(f"{program} is not built")
    path = tmp_path_factory.mktemp("decoders")
    subprocess.run([program, "--gtest_filter=HfFolder.SavesEveryKindOfDecoder"],
                   env={**os.environ, "ATTNLAB_KEEP": str(path)}, check=True, capture_output=True)
    return path


def raw_tensors(folder):
    """Bytes by name, of all shards: numpy has no bfloat16."""
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in safetensors.deserialize(file.read_bytes()):
            tensors[name] = (tensor["dtype"], tuple(tensor["shape"]), bytes(tensor["data"]))
    return tensors


@pytest.mark.parametrize("name", DECODERS)
def test_weights_and_names_are_kept(saved, name):
    assert raw_tensors(saved / name) == raw_tensors(GOLDEN / "decoders" / name)


@pytest.mark.parametrize("name", DECODERS)
def test_the_index_names_every_tensor_and_its_shard(saved, name):
    index = json.loads((saved / name / "model.safetensors.index.json").read_text())
    for tensor, shard in index["weight_map"].items():
        with safetensors.safe_open(saved / name / shard, framework="numpy") as file:
            assert tensor in file.keys()
            assert file.metadata() == {"format": "pt"}  # transformers refuses a file without
    sizes = [len(data) for _, _, data in raw_tensors(saved / name).values()]
    assert index["metadata"]["total_size"] == sum(sizes)


@pytest.mark.parametrize("name", DECODERS)
def test_transformers_computes_the_same_logits(saved, name):
    torch = pytest.importorskip("torch", reason="Python's torch is not importable here", exc_type=ImportError)
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    golden = json.loads((GOLDEN / "decoder_logits.json").read_text())
    model = transformers.AutoModelForCausalLM.from_pretrained(saved / name, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([golden["ids"]])).logits[0, golden["rows"]]
    numpy.testing.assert_allclose(logits.double().flatten().numpy(), golden["logits"][name], atol=1e-4)
