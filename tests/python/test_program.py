"""How the scripts find the program that makes their tables, and what they say where it is not or fails."""

import pytest
from pages import report
import program  # in the folder that `pages` puts on the path
from runs import NoRun, load


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A project and a PATH without the program: put(place, script) adds one."""
    monkeypatch.setattr(program, "ROOT", tmp_path / "project")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("ATTNLAB_PROGRAM", raising=False)

    def put(place, script="exit 0"):
        path = tmp_path / place / "attnlab"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return put


def test_it_is_the_named_one_then_the_release_then_another_build_then_the_one_in_path(bare, monkeypatch):
    for place in ("bin", "project/build/asan", "project/build/release"):
        made = bare(place)
        assert program.find() == made
    monkeypatch.setenv("ATTNLAB_PROGRAM", "/named/attnlab")
    assert program.find() == "/named/attnlab"


def test_without_it_the_report_says_what_makes_it(bare, tmp_path, capsys):
    assert report(tmp_path) == 2
    said = "report: the program attnlab, which reads the records, is not there; scripts/build makes it\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "script, sentence",
    [
        ("echo 'warning: slow' >&2; echo 'error: r holds no run' >&2; exit 2", "^r holds no run$"),
        ("exit 3", "release/attnlab table ended with status 3$"),
        ("kill -9 $$", "release/attnlab table ended with status -9$"),
    ],
)
def test_a_failure_is_one_sentence(bare, tmp_path, script, sentence):
    bare("project/build/release", script)
    with pytest.raises(NoRun, match=sentence):
        load(tmp_path)


def test_one_that_cannot_be_started_is_named(bare, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_PROGRAM", str(tmp_path / "gone"))
    with pytest.raises(NoRun, match=f"^cannot start {tmp_path}/gone: No such file or directory$"):
        load(tmp_path)
