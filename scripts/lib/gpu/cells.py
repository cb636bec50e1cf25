"""Cells of the closing table: what was measured, beside the least that bytes and FLOPs allow at the rates measured."""

import dataclasses
import json
import subprocess

from gpu.carry import name_of

HOW = """How the least times are derived, all rates as measured here in the same run:
  products   FLOPs of the matrix products as executed / rate of square products in the same precision (task speed, score_speed)
  reading    decoding: weights, then caches, each the longer of bytes / read rate and FLOPs / product rate (task decode_speed)
  training   6 FLOPs a weight and token / rate of bf16 products (fp32 on the CPU); attention left out
A share is least / measured. Starting operators costs time too, which no least counts: some 64 a decoder layer and step, 70 an encoder
layer forward and 190 with its backward (counted in the source) times the start time above; where that is longer than the least
time it binds ('starts')."""

OPERATORS = {"decode": 64, "infer": 70, "train": 190}  # of a layer


@dataclasses.dataclass
class Cell:
    step: str
    name: str
    status: str  # done, skipped, failed, interrupted, not done
    reason: str = ""
    what: str = ""
    measured: float | None = None  # seconds
    least: float | None = None
    starts: float | None = None
    note: str = ""

    @property
    def share(self):
        return self.least / self.measured if self.least and self.measured else None

    @property
    def binds(self):
        return "starts" if self.starts and self.least and self.starts > self.least else ""


def of_step(call, step, start_seconds):
    """A cell or two a run of the step's experiment."""
    if step.part == "train":
        return [training_cell(call, step)]
    command = [call.program, "table", step.experiment, *call.overrides(step), "--format", "json"]
    told = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if told.returncode != 0:
        return [Cell(step.name, "", "failed", told.stderr.strip().rpartition("error: ")[2])]
    cells = []
    for run in json.loads(told.stdout)["experiments"][0]["runs"]:
        cells += of_run(call, step, run, start_seconds)
    return cells


def of_run(call, step, run, start_seconds):
    status = {"out_of_memory": "skipped", "not started": "not done"}.get(run["status"], run["status"])
    if status != "done":
        reason = run["error"] or call.reasons.get(step.name, "")
        return [Cell(step.name, run["name"], "failed" if status in ("diverged", "running") else status, reason)]
    value = {name: figure["value"] for name, figure in run["figures"].items()}
    layers = layers_of(step.experiment)
    if "fraction_of_full" in value:
        return scored(step, run["name"], value)
    if "step_seconds" in value:
        return [decoded(step, run["name"], value, layers * OPERATORS["decode"] * start_seconds)]
    return timed(step, run["name"], value, layers, start_seconds)


def timed(step, name, value, layers, start_seconds):
    """Of task speed."""
    for phase in ("train", "infer"):
        if f"{phase}_seconds" in value:
            memory = f"{value[f'{phase}_allocator_peak'] / 2**30:.2f} GiB above the weights"
            yield Cell(
                step.name, name, "done", "", "training step" if phase == "train" else "inference", value[f"{phase}_seconds"],
                value[f"{phase}_flops"] / value["product_rate"], layers * OPERATORS[phase] * start_seconds, memory,
            )  # fmt: skip


def scored(step, name, value):
    """Of task score_speed: shares are of the same rate, so the least time comes back from them."""
    tokens = value["fraction_of_full"] and value["tokens_per_second"]
    yield Cell(
        step.name, name, "done", "", "1,000 tokens", 1000 / tokens, 1000 / tokens * value["product_share"],
        None, f"{value['fraction_of_full']:.2f} of the full forward",
    )  # fmt: skip
    full = 1000 / value["full_tokens_per_second"]
    yield Cell(step.name, name, "done", "", "1,000 tokens, full cache beside it", full, full * value["full_product_share"])


def decoded(step, name, value, starts):
    """Of task decode_speed."""
    seconds = value["step_seconds"]
    note = f"batch {value['batch']:.0f}, {value['tokens_per_second']:.0f} tokens/s, caches {value['cache_bytes'] / 2**30:.2f} GiB"
    return Cell(step.name, name, "done", "", "decoding step", seconds, seconds * value["bound_share"], starts, note)


def training_cell(call, step):
    folders = sorted(call.results.glob(f"{name_of(step.experiment)}/*/metrics.jsonl"))
    if not folders:
        return Cell(step.name, "", "not done", call.reasons.get(step.name, ""))
    status, loss, updates, parameters, rate = "running", None, 0, None, None
    for line in folders[-1].read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line of a killed run
        if event["event"] == "attribute" and event["name"] == "status":
            status = event["value"]
        if event["event"] == "row" and event["table"] == "/train":
            row = event["values"]
            updates, loss = max(updates, row.get("step", 0)), row.get("loss", loss)
            rate = row.get("tokens_per_second", rate)
        if event["event"] == "summary" and event["name"] == "parameters":
            parameters = event["value"]
    cell = Cell(step.name, f"{updates} updates", status, call.reasons.get(step.name, ""), "1,000 tokens trained on")
    if rate:
        cell.measured = 1000 / rate
    if parameters is None:
        parameters = parameters_of(step.experiment)
    product = call.rates.get("product_rate_fp32" if call.options.device == "cpu" else "product_rate_bf16")
    if parameters and product:
        cell.least = 6e3 * parameters / product
    cell.note = f"loss {loss:.3f}" if loss is not None else ""
    return cell


def numbers_of(experiment):
    """Keys of the YAML that stand on a line of their own with a whole number, or in braces."""
    found = {}
    for part in experiment.read_text().replace("{", "\n").replace("}", "\n").replace(",", "\n").splitlines():
        key, _, value = part.strip().partition(": ")
        if value.split(" ")[0].isdigit() and key not in found:
            found[key] = int(value.split(" ")[0])
    return found


def layers_of(experiment):
    return numbers_of(experiment).get("layers", 2 if "small" in experiment.parts else 4)


def parameters_of(experiment):
    """Of a decoder with tied embeddings, as many key-value heads as query heads."""
    n = numbers_of(experiment)
    if not {"dim", "ffn_dim", "layers"} <= n.keys():
        return None
    return n["layers"] * (4 * n["dim"] ** 2 + 3 * n["dim"] * n["ffn_dim"]) + n.get("vocabulary", 258) * n["dim"]
