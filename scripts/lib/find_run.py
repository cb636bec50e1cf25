"""Prints the folder of the one run that `attnlab list` named.

usage: find_run.py RESULTS LISTING
"""

import pathlib
import sys

from paths import print_path, shown
from runs import NoRun, load


def main():
    results, listing = sys.argv[1], pathlib.Path(sys.argv[2]).read_text().split()
    try:
        runs = [run for experiment in load(results) for run in experiment.runs]
    except NoRun as error:
        print(f"find_run: {shown(str(error))}", file=sys.stderr)
        return 2
    for run in runs:
        if run.id == run.path.parent.name and run.id in listing:
            print_path(run.path.parent)
            return 0
    print(f"find_run: no run in {shown(results)} is one of: {' '.join(listing)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
