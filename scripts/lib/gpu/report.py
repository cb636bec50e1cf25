"""The closing table, and what is asked of a GPU."""

import csv
import json
import shutil

from gpu import cells, records

WARNING = "Run on the CPU at small sizes: it shows that every step works. No figure here says anything of a GPU."


def runs_of(call, step):
    """The runs of a step's experiment as `attnlab table` tells them, or why it does not."""
    told = call.ask("table", step.experiment, *call.overrides(step), "--format", "json")
    if told.returncode != 0:
        return [], told.stderr.strip().rpartition("error: ")[2]
    return json.loads(told.stdout)["experiments"][0]["runs"], ""


def take(call, step, again=True):
    """Reads what is recorded of a step into the call's cells; of the rates, and then of what earlier calls have done of all others."""
    if step.experiment is None or (step.experiment in call.taken and not again):
        return
    call.taken[step.experiment] = []
    if step.part == "rates":
        call.rates = call.rates_record().figures
        for other in call.reported:
            if other.part != "rates" and records.folders(call.results, other.experiment):
                take(call, other)
    else:
        call.taken[step.experiment] = cells.of_step(call, step, *runs_of(call, step))
    call.cells = [cell for each in call.reported for cell in call.taken.get(each.experiment, [])]


def in_units(seconds):
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms" if seconds >= 1e-4 else f"{1e6 * seconds:.1f} µs"


def line_of(cell):
    state = cell.status + (f": {cell.reason}" if cell.reason else "")
    share = f"{100 * cell.share:.0f} %" if cell.share else ""
    notes = "; ".join(filter(None, [cell.note, cell.elsewhere, state if state != "done" else ""]))
    return [cell.step, cell.name, cell.what, in_units(cell.measured), in_units(cell.least), share, cell.binds, cell.forms, notes, cell.how]


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows)


def device_lines(call):
    says = records.newest(call.results, call.plan[0].experiment).words
    lines = [f"GPU: {says('gpu')}" if call.options.device == "cuda" else f"CPU: {says('cpu')}"]
    lines += [f"  {says(key)}" for key in ("gpu_state", "cuda") if says(key)]
    lines += [f"  at the end of the rates: {says('gpu_state_end')}"] if says("gpu_state_end") else []
    changes = ", with changes that are in no commit" if says("git_dirty") == "true" else ""
    lines.append(f"  rates at commit {says('git_commit')}{changes}, torch {says('version_torch')}; the program here is of commit {call.commit}")
    r = call.rates
    if {"read_rate", "copy_rate", "start_seconds"} <= r.keys():
        rate = lambda key: f"{r[key] / 1e12:.4g}" if key in r else "-"  # noqa: E731
        lines.append(f"  products {rate('product_rate_fp32')} (fp32), {rate('product_rate_tf32')} (TF32), {rate('product_rate_bf16')} (bf16) TFLOP/s")
        lines.append(f"  reading {r['read_rate'] / 1e9:.4g} GB/s, copying {r['copy_rate'] / 1e9:.4g} GB/s, an operator every {1e6 * r['start_seconds']:.1f} µs")
    if any(step.name == "throughput_7b" for step in call.reported):
        budget, why = call.budget()
        lines.append(f"  throughput_7b may take {f'{budget} GiB, ' if budget else ''}{why}")
    return lines


def targets(call):
    """What a GPU should reach, and what it did: lines."""
    find = lambda step, *words: next((c for c in call.cells if c.step == step and c.status == "done" and all(w in c.name + "|" + c.what for w in words)), None)  # noqa: E731
    lines = []

    def hold(name, value, wanted, *of, at_least=True):
        if value is None:
            lines.append(f"  {name}: not measured")
            return
        met = value >= wanted if at_least else value <= wanted
        elsewhere = "".join(dict.fromkeys(f" ({cell.elsewhere})" for cell in of if cell.elsewhere))
        lines.append(f"  {name}: {value:.2f}, {'at least' if at_least else 'at most'} {wanted} wanted: {'met' if met else 'MISSED'}{elsewhere}")

    luna, fused = (find("luna_4096", label, "bf16", "training") for label in ("Luna-16 ", "Transformer (fused)"))
    faster = fused.measured / luna.measured if luna and fused else None
    hold("Luna-16's training step at 4,096 tokens in bf16, times faster than the fused Transformer's", faster, 2.5, luna, fused)
    hold("and share of the rate of bf16 products", luna.products if luna else None, 0.45, luna)
    score = [c for c in call.cells if c.step == "scoring_7b" and "tova, k = 512" in c.name and c.note and c.status == "done"]
    best = min(score, key=over_full, default=None)
    hold("exact TOVA scoring of the 7B geometry at k = 512, over the full forward (best batch)", over_full(best) if best else None, 1.5, best, at_least=False)
    decode = next((c for c in call.cells if c.step == "decoding_7b" and c.name.startswith("tova, k = 1/8 batch_size=70") and c.status == "done"), None)
    hold("decoding at k = 512, batch 70: share of the rate of copying", decode.copying if decode else None, 0.7, decode)
    hold("and of the least time at the rate of reading", decode.share if decode else None, 0.7, decode)
    whole, eighth = (find("throughput_7b", label) for label in ("full", "k = 1/8"))
    rate = lambda cell: float(cell.note.split(", ")[1].split()[0])  # noqa: E731
    more = rate(eighth) / rate(whole) if whole and eighth else None
    hold("throughput at k = 1/8 over the full cache's, largest batches that fit", more, 4.8, whole, eighth)
    return lines


def over_full(cell):
    """Of scoring: its time over the full forward's, as the note says it."""
    return float(cell.note.split()[0])


def test_lines(call):
    lines = []
    for tested in call.tests:
        earlier = " (in an earlier call, with the same programs on the same device)" if tested.earlier else ""
        lines.append(f"{tested.name}: {tested.passed} passed, {len(tested.failed)} failed, {len(tested.skipped)} skipped{earlier}")
        lines += [f"  FAILED {test}" for test in tested.failed[:20]]
        lines += [f"  failed behind another and passes alone: {test}" for test in tested.alone]
        if tested.skipped and call.options.device == "cuda":
            lines += [f"  SKIPPED {test}" for test in tested.skipped[:20]]
    return lines


def replace(file, text):
    """At once: a report that is being written when the call is killed leaves the last one."""
    part = file.with_name("." + file.name)
    part.write_text(text)
    part.replace(file)


def write(call, stopped):
    """report.txt and cells.csv; the text."""
    rows = [["step", "cell", "what", "measured", "least", "share", "binds", "by", "notes", "least of"], *map(line_of, call.cells)]
    parts = [] if call.options.device == "cuda" else [WARNING, ""]
    parts += [*device_lines(call), "", *test_lines(call), "", aligned(rows), "", cells.HOW]
    left = [f"{step}: {reason}" for step, reason in call.reasons.items()]
    parts += ["", *(["Not all was done:", *(f"  {line}" for line in left)] if left else ["All was done."])]
    if elsewhere := sum(bool(cell.elsewhere) for cell in call.cells):
        parts.append(f"{elsewhere} cells are of another commit or device, as they say; a call with another --results measures all anew.")
    parts += [stopped] if stopped else []
    text = "\n".join(parts) + "\n"
    replace(call.out / "report.txt", text)
    with open(call.results / ".cells.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "cell", "what", "measured_seconds", "least_seconds", "starts_seconds", "share", "share_of_copying", "note", "least_of", "status", "reason", "commit", "by"])
        for c in call.cells:
            table.writerow([c.step, c.name, c.what, c.measured, c.least, c.starts, c.share, c.copying, c.note, c.how, c.status, c.reason, c.commit, c.forms])
    shutil.move(call.results / ".cells.csv", call.out / "cells.csv")
    return text


def judge(call):
    """What is asked of a GPU, at the end of report.txt: when all that was measured is on the disk. The text."""
    text = "" if call.options.small else "\n".join(["", "What is asked of a GPU:", *targets(call)]) + "\n"
    with open(call.out / "report.txt", "a") as file:
        file.write(text)
    return text
