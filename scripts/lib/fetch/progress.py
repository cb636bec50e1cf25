"""One live line on a terminal, a plain line every so often into a file. All of it on standard error."""

from __future__ import annotations

import sys
import time


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


class Progress:
    """Progress of a copy of `total` bytes (None: nobody knows) that starts at `start`."""

    def __init__(self, what: str, start: int, total: int | None):
        self._what, self._start, self._total = what, start, total
        self._live = sys.stderr.isatty()
        self._interval = 0.2 if self._live else 10.0
        self._began = self._shown = time.monotonic()

    def update(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            self._show(done, now)

    def finish(self, done: int) -> None:
        self._show(done, time.monotonic())
        if self._live:
            print(file=sys.stderr)

    def _show(self, done: int, now: float) -> None:
        rate = (done - self._start) / max(now - self._began, 1e-3)
        text = f"{self._what}: {megabytes(done)}"
        if self._total:
            text += f" of {megabytes(self._total)} ({100 * done / self._total:.0f} %)"
        text += f", {megabytes(round(rate))}/s"
        if self._total and 0 < rate and done < self._total:
            text += f", {(self._total - done) / rate:.0f} s left"
        if self._live:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
