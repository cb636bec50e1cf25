"""Prints the folder of the one run that `attnlab list` named.

usage: find_run.py RESULTS LISTING
"""

import pathlib
import sys

import h5py
from paths import print_path, visible


def main():
    results, listing = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text().split()
    for record in visible(results, "*/*/run.h5"):
        if record.parent.name in listing:
            with h5py.File(record) as file:
                if file.attrs.get("run_id", record.parent.name) == record.parent.name:
                    print_path(record.parent)
                    return 0
    print(f"find_run: no run in {results} is one of: {' '.join(listing)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
