"""The whole report: an overview and a part for each experiment, everything inside one page; plots also beside it."""

from report import experiment_section, html, overview, run_section
from report.html import element
from report.pictures import Pictures


def build(runs, output, source):
    """Writes the report and the folder plots/ beside it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    plots = Pictures(output.parent / "plots", single=len(runs) == 1)
    experiments = {}
    for run in sorted(runs, key=lambda run: (run.experiment, run.title)):
        experiments.setdefault(run.experiment, []).append(run)
    several = len(experiments) > 1
    parts = [element("header", element("h1", title(runs)), element("p", introduction(runs, source), class_="soft"))]
    if several:
        parts += [html.navigation(["Overview", *experiments]), overview.section(experiments)]
    for name, members in experiments.items():
        parts.append(part_of(name, members, plots, several))
    part = output.with_name(output.name + ".part")
    part.write_text(html.page(title(runs), *parts), encoding="utf-8")
    part.replace(output)


def part_of(name, members, plots, several):
    if len(members) > 1:
        return experiment_section.section(name, members, plots, heading=several)
    made = run_section.section(members[0], plots.of_run(members[0], members), opened=True)
    return html.page_part(name, element("h2", name), made) if several else made


def title(runs):
    names = sorted({run.experiment for run in runs})
    return f"attnlab: {names[0]}" if len(names) == 1 else f"attnlab: {len(names)} experiments"


def introduction(runs, source):
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    return (
        f"Made from {count} in {source}. Every number comes from the runs' records (run.h5); the plots also lie in the "
        "folder plots/ beside this page."
    )
