"""The tables of results/luna.md about translation."""

from .files import number, spread

FLICKR, TATOEBA = "multi30k_ende.csv", "tatoeba_ende.csv"
MEASURED = ["model", "parameters, M", "BLEU", "± is over", "less the Transformer's", "chrF++", "perplexity", "training, tokens/s",
            "padding, %", "data and record, % of a step"]  # fmt: skip


def _measured(files, name):
    """By label, MEASURED of every case that has run."""
    rows = {row["label"]: row for row in files.ours(name) if row["bleu"]}
    base = float(rows["Transformer"]["bleu"])
    measured = {}
    for label, row in rows.items():
        seeds = int(row["runs_done"])
        measured[label] = [label, number(float(row["parameters"]) / 1e6, 2), spread(row, "bleu", 2),
                           f"{seeds} seeds" if seeds > 1 else "sentences, 1 seed",
                           number(float(row["bleu"]) - base, 2), spread(row, "chrf_plus_plus", 2),
                           number(row["perplexity"], 2), number(row["tokens_per_second"], 0),
                           number(100 * float(row["padding_share"]), 1),
                           number(100 * float(row["harness_share"]), 2)]  # fmt: skip
    return measured


def multi30k(files):
    """Every case that has run: BLEU, beside what the paper reports of models thirty times as large on WMT'14."""
    published = {row["match"]["label"]: row for row in files.rows("luna_wmt14_ende.yaml") if "match" in row}
    published["Transformer"] = published["Transformer, Apollo"]  # as its Lunas were trained
    adam = number(published["Transformer, Adam"]["bleu"], 1)
    return [*MEASURED, f"published BLEU, WMT'14, base size, Apollo (the Transformer with Adam: {adam})"], [
        [*row, number(published[label]["bleu"], 1)] for label, row in _measured(files, FLICKR).items()
    ]


def tatoeba(files):
    """The two headline models on more and shorter sentences, of which nothing is published."""
    return MEASURED, list(_measured(files, TATOEBA).values())


def translators(files):
    """Beside nn.Transformer and CTranslate2, as scripts/compare_translators --csv wrote them."""
    rows = []
    for row in files.rows("translators_speed.csv"):
        beam = f", beam {row['beam']}" if row["beam"] else ""
        between = f"{number(row['slowest'], 0)} to {number(row['fastest'], 0)}" if row["rounds"] != "1" else "–"
        sentences = f"{row['sentences']} sentence{'s' * (row['sentences'] != '1')}"
        rows.append([f"{row['phase']}{beam}: {sentences} of {row['length']} tokens", row["model"],
                     number(row["tokens_per_second"], 0), between, row["rounds"], number(row["ratio"], 2)])  # fmt: skip
    return ["what", "model", "tokens/s, median of the rounds", "slowest to fastest", "rounds",
            "× nn.Transformer (train), × CTranslate2 (decode), median"], rows  # fmt: skip


def multi30k_trials(files):
    """The recipes that were tried, one seed each, and what each reached."""
    return ["model", "dropout", "on attention weights", "rate after the warm-up", "perplexity, validation", "BLEU, validation",
            "BLEU, test"], [
        [row["model"], row["dropout"], row["attention_dropout"], row["schedule"], number(row["perplexity_validation"], 2),
         number(row["bleu_validation"], 2), number(row["bleu"], 2)]
        for row in files.rows("multi30k_trials.csv")
    ]  # fmt: skip


TABLES = {"multi30k": multi30k, "tatoeba": tatoeba, "multi30k_trials": multi30k_trials, "translators": translators}
