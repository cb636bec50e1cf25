"""What the tests of the report share: starting scripts, and reading the page that comes of it."""

import html.parser
import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = ROOT / "scripts" / "report"
PLOTS = ROOT / "scripts" / "plots"
PNG = b"\x89PNG\r\n\x1a\n"

loader = importlib.machinery.SourceFileLoader("report_script", str(REPORT))
report_script = importlib.util.module_from_spec(importlib.util.spec_from_loader("report_script", loader))
loader.exec_module(report_script)


def start(script, *arguments):
    """The script as a user starts it."""
    command = [sys.executable, str(script), *(str(a) for a in arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def report(*arguments):
    """The report within this process, which saves loading matplotlib; its exit status."""
    return report_script.main([str(a) for a in arguments])


class Page(html.parser.HTMLParser):
    """The words of a page, the rows of its tables, what it would fetch, and whether every element is closed."""

    VOID = {"meta", "img", "br", "wbr"}

    def __init__(self, path):
        super().__init__()
        self.words, self.sources, self.links, self.ids, self.rows, self.open = [], [], [], [], [], []
        self.tags = []  # of each of the words the innermost element
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.sources += [attributes["src"]] if "src" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)
            self.tags.append(self.open[-1] if self.open else "")
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data.replace("\u00a0", " ")

    def row(self, *beginning):
        """The first row of a table that begins with these cells."""
        return next(row for row in self.rows if row[: len(beginning)] == list(beginning))
