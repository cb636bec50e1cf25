"""The tables of results/tova.md on decoders that were trained here on two cores."""

from .files import number, paired

MODELS = {"train_pg19_small": "books", "train_pg19_small_bos": "chunks"}
READINGS = {"chunk": "with BOS", "none": "without"}


def sinks_small(files):
    """By what stood after BOS in training and by how chunks are read: perplexity with the full cache, and what each other costs."""
    columns = {(model, bos): f"BOS before {trained}, read {read}" for model, trained in MODELS.items() for bos, read in READINGS.items()}

    def case(label, model, bos):
        return f"{label} model={model}.yaml# chunks.bos={bos}"

    def cost(label, model, bos):
        return paired(files.row("sinks_small_against_full.csv", case(label, model, bos), figure="perplexity"), 2)

    full = [number(files.row("sinks_small.csv", case("full", *column))["perplexity"], 2) for column in columns]
    labels = dict.fromkeys(row["label"] for row in files.ours("sinks_small.csv") if row["label"] != "full")
    return ["cache", *columns.values()], [
        ["full: perplexity", *full],
        *([f"{label}: above full, % ± se over books", *(cost(label, *column) for column in columns)] for label in labels),
    ]


TABLES = {"sinks_small": sinks_small}
