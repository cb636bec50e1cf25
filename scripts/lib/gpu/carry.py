"""What is carried away: at most 8 files of less than 16 MiB, 64 MiB in all, and a training's checkpoint brought back from it."""

import tarfile

from gpu import records

PART_BYTES = 15 << 20
MOST_PARTS = 4
MOST_BYTES = 62 << 20
KEPT = ("run.h5", "metrics.jsonl", "config.yaml", "log.txt")


def training(results):
    """The folder of the training's newest run, or nothing."""
    found = [path.parent for name in ("gpu_train_pg19", "gpu_small_train") for path in results.glob(f"{name}/*/checkpoint")]
    return max(found, key=lambda folder: (folder / "checkpoint").stat().st_mtime, default=None)


def pack(out, results, plan):
    """Records of all steps, and the checkpoint in parts where it is small enough."""
    with tarfile.open(out / "records.tar.gz", "w:gz") as archive:
        if (results / "gpu_steps.log").exists():
            archive.add(results / "gpu_steps.log", "gpu_steps.log")
        for step in plan:
            if step.experiment is None:
                continue
            for folder in records.folders(results, step.experiment):
                for name in KEPT:
                    if (folder / name).is_file():
                        archive.add(folder / name, str((folder / name).relative_to(results)))
    for old in out.glob("checkpoint.tar.*"):
        old.unlink()
    folder = training(results)
    if folder is None:
        return
    whole = results / ".checkpoint.tar"
    with tarfile.open(whole, "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.name == "checkpoint" or path.name in KEPT:
                archive.add(path, str(path.relative_to(results)))
    size = whole.stat().st_size
    others = sum(path.stat().st_size for path in out.iterdir())
    if size <= MOST_PARTS * PART_BYTES and size + others <= MOST_BYTES:
        with open(whole, "rb") as source:
            for i in range(-(-size // PART_BYTES)):
                (out / f"checkpoint.tar.{i}").write_bytes(source.read(PART_BYTES))
    else:
        print(f"gpu: the checkpoint of {size >> 20} MiB is too large to be carried away and stays in {folder}")
    whole.unlink()


def bring_back(out, results):
    """Puts the parts of a checkpoint together again where the training is not here yet."""
    parts = sorted(out.glob("checkpoint.tar.*"), key=lambda path: int(path.suffix[1:]))
    if not parts or training(results) is not None:
        return
    whole = results / ".checkpoint.tar"
    with open(whole, "wb") as target:
        for part in parts:
            target.write(part.read_bytes())
    with tarfile.open(whole) as archive:
        archive.extractall(results, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(results)
    whole.unlink()
    print(f"gpu: the training goes on from the checkpoint in {out}")
