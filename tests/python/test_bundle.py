"""The packed program runs away from its build, and says what it misses."""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import sysconfig

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import carried  # noqa: E402
from gpu import records, steps  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "attnlab"
TORCH = pathlib.Path(sysconfig.get_paths()["platlib"]) / "torch"
LARGEST = 55 * 2**20

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="build/release is not built")


def raw_data(folder):
    """Reviews and books in the publishers' layouts, and the tokenizer of a model."""
    def put(name, text):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    for half in ("train", "test"):
        for label in ("neg", "pos"):
            for i in range(12):
                put(f"imdb/aclImdb/{half}/{label}/{i}_{2 if label == 'neg' else 8}.txt", f"{half} {label} {i}")
    for split, books in (("train", 3), ("validation", 1)):
        for book in range(books):
            draw = random.Random(book)
            words = ["".join(draw.choices("etaoinshrdlucmfwypvbgk", k=draw.randint(2, 8))) for _ in range(20000)]
            lines = (" ".join(words[i : i + 12]) for i in range(0, len(words), 12))
            put(f"pg19/{split}/{book + 10 * (split == 'validation')}.txt", "\n".join(lines))
    (folder / "stories260k").mkdir()
    shutil.copy(ROOT / "tests/golden/small_tokenizer.model", folder / "stories260k" / "tokenizer.model")
    return folder


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    data = raw_data(folder / "raw")
    command = [sys.executable, ROOT / "scripts" / "bundle", folder / "b.tar.gz", "--books", "2", "--reviews", "40", "--data", data, "--without-cuda"]
    told = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    assert "not in " not in told, "nothing was missing"
    assert "without the operators for GPUs, as asked" in told
    assert "\nin it: attnlab, " in told and "libattnlab_ops.so" in told and "of commit " in told
    assert (folder / "b.tar.gz").stat().st_size < LARGEST
    subprocess.run(["tar", "xzf", str(folder / "b.tar.gz"), "-C", str(folder)], check=True)
    return folder / "attnlab"


def start(unpacked, *words, **environment):
    """From the folder itself, as scripts/gpu starts it."""
    return subprocess.run(
        [str(unpacked / "attnlab"), *words], capture_output=True, text=True, cwd=unpacked, env={"PATH": "/usr/bin:/bin", **environment}
    )


def test_refuses_to_leave_the_operators_for_gpus_out_unasked(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "bundle", tmp_path / "b.tar.gz", "--books", "0", "--reviews", "0", "--cuda", tmp_path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"error: no operators for GPUs are built in {tmp_path}: scripts/build cuda attnlab_ops_cuda, or --without-cuda\n"
    assert not list(tmp_path.iterdir())
    (tmp_path / "build.ninja").touch()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith(f"error: the operators for GPUs in {tmp_path} are older than their sources and cannot be built\n")
    assert not (tmp_path / "b.tar.gz").exists()


@pytest.mark.skipif(not (TORCH / "lib" / "libtorch_cpu.so").exists(), reason="no PyTorch wheel beside this Python")
def test_resolves_an_experiment_with_pytorch_alone(unpacked):
    done = start(unpacked, "show", str(unpacked / "experiments" / "quickstart.yaml"), ATTNLAB_TORCH=str(TORCH))
    assert done.returncode == 0, done.stderr
    assert "task: classify" in done.stdout


def test_brings_every_library_but_the_systems_and_pytorchs(unpacked):
    found = subprocess.run(
        ["ldd", str(unpacked / "lib" / "attnlab")],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(unpacked / "lib")},
    ).stdout  # fmt: skip
    for name in ("libhdf5", "libyaml-cpp", "libsentencepiece", "libattnlab_ops", "libstdc++"):
        line = next(line for line in found.splitlines() if name in line)
        assert str(unpacked) in line


def test_carries_prepared_data_and_no_raw_texts(unpacked):
    data = unpacked / "data"
    assert not list(data.rglob("*.txt"))
    halves = {half: list(carried.sequences(data / "imdb" / "prepared" / f"{half}.seq")) for half in ("train", "test")}
    for half, found in halves.items():
        assert len(found) == 20, "ten of each class"
        assert all(text.decode() == " ".join((half, name.split("/")[1], name.split("/")[2].split("_")[0])) for name, text in found)
    lines = {name: [json.loads(line) for line in (data / "pg19" / f"{name}.jsonl").read_text().splitlines()] for name in ("train", "validation", "chunks")}
    assert [book["id"] for book in lines["train"]] == ["0", "1"]
    assert [book["id"] for book in lines["validation"]] == ["10"]
    assert [(chunk["id"], len(chunk["ids"]), chunk["ids"][0]) for chunk in lines["chunks"]] == [("10:1", 512, 1), ("10:2", 512, 1)]


@pytest.mark.skipif(not (TORCH / "lib" / "libtorch_cpu.so").exists(), reason="no PyTorch wheel beside this Python")
@pytest.mark.parametrize("name, more", [("small/luna_text", ["data.validation_fraction=0.1"]), ("train_pg19", ["context=64", "batch_size=1", "validation_tokens=64"])])
def test_steps_train_on_what_it_carries(unpacked, tmp_path, monkeypatch, name, more):
    """As scripts/gpu in the bundle calls them, for one update on the CPU."""
    monkeypatch.setattr(steps, "ROOT", unpacked)
    step = steps.Step("train", unpacked / "experiments" / "gpu" / f"{name}.yaml")
    assert steps.lacks(step) == ""
    words = [*steps.data_words(step), f"results_folder={tmp_path}", *carried.LEAST, *more]
    done = start(unpacked, "run", str(step.experiment), *words, ATTNLAB_TORCH=str(TORCH))
    assert done.returncode == 0, done.stderr
    assert records.of(next(tmp_path.rglob("metrics.jsonl")).parent).words("status") == "done"


def test_says_what_is_missing(unpacked, tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\necho\n")
    (tmp_path / "python3").chmod(0o755)
    done = start(unpacked, "doctor", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 2
    assert "no PyTorch is found; install torch==" in done.stderr


def test_refuses_another_release_of_pytorch(unpacked, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorch_cpu.so").touch()
    (tmp_path / "version.py").write_text("__version__ = '2.9.1+cu128'\n")
    done = start(unpacked, "doctor", ATTNLAB_TORCH=str(tmp_path))
    assert done.returncode == 2
    assert f"error: PyTorch 2.9.1 is in {tmp_path}, and this program was built against" in done.stderr


def test_names_libraries_that_are_not_found(unpacked, tmp_path):
    """As the loader's own tool says it; here nothing is missing."""
    told = "\\tlibcudart.so.13 => not found\\n\\tlibm.so.6 => /lib/libm.so.6 (0x0)\\nx: version `GLIBC_2.99\' not found (required by y)\\n"
    (tmp_path / "ldd").write_text(f'#!/bin/sh\nprintf "{told}"\n'.replace("`", "\\`"))
    (tmp_path / "ldd").chmod(0o755)
    done = start(unpacked, "doctor", ATTNLAB_TORCH=str(TORCH), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 2
    assert done.stderr.startswith("error: what attnlab needs is not found here: GLIBC_2.99 libcudart.so.13 (")
    assert done.stderr.count("\n") == 1


def test_brings_the_script_for_gpus_and_its_experiments(unpacked):
    for name in ("scripts/gpu", "scripts/lib/gpu/drive.py", "experiments/gpu/rates.yaml", "experiments/gpu/small/luna.yaml"):
        assert (unpacked / name).exists(), name
    help_text = subprocess.run([sys.executable, str(unpacked / "scripts" / "gpu"), "--help"], capture_output=True, text=True)
    assert "--minutes" in help_text.stdout
    assert not list(unpacked.rglob("*.pyc"))


def test_its_script_for_gpus_says_what_is_missing(unpacked, tmp_path):
    """The launcher's sentence comes through, and nothing is run."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorch_cpu.so").touch()
    (tmp_path / "version.py").write_text("__version__ = '2.12.0+cu130'\n")
    for torch, told in ((tmp_path, f"error: PyTorch 2.12.0 is in {tmp_path}, and this program was built"), (tmp_path / "none", "error: no PyTorch is found")):
        command = [sys.executable, unpacked / "scripts" / "gpu", "--results", tmp_path / "results", "--out", tmp_path / "out"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "ATTNLAB_TORCH": str(torch)})
        assert done.returncode == 2
        assert done.stderr.startswith(told) and done.stderr.count("\n") == 1, done.stderr
