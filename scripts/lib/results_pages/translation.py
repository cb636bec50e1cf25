"""The tables of results/luna.md about translation."""

from .files import number, spread

FLICKR = "multi30k_ende.csv"


def multi30k(files):
    """Every case that has run: BLEU, beside what the paper reports of models thirty times as large on WMT'14."""
    rows = {row["label"]: row for row in files.ours(FLICKR) if row["bleu"]}
    published = {row["match"]["label"]: row for row in files.rows("luna_wmt14_ende.yaml") if "match" in row}
    published["Transformer"] = published["Transformer, Apollo"]  # as its Lunas were trained
    base = float(rows["Transformer"]["bleu"])
    table = []
    for label, row in rows.items():
        seeds = int(row["runs_done"])
        table.append([label, number(float(row["parameters"]) / 1e6, 2), spread(row, "bleu", 2),
                      f"{seeds} seeds" if seeds > 1 else "sentences, 1 seed",
                      number(float(row["bleu"]) - base, 2), spread(row, "chrf_plus_plus", 2),
                      number(row["perplexity"], 2), number(row["tokens_per_second"], 0),
                      number(100 * float(row["padding_share"]), 1), number(published[label]["bleu"], 1)])  # fmt: skip
    return ["model", "parameters, M", "BLEU", "± is over", "less the Transformer's", "chrF++", "perplexity",
            "training, tokens/s", "padding, %", "published, WMT'14, base size"], table  # fmt: skip


TABLES = {"multi30k": multi30k}
