"""The whole report: plots beside it, everything also inside it."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "plots"))
import accuracy_by_length  # noqa: E402
import common  # noqa: E402
import compare_runs  # noqa: E402
import learning_curve  # noqa: E402
import speed_memory  # noqa: E402

from report import experiment_section, html, run_section  # noqa: E402
from report.html import element  # noqa: E402

PLOTS = [
    (learning_curve, "Learning curve: loss, validation accuracy and training speed over the updates."),
    (accuracy_by_length, "Test accuracy by length of the example, in groups of equal size."),
    (speed_memory, "Time and peak memory of one training step."),
]
OPEN_RUNS = 3  # where there are more, those of a sweep are folded, so that its overview stays in view


def build(runs, output, source):
    """Writes the report and the folder plots/ beside it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    plots = Plots(output.parent / "plots", single=len(runs) == 1)
    parts = [element("h1", title(runs)), element("p", introduction(runs, source), class_="soft")]
    experiments = {}
    for run in sorted(runs, key=lambda run: (run.experiment, run.title)):
        experiments.setdefault(run.experiment, []).append(run)
    for name, members in experiments.items():
        opened = len(members) == 1 or len(runs) <= OPEN_RUNS
        parts.append(experiment_part(members, plots, heading=name if len(experiments) > 1 else "", opened=opened))
    part = output.with_name(output.name + ".part")
    part.write_text(html.page(title(runs), *parts), encoding="utf-8")
    part.replace(output)


def title(runs):
    names = sorted({run.experiment for run in runs})
    return f"attnlab: {names[0]}" if len(names) == 1 else f"attnlab: {len(names)} experiments"


def introduction(runs, source):
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    return (
        f"Made from {count} in {source}. Every number comes from the runs' records (run.h5); the plots also lie in the "
        "folder plots/ beside this page. ± is one standard error."
    )


def experiment_part(runs, plots, heading, opened):
    parts = [element("h2", heading)] if heading else []
    if len(runs) > 1:
        parts += [experiment_section.overview(runs), *experiment_section.failures(runs)]
        parts += [experiment_section.over_seeds(runs), *plots.of_experiment(runs)]
    parts += [run_section.section(run, plots.of_run(run), opened) for run in runs]
    return html.join(parts)


class Plots:
    """Draws and saves the pictures, each made only where the run has something to show in it."""

    def __init__(self, folder, single):
        self.folder, self.single = folder, single

    def of_run(self, run):
        if run.status == "unreadable":
            return []
        prefix = "" if self.single else f"{run.experiment}_{run.id}_"
        pictures = [self._keep(plot.draw(run), prefix + plot.__name__, words) for plot, words in PLOTS]
        return [picture for picture in pictures if picture]

    def of_experiment(self, runs):
        made = compare_runs.draw([run for run in runs if run.status != "unreadable"])
        picture = self._keep(
            made, f"{runs[0].experiment}_compare_runs", "Validation accuracy of the runs over the updates."
        )
        return [picture] if picture else []

    def _keep(self, made, name, words):
        if made is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name.replace('/', '_')}.png"
        common.save(made, path)
        return html.picture(path, words)
