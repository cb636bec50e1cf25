"""What is carried away: at most 8 files of less than 16 MiB, 64 MiB in all, and a training's checkpoint brought back from it."""

import pathlib
import shutil
import tarfile

from gpu import records

MOST_FILES = 8
PART_BYTES = 15 << 20  # of a file
MOST_PARTS = 4
MOST_BYTES = 62 << 20
RECORDS = "records.tar.gz"
OF_CALLS = ("gpu_steps.log", "gpu_tests.json", "gpu_budget.txt")  # what calls remember beside the runs
KEPT = ("run.h5", "metrics.jsonl", "config.yaml", "log.txt")
LESS = (KEPT, ("run.h5", "config.yaml"), ("config.yaml",))  # of a run, where more is too large; metrics.jsonl says what run.h5 says


def training(results):
    """The folder of the training's newest run, or nothing."""
    found = [path.parent for name in ("gpu_train_pg19", "gpu_small_train") for path in results.glob(f"{name}/*/checkpoint")]
    return max(found, key=lambda folder: (folder / "checkpoint").stat().st_mtime, default=None)


def pack(out, results, plan):
    """Records of all steps, the end of a long log, and the checkpoint in parts where it is small enough."""
    cut(out / "tests.log")
    for kept in LESS:
        pack_records(out / RECORDS, results, plan, kept)
        if (size := (out / RECORDS).stat().st_size) <= PART_BYTES:
            break
        print(f"gpu: {RECORDS} of {size / 2**20:.1f} MiB with {', '.join(kept)} of each run is too large to be carried away; all is in {results}")
    else:
        (out / RECORDS).unlink()
    pack_training(out, results)


def cut(log):
    """Keeps the end of a log that is too large: there it says what failed."""
    if not log.exists() or log.stat().st_size <= PART_BYTES:
        return
    said = f"(the first of {log.stat().st_size} bytes are left out)\n".encode()
    with open(log, "rb") as file:
        file.seek(len(said) - PART_BYTES, 2)
        end = file.read()
    log.write_bytes(said + end)


def pack_records(archive, results, plan, kept):
    part = results / ".records.tar.gz"
    with tarfile.open(part, "w:gz") as packed:
        for name in OF_CALLS:
            if (results / name).exists():
                packed.add(results / name, name)
        for step in plan:
            if step.experiment is None:
                continue
            for folder in records.folders(results, step.experiment):
                for name in kept:
                    if (folder / name).is_file():
                        packed.add(folder / name, str((folder / name).relative_to(results)))
    shutil.move(part, archive)


def pack_training(out, results):
    """Each part takes the place of the last one whole: a call that is killed here leaves a checkpoint that can be gone on from."""
    folder = training(results)
    if folder is None:
        return
    whole, part = results / ".checkpoint.tar", results / ".checkpoint.part"
    with tarfile.open(whole, "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.name == "checkpoint" or path.name in KEPT:
                archive.add(path, str(path.relative_to(results)))
    size = whole.stat().st_size
    old = set(out.glob("checkpoint.tar.*"))
    others = [path.stat().st_size for path in out.iterdir() if path not in old]
    most_parts = min(MOST_PARTS, MOST_FILES - len(others))
    count = -(-size // PART_BYTES)
    if count > most_parts or size + sum(others) > MOST_BYTES:
        print(f"gpu: the checkpoint of {size >> 20} MiB is too large to be carried away and stays in {folder}")
        count = 0
    with open(whole, "rb") as source:
        for i in range(count):
            part.write_bytes(source.read(PART_BYTES))
            shutil.move(part, out / f"checkpoint.tar.{i}")
    for left in old - {out / f"checkpoint.tar.{i}" for i in range(count)}:
        left.unlink()
    whole.unlink()


def extract(archive, results, members=None):
    archive.extractall(results, members, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))


def bring_back_records(out, results):
    """What another machine has measured, where it is not here yet."""
    if not (out / RECORDS).exists():
        return
    with tarfile.open(out / RECORDS) as archive:
        there = {path.relative_to(results).parent for path in results.glob("*/*/run.h5")}
        members = [m for m in archive.getmembers() if not (results / m.name).exists() and pathlib.PurePath(m.name).parent not in there]
        extract(archive, results, members)


def bring_back(out, results):
    """Puts the parts of a checkpoint together again where no training is here yet; the folder of its run then."""
    parts = sorted(out.glob("checkpoint.tar.*"), key=lambda path: int(path.suffix[1:]))
    if not parts or training(results) is not None:
        return None
    whole = results / ".checkpoint.tar"
    with open(whole, "wb") as target:
        for part in parts:
            target.write(part.read_bytes())
    with tarfile.open(whole) as archive:
        extract(archive, results)
    whole.unlink()
    return training(results)
