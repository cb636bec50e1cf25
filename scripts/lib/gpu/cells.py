"""Cells of the closing table: what was measured, beside the least that bytes and FLOPs allow at the rates measured."""

import dataclasses

from gpu import records

# Operators that a GPU is given, counted in the source: of a decoder layer and step with TOVA's states, which is about what the
# full cache takes (decoder_attention.cpp, decoder_layer.cpp, rope.cpp, device_state.cpp, kernels/cuda/bounded_step.cu) ...
DECODING = {
    "rms_norm, one operator each": 2,
    "products": 7,
    "turning q and k together, by angles that are made once for all layers": 1,
    "deciding: decode_kernel, lane_kernel, a copy of y": 3,
    "sums with what came in": 2,
    "silu, and its product": 2,
}
# ... and of an encoder layer without padding, post-norm, with Luna, keys and values apart, both halves through SDPA, with softmax
# attention through SDPA, and with the textbook's, whose dropout is Torch's (encoder_layer.cpp, luna.cpp, softmax.cpp, fused.h,
# textbook_attention.cpp, model_step.cpp).
LUNA, FUSED, TEXTBOOK = "Luna", "Transformer (fused)", "Transformer (textbook)"
FORWARD = {
    LUNA: {"products": 9, "SDPA": 2, "sums and norms": 6, "gelu": 1},
    FUSED: {"products": 6, "SDPA": 1, "sums and norms": 4, "gelu": 1},
    TEXTBOOK: {"products": 6, "scale": 1, "heads' products, with three copies": 5, "softmax": 1, "heads put together": 1, "sums and norms": 4, "gelu": 1},
}
CASTS = {  # to bf16, in each pass
    LUNA: {"weights and biases": 18, "activations": 5},
    FUSED: {"weights and biases": 12, "activations": 4},
    TEXTBOOK: {"weights and biases": 12, "activations": 4, "scores to fp32 and weights back": 2},
}
TRAINING = {
    LUNA: {
        "dropouts": 3,
        "products backward, and sums for biases": 27,
        "SDPA backward": 6,
        "norms, their sums and dropouts backward": 9,
        "gelu backward": 1,
        "gradients of what is read several times": 7,
        "24 weights' gradients set to 0 and added to, steps counted": 72,
    },
    FUSED: {
        "dropouts": 2,
        "products backward, and sums for biases": 18,
        "SDPA backward": 3,
        "norms, their sums and dropouts backward": 6,
        "gelu backward": 1,
        "gradients of what is read several times": 4,
        "16 weights' gradients set to 0 and added to, steps counted": 48,
    },
    TEXTBOOK: {
        "dropouts, of weights too": 3,
        "products backward, and sums for biases": 18,
        "heads' products backward, copies, scale, softmax, dropout": 10,
        "norms, their sums and dropouts backward": 6,
        "gelu backward": 1,
        "gradients of what is read several times": 4,
        "16 weights' gradients set to 0 and added to, steps counted": 48,
    },
}
NARROW_SUMS = {LUNA: 3, FUSED: 2, TEXTBOOK: 2}  # of training in bf16: gradients of norms' inputs back to bf16


def operators(phase, name):
    """Of a layer and step: decode, infer or train, of a cell of this name, which begins with the label."""
    if phase == "decode":
        return sum(DECODING.values())
    kind = next((label for label in (FUSED, TEXTBOOK) if name.startswith(label)), LUNA)
    narrow = "precision=bf16" in name
    forward = sum(FORWARD[kind].values()) + narrow * sum(CASTS[kind].values())
    if phase == "infer":
        return forward
    return forward + sum(TRAINING[kind].values()) + narrow * (sum(CASTS[kind].values()) + NARROW_SUMS[kind])


def counts(phase):
    of = lambda kind: f"{operators(phase, kind + ' precision=bf16')} and {operators(phase, kind)}"  # noqa: E731
    return f"{of(LUNA)} (Luna), {of(FUSED)} (fused), {of(TEXTBOOK)} (textbook)"


HOW = f"""How the least times are derived (what of each cell stands in its last column), all rates as measured here in the same run:
  speed     the longer of two. FLOPs of the matrix products as executed / rate of square products in the same precision, measured
            between the steps; a training step has three times its forward's. And bytes / rate of copying: of every map by weights
            its rows in and out and the weights once, backward twice that; of attention q, k, v and y, backward those with their
            gradients (textbook: its weights 4 times too, backward 7); of the optimiser 44 a weight; norms, sums and casts left out.
            Where bytes bind, the notes say the products' share as well
  scoring   FLOPs of the products that 1,000 tokens need (projections, head, a query with each live state) / the same rate.
            Of TOVA's no GPU reaches that yet: each layer decides token by token, every step reading the live states of a head anew
            (tova_text in kernels/cuda/), and there is no form in blocks on tensor cores as the CPU has; the 1.5 asked for is not
            to be expected before there is
  decoding  weights once, then the caches of all texts once: each the longer of its bytes / read rate and its FLOPs (2 a weight and
            text; 2 a number of a cache and query head of its group) / product rate; rates measured before and after the steps
  training  6 FLOPs a weight and token, and attention's: a token sees n / 2 on average of a context of n, scores and sums are 2 · d
            FLOPs each of them and layer, backward twice that, 6 · layers · n · d in all / rate of bf16 products (fp32 on the CPU).
            Of luna_text the weights alone, where they are counted: its 16 rows add a few per cent
  reading   none: what counts of pg19_ids is that the GPU's perplexity is the CPU's
A share is least / measured. Of decoding the notes say the bytes above / measured / rate of copying as well. Starting operators costs
time too, which no least counts: some {operators("decode", "")} a decoder layer and step (TOVA's states, one token); an encoder layer
forward, in bf16 and in fp32, {counts("infer")},
a training step {counts("train")}; counted in the source, times the start
time above. Where that is longer than the least time it binds ('starts'). A share above 100 % is no figure ('rates?'): the rates were
measured in a busy minute, or what counts as read from memory stayed in a cache.
By: the states that a run's caches were made of, 'device' being the GPU's own operators and 'composed' steps of Torch's, many times
slower; and which form of Torch's attention ran."""

MOST_SHARE = 1.02
FARTHEST = 0.005  # of a perplexity from the CPU's: sums in another order, and a close call of TOVA's that falls otherwise


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
    perplexity: float | None = None
    products: float | None = None  # share of the rate of products, where bytes bind as well
    copying: float | None = None  # of a decoding step: bytes a second that it reads / the rate of copying
    note: str = ""
    how: str = ""  # the least comes about
    commit: str = ""  # of the program that measured it
    elsewhere: str = ""  # "", or that it was another commit or device than the call's
    forms: str = ""  # of states, and of Torch's attention

    @property
    def share(self):
        return self.least / self.measured if self.least and self.measured else None

    @property
    def binds(self):
        if self.share and self.share > MOST_SHARE:
            return "rates?"
        return "starts" if self.starts and self.least and self.starts > self.least else ""


def of_step(call, step, runs, refusal):
    """A cell or two a run of the step's experiment."""
    if refusal:
        return [Cell(step.name, "", "failed", refusal)]
    cells = []
    for run in runs:
        record = records.of_file(run["record"])
        found = [training_cell(call, step, record)] if step.part == "train" else list(of_run(call, step, run))
        for cell in found:
            describe(call, cell, record)
        cells += found
    hold_to_cpu(cells)
    return cells


def describe(call, cell, record):
    """What measured it, from its record; steps of Torch's operators in place of a GPU's own are no figure of TOVA."""
    cell.commit = record.words("git_commit")
    states, attention = record.words("states"), record.words("sdpa")
    cell.forms = "; ".join(filter(None, [states, attention]))
    others = [f"at commit {cell.commit[:7]}"] if cell.commit not in ("", call.commit) else []
    device = call.rates_record().words("gpu")
    if device and record.words("gpu") not in ("", device):
        others.append(f"on {record.words('gpu')}")
    cell.elsewhere = f"measured {' '.join(others)}" if others else ""
    on_gpu = record.words("device").startswith("cuda")
    if cell.status == "done" and on_gpu and cell.name.startswith("tova") and "device" not in states.split(", "):
        cell.status, cell.reason = "failed", f"the states were {states or 'unknown'} and not the device's own"


def of_run(call, step, run):
    start_seconds = call.rates.get("start_seconds", 0.0)
    status = {"out_of_memory": "skipped", "not started": "not done"}.get(run["status"], run["status"])
    if status != "done":
        reason = run["error"] or call.reasons.get(step.name, "")
        return [Cell(step.name, run["name"], "failed" if status in ("diverged", "running") else status, reason)]
    value = {name: figure["value"] for name, figure in run["figures"].items()}
    layers = layers_of(step.experiment)
    if "perplexity" in value:
        return [read(step, run["name"], value)]
    if "fraction_of_full" in value:
        return scored(step, run["name"], value)
    if "step_seconds" in value:
        starts = layers * operators("decode", run["name"]) * start_seconds
        return [decoded(step, run["name"], value, starts, call.rates.get("copy_rate"))]
    return timed(step, run["name"], value, layers, start_seconds, call.rates.get("copy_rate"))


def with_prefix(number, unit):
    """1.23e12, "FLOP": 1.23 TFLOP"""
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {prefix}{unit}"
    return f"{number:.3g} {unit}"


def by_products(flops, rate):
    """The least time of so many FLOPs, and how it comes about."""
    return flops / rate, f"{with_prefix(flops, 'FLOP')} at {with_prefix(rate, 'FLOP/s')}"


def by_bytes(count, rate):
    """The same of bytes; nothing where either is unknown."""
    return (count / rate, f"{with_prefix(count, 'B')} at {with_prefix(rate, 'B/s')}") if count and rate else (0.0, "")


def timed(step, name, value, layers, start_seconds, copy_rate=None):
    """Of task speed."""
    for phase in ("train", "infer"):
        if f"{phase}_seconds" in value:
            cell = Cell(step.name, name, "done", what="training step" if phase == "train" else "inference")
            cell.measured = value[f"{phase}_seconds"]
            products = by_products(value[f"{phase}_flops"], value["product_rate"])
            traffic = by_bytes(value.get(f"{phase}_traffic"), copy_rate)
            cell.least, cell.how = max(products, traffic)
            cell.products = products[0] / cell.measured
            cell.starts = layers * operators(phase, name) * start_seconds
            cell.note = f"{value[f'{phase}_allocator_peak'] / 2**30:.2f} GiB above the weights"
            if traffic > products:
                cell.note += f", {100 * cell.products:.0f} % of the rate of products"
            yield cell


def scored(step, name, value):
    """Of task score_speed."""
    for prefix, what in (("", "1,000 tokens"), ("full_", "1,000 tokens, full cache beside it")):
        cell = Cell(step.name, name, "done", what=what)
        cell.measured = 1000 / value[f"{prefix}tokens_per_second"]
        cell.least, cell.how = by_products(1000 * value[f"{prefix}token_flops"], value["product_rate"])
        if not prefix:
            cell.note = f"{value['fraction_of_full']:.2f} of the full forward"
        yield cell


def decoded(step, name, value, starts, copy_rate):
    """Of task decode_speed, which knows how the least comes about."""
    cell = Cell(step.name, name, "done", what="decoding step", measured=value["step_seconds"], least=value["least_seconds"], starts=starts)
    weights, caches, rate = value["weight_bytes"], value["cache_bytes"], value["read_rate"]
    cell.how = f"weights {with_prefix(weights, 'B')}, caches {with_prefix(caches, 'B')} at {with_prefix(rate, 'B/s')}"
    if cell.least > 1.001 * (weights + caches) / rate:
        cell.how += f", or their products, which take longer, at {with_prefix(value['product_rate'], 'FLOP/s')}"
    cell.note = f"batch {value['batch']:.0f}, {value['tokens_per_second']:.0f} tokens/s, caches {value['cache_bytes'] / 2**30:.2f} GiB"
    if copy_rate:
        cell.copying = (weights + caches) / cell.measured / copy_rate
        cell.note += f", {100 * cell.copying:.0f} % of the rate of copying"
    return cell


def read(step, name, value):
    """Of task perplexity."""
    cell = Cell(step.name, name, "done", what="1,000 tokens read", measured=1000 / value["tokens_per_second"], perplexity=value["perplexity"])
    cell.note, cell.how = f"perplexity {cell.perplexity:.4f}", "none: of this the perplexity counts"
    return cell


def hold_to_cpu(cells):
    """A perplexity on the GPU beside that of the same run on the CPU; one that is too far from it is a failure."""
    on_cpu = {cell.name.replace("device=cpu", "device=cuda"): cell.perplexity for cell in cells if "device=cpu" in cell.name}
    for cell in cells:
        if cell.perplexity and "device=cuda" in cell.name and (expected := on_cpu.get(cell.name)):
            away = abs(cell.perplexity / expected - 1)
            cell.note += f", {100 * away:.2g} % from the CPU's"
            if not away <= FARTHEST:
                cell.status, cell.reason = "failed", f"the perplexity is {cell.perplexity:.4f}, and {expected:.4f} on the CPU"


def training_cell(call, step, record):
    if not record.attributes:
        return Cell(step.name, "", "not done", call.reasons.get(step.name, ""))
    rows = record.rows.get("/train", [])
    updates = max((row["step"] for row in rows), default=0)
    cell = Cell(step.name, f"{updates} updates", record.words("status"), call.reasons.get(step.name, ""), "1,000 tokens trained on")
    if rows and rows[-1].get("tokens_per_second"):
        cell.measured = 1000 / rows[-1]["tokens_per_second"]
    parameters = record.figures.get("parameters") or parameters_of(step.experiment)
    product = call.rates.get("product_rate_fp32" if call.options.device == "cpu" else "product_rate_bf16")
    if parameters and product:
        cell.least, cell.how = by_products(1000 * (6 * parameters + attention_of(step.experiment)), product)
    cell.note = f"loss {rows[-1]['loss']:.3f}" if rows else ""
    if "accuracy" in record.figures:
        cell.note += f", accuracy {100 * record.figures['accuracy']:.1f} %"
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


def attention_of(experiment):
    """FLOPs of a decoder's causal attention a token trained on: scores and sums with half of the context on average, 2 · d each, and
    twice that backward; 0 where the experiment names no context."""
    n = numbers_of(experiment)
    return 6 * n["layers"] * n["context"] * n["dim"] if {"dim", "layers", "context"} <= n.keys() else 0
