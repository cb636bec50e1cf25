"""What runs have recorded: the events of metrics.jsonl (results/README.md), which a run that was killed leaves whole but for its
last line."""

import dataclasses
import json
import pathlib
import urllib.parse


@dataclasses.dataclass
class Record:
    attributes: dict = dataclasses.field(default_factory=dict)
    figures: dict = dataclasses.field(default_factory=dict)  # but those that were not measured
    rows: dict = dataclasses.field(default_factory=dict)  # by table

    def words(self, name):
        """An attribute as text, "" where there is none."""
        return str(self.attributes.get(name, ""))

    def take(self, event):
        if event["event"] == "attribute":
            self.attributes[event["name"]] = event["value"]
        elif event["event"] == "summary" and event["value"] is not None:
            self.figures[event["name"]] = event["value"]
        elif event["event"] == "row":
            self.rows.setdefault(event["table"], []).append(event["values"])


def name_of(experiment: pathlib.Path):
    return next(line[6:].strip() for line in experiment.read_text().splitlines() if line.startswith("name: "))


def folders(results, experiment):
    """Of an experiment's runs, the newest last."""
    found = results.glob(f"{name_of(experiment)}/*/metrics.jsonl")
    return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime)]


def of_file(uri):
    """The record whose run.h5 has this URI; empty where the run has not begun."""
    folder = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path)).parent
    return of(folder) if (folder / "metrics.jsonl").is_file() else Record()


def of(folder):
    """The record in a run's folder."""
    record = Record()
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        try:
            record.take(json.loads(line))
        except ValueError:
            break
    return record


def any_failed(results, experiment):
    """Whether a run of the experiment failed; one that took too much memory did not."""
    return any(of(folder).words("status") in ("failed", "diverged") for folder in folders(results, experiment))


def newest(results, experiment):
    """The record of an experiment's newest run; empty where there is none."""
    found = folders(results, experiment)
    return of(found[-1]) if found else Record()
