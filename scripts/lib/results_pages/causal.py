"""The tables of results/luna.md about Luna that reads from left to right."""

from .files import number

FORMS = ("chunks", "outer_products", "softmax")


def causal_speed(files):
    """Every length and l: the scan's time, what the other forms take of it, and memory."""
    rows = []
    for row in files.rows("causal_speed.csv"):
        for threads in ("1_thread", "2_threads"):
            times = [number(row.get(f"scan_speedup_{form}_{threads}"), 1) for form in FORMS]
            memory = [number(float(row[f"extra_bytes_{form}"]) / 2**20, 1) if row.get(f"extra_bytes_{form}") else "–"
                      for form in ("scan", *FORMS)]  # fmt: skip
            rows.append([row["label"].removesuffix(" tokens"), row["projection_length"], threads[0],
                         number(1e3 * float(row[f"seconds_scan_{threads}"]), 1), *times,
                         number(100 * float(row[f"product_share_{threads}"]), 0),
                         " / ".join(memory) if threads == "1_thread" else ""])  # fmt: skip
    return ["tokens", "l", "threads", "scan, ms", "chunks: × the scan", "outer products: ×", "fused softmax: ×",
            "share of the rate of products, %",
            "beyond operands and results, MiB: scan / chunks / outer products / softmax"], rows  # fmt: skip


TABLES = {"causal_speed": causal_speed}
