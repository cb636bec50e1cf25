"""The closing table, and what is asked of a GPU."""

import csv

from gpu import cells, records

WARNING = "Run on the CPU at small sizes: it shows that every step works. No figure here says anything of a GPU."


def all_cells(call):
    if not hasattr(call, "cells"):
        call.rates = records.newest(call.results, call.plan[0].experiment).figures
        start = call.rates.get("start_seconds", 0.0)
        call.cells = []
        for step in call.plan:
            if step.experiment is not None and step.part != "rates":
                call.cells += cells.of_step(call, step, start)
    return call.cells


def in_units(seconds):
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms" if seconds >= 1e-4 else f"{1e6 * seconds:.1f} µs"


def line_of(cell):
    state = cell.status + (f": {cell.reason}" if cell.reason else "")
    share = f"{100 * cell.share:.0f} %" if cell.share else ""
    notes = "; ".join(filter(None, [cell.note, state if state != "done" else ""]))
    return [cell.step, cell.name, cell.what, in_units(cell.measured), in_units(cell.least), share, cell.binds, notes, cell.how]


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows)


def device_lines(call):
    says = records.newest(call.results, call.plan[0].experiment).words
    lines = [f"GPU: {says('gpu')}" if call.options.device == "cuda" else f"CPU: {says('cpu')}"]
    lines += [f"  {says(key)}" for key in ("gpu_state", "cuda") if says(key)]
    lines += [f"  at the end of the rates: {says('gpu_state_end')}"] if says("gpu_state_end") else []
    lines.append(f"  commit {says('git_commit')}, torch {says('version_torch')}")
    r = call.rates
    if r:
        rate = lambda key: f"{r[key] / 1e12:.4g}" if key in r else "-"  # noqa: E731
        lines.append(f"  products {rate('product_rate_fp32')} (fp32), {rate('product_rate_tf32')} (TF32), {rate('product_rate_bf16')} (bf16) TFLOP/s")
        lines.append(f"  reading {r['read_rate'] / 1e9:.4g} GB/s, copying {r['copy_rate'] / 1e9:.4g} GB/s, an operator every {1e6 * r['start_seconds']:.1f} µs")
    if any(step.name == "throughput_7b" for step in call.plan):
        budget, why = call.budget()
        lines.append(f"  throughput_7b may take {f'{budget} GiB, ' if budget else ''}{why}")
    return lines


def targets(call):
    """What a GPU should reach, and what it did: lines."""
    find = lambda step, *words: next((c for c in call.cells if c.step == step and c.status == "done" and all(w in c.name + "|" + c.what for w in words)), None)  # noqa: E731
    lines = []

    def hold(name, value, wanted, at_least=True):
        if value is None:
            lines.append(f"  {name}: not measured")
        else:
            met = value >= wanted if at_least else value <= wanted
            lines.append(f"  {name}: {value:.2f}, {'at least' if at_least else 'at most'} {wanted} wanted: {'met' if met else 'MISSED'}")

    luna, fused = (find("luna_4096", label, "bf16", "training") for label in ("Luna-16 ", "Transformer (fused)"))
    hold("Luna-16's training step at 4,096 tokens in bf16, times faster than the fused Transformer's", fused.measured / luna.measured if luna and fused else None, 2.5)
    hold("and share of the rate of bf16 products", luna.products if luna else None, 0.45)
    score = [c for c in call.cells if c.step == "scoring_7b" and "tova, k = 512" in c.name and c.note]
    hold("exact TOVA scoring of the 7B geometry at k = 512, over the full forward (best batch)", min((float(c.note.split()[0]) for c in score), default=None), 1.5, at_least=False)
    decode = next((c for c in call.cells if c.step == "decoding_7b" and c.name.startswith("tova, k = 1/8 batch_size=70") and c.status == "done"), None)
    hold("decoding at k = 512, batch 70: share of the rate of copying", decode.copying if decode else None, 0.7)
    hold("and of the least time at the rate of reading", decode.share if decode else None, 0.7)
    whole, eighth = (find("throughput_7b", label) for label in ("full", "k = 1/8"))
    rate = lambda cell: float(cell.note.split(", ")[1].split()[0])  # noqa: E731
    hold("throughput at k = 1/8 over the full cache's, largest batches that fit", rate(eighth) / rate(whole) if whole and eighth else None, 4.8)
    return lines


def test_lines(call):
    lines = []
    for name, passed, failed, skipped in call.tests:
        lines.append(f"{name}: {passed} passed, {len(failed)} failed, {len(skipped)} skipped")
        lines += [f"  FAILED {test}" for test in failed[:20]]
        if skipped and call.options.device == "cuda":
            lines += [f"  SKIPPED {test}" for test in skipped[:20]]
    return lines


def write(call, stopped):
    """report.txt and cells.csv; the text."""
    all_cells(call)
    rows = [["step", "cell", "what", "measured", "least", "share", "binds", "notes", "least of"], *map(line_of, call.cells)]
    parts = [] if call.options.device == "cuda" else [WARNING, ""]
    parts += [*device_lines(call), "", *test_lines(call), "", aligned(rows), "", cells.HOW]
    left = [f"{step}: {reason}" for step, reason in call.reasons.items()]
    parts += ["", *(["Not all was done:", *(f"  {line}" for line in left)] if left else ["All was done."])]
    parts += [stopped] if stopped else []
    text = "\n".join(parts) + "\n"
    (call.out / "report.txt").write_text(text)
    with open(call.out / "cells.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "cell", "what", "measured_seconds", "least_seconds", "starts_seconds", "share", "share_of_copying", "note", "least_of", "status", "reason"])
        for c in call.cells:
            table.writerow([c.step, c.name, c.what, c.measured, c.least, c.starts, c.share, c.copying, c.note, c.how, c.status, c.reason])
    return text


def judge(call):
    """What is asked of a GPU, at the end of report.txt: when all that was measured is on the disk. The text."""
    text = "" if call.options.small else "\n".join(["", "What is asked of a GPU:", *targets(call)]) + "\n"
    with open(call.out / "report.txt", "a") as file:
        file.write(text)
    return text
