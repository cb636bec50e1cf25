"""What the program writes opens with Python's safetensors."""

import os
import pathlib
import subprocess

import numpy
import pytest

safetensors = pytest.importorskip("safetensors", reason="Python's safetensors is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ATTNLAB_BUILD", ROOT / "build" / "release"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The file that the C++ test of the writer leaves: one tensor of each type."""
    program = BUILD / "tests" / "test_io"
    if not program.exists():
        pytest.skip(f"{program} is not built")
    path = tmp_path_factory.mktemp("checkpoint") / "each.safetensors"
    subprocess.run(
        [program, "--gtest_filter=Safetensors.WritesWhatItReads"],
        env={**os.environ, "ATTNLAB_KEEP": str(path)},
        check=True,
        capture_output=True,
    )
    return path


def test_every_type_opens(written):
    counting = numpy.arange(6).reshape(2, 3) - 2
    kinds = {"f64": "float64", "f32": "float32", "f16": "float16"}
    kinds |= {"i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8"}
    with safetensors.safe_open(written, framework="numpy") as file:
        for name, kind in kinds.items():
            found = file.get_tensor(name)
            assert found.dtype == kind
            numpy.testing.assert_array_equal(found, counting)
        numpy.testing.assert_array_equal(file.get_tensor("u8"), counting + 2)
        numpy.testing.assert_array_equal(file.get_tensor("bool"), numpy.arange(6).reshape(2, 3) % 2 == 1)
        assert file.get_tensor("scalar") == 2.5
        assert file.get_tensor("empty").shape == (0, 4)


def test_bfloat16_opens(written):
    """numpy has no bfloat16: the raw bytes are the upper halves of float32's."""
    tensors = dict(safetensors.deserialize(written.read_bytes()))
    halves = numpy.frombuffer(tensors["bf16"]["data"], dtype="<u2").astype("<u4") << 16
    numpy.testing.assert_array_equal(halves.view("<f4").reshape(2, 3), numpy.arange(6).reshape(2, 3) - 2)


def test_metadata_opens(written):
    with safetensors.safe_open(written, framework="numpy") as file:
        assert file.metadata() == {"made_by": "attnlab"}
