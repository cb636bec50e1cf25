"""The folders of src/ may include what their libraries link, and nothing else.

All of them share one include path, so the linker alone would let a header-only use of a higher layer through.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


def links():
    """What each library links directly, from the CMakeLists.txt of its folder."""
    direct = {}
    for file in SRC.glob("*/CMakeLists.txt"):
        calls = re.findall(r"(?:attnlab_library|target_link_libraries)\(([^)]*)\)", file.read_text())
        direct[file.parent.name] = set(re.findall(r"attnlab_([a-z]+)", " ".join(calls)))
    return direct


def reachable(name, direct):
    found = {name}
    for other in direct.get(name, set()) & direct.keys() - {name}:
        found |= reachable(other, direct)
    return found


def test_parallel_loops_stand_in_the_kernels():
    """Torch's at::parallel_for runs on the calling thread alone where the compiler is not asked for OpenMP, which only
    the kernels are compiled with; elsewhere `side_by_side` (kernels/bounded_attention.h) reaches the threads."""
    files = (file for suffix in ("cpp", "h") for file in SRC.rglob(f"*.{suffix}") if file.parts[len(SRC.parts)] != "kernels")
    assert [str(file.relative_to(ROOT)) for file in files if "parallel_for(" in file.read_text()] == []


def test_no_include_points_the_wrong_way():
    direct = links()
    assert {"core", "kernels", "tasks", "run"} <= direct.keys()
    wrong = []
    for folder in direct:
        allowed = reachable(folder, direct)
        if folder != "kernels":
            allowed.add("core")  # its errors and options are headers alone
        for file in (SRC / folder).rglob("*.*"):
            for include in re.findall(r'^#include "([a-z]+)/', file.read_text(), re.MULTILINE):
                if include not in allowed:
                    wrong.append(f"{file.relative_to(ROOT)} includes {include}/")
    assert wrong == []
