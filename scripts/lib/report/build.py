"""The whole report: an overview and a part for each experiment, everything inside one page; plots also beside it."""

from report import experiment_section, html, overview, run_section
from report.html import element
from report.pictures import Pictures


def build(experiments, output, source):
    """Writes the report and the folder plots/ beside it."""
    runs = [run for experiment in experiments for run in experiment.runs]
    output.parent.mkdir(parents=True, exist_ok=True)
    plots = Pictures(output.parent / "plots", single=len(runs) == 1)
    several = len(experiments) > 1
    heading = element("h1", title(experiments))
    parts = [element("header", heading, element("p", introduction(runs, source), class_="soft"))]
    if several:
        names = [experiment.name for experiment in experiments]
        parts += [html.navigation(["Overview", *names]), overview.section(experiments)]
    parts += [part_of(experiment, plots, several) for experiment in experiments]
    part = output.with_name(output.name + ".part")
    part.write_text(html.page(title(experiments), *parts), encoding="utf-8")
    part.replace(output)


def part_of(experiment, plots, several):
    if len(experiment.runs) > 1:
        return experiment_section.section(experiment, plots, heading=several)
    (run,) = experiment.runs
    made = run_section.section(run, plots.of_run(run, experiment.runs), opened=True)
    return html.page_part(experiment.name, element("h2", experiment.name), made) if several else made


def title(experiments):
    return f"attnlab: {experiments[0].name if len(experiments) == 1 else f'{len(experiments)} experiments'}"


def introduction(runs, source):
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    return (
        f"Made from {count} in {source}. Every number comes from the runs' records (run.h5); the plots also lie in the "
        "folder plots/ beside this page."
    )
