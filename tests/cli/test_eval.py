"""`seedproof eval`: what it prints, what it writes, and how it ends."""

import io
import json
import sys

import pytest

from seedproof.cli import main

IDENTICAL = "20201002-230020\n0 0.5 0.25\n1 0.5 0.5\n20201002-230216\n0 0.5 0.25\n1 0.5 0.5\n"
DIFFERENT = IDENTICAL.replace("0 0.5 0.25", "0 0.25 0.75", 1)


def run(*arguments):
    return main(["eval", *map(str, arguments)])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No settings of this project or of the caller."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDPROOF_JSON", raising=False)


@pytest.fixture
def results(tmp_path):
    def write(text, name="results.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_identical_runs(results, capsys):
    path = results(IDENTICAL)
    assert run(path) == 0
    captured = capsys.readouterr()
    first, *rest = captured.out.splitlines()
    assert first == f"{path}: 0.0, 0:01:56"
    assert all(line.startswith("  ") for line in rest)
    said = " ".join(captured.out.split())
    assert "found: 2 runs of 2 folds" in said
    assert "loss: variance 0.0 (sample variance 0.0)" in said
    assert "identical: yes, bit for bit. 2 identical runs mean, at 95% confidence," in said
    assert "leaves out one run, includes start-up" in said
    assert captured.err == ""


def test_different_runs(results, capsys):
    path = results(DIFFERENT)
    assert run(path) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: 0.01953125, 0:01:56\n")
    assert "loss: variance 0.0078125 (sample variance 0.015625)" in out
    assert "accuracy: variance 0.03125 (sample variance 0.0625)" in out
    assert "identical: no: a loss or an accuracy has other bits" in out


def test_a_single_run_is_unknown(results, capsys):
    path = results("20201002-230020\n0 0.1 0.9\n")
    assert run(path) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"{path}: 0.0, 0:00:00 found: 1 run of 1 fold ")
    assert "(sample variance none for a single run)" in said
    assert "identical: unknown. A single run was compared with nothing" in said


def test_not_finite_numbers_are_said(results, capsys):
    path = results("20201002-230020\n0 nan 0.9\n20201002-230021\n0 1.0 0.9\n")
    assert run(path) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: nan, 0:00:01\n")
    assert "not finite: 1 of 4 numbers are nan or infinite" in out


def test_a_clock_set_back_leaves_the_time_unknown(results, capsys):
    path = results(IDENTICAL.replace("-230216", "-230000"))
    assert run(path) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: 0.0, unknown\n")
    assert "time: unknown: the stamp in line 4 is earlier" in out


def test_a_damaged_file_is_one_line_and_the_good_ones_are_printed(results, capsys):
    good, bad, last = results(IDENTICAL), results("0 1\n", "bad.txt"), results(DIFFERENT, "last")
    assert run(good, bad, last) == 2
    captured = capsys.readouterr()
    assert f"{good}: 0.0" in captured.out
    assert f"{last}: 0.0" in captured.out
    assert captured.err.startswith(f"seedproof: {bad}:1: found 2 fields; allowed is ")
    assert captured.err.count("\n") == 1


def test_json_in_a_file_beside_the_text(results, tmp_path, capsys):
    path = results(DIFFERENT)
    assert run(path, "--json", tmp_path / "out.json") == 0
    assert capsys.readouterr().out.startswith(f"{path}: ")
    assert json.loads((tmp_path / "out.json").read_text()) == {
        "schema": "seedproof.eval/1",
        "files": [
            {
                "path": str(path),
                "runs": 2,
                "folds": 2,
                "variance": 0.01953125,
                "seconds": 116,
                "loss": {"variance": 0.0078125, "sample_variance": 0.015625},
                "accuracy": {"variance": 0.03125, "sample_variance": 0.0625},
                "identical": False,
            }
        ],
    }


def test_json_on_standard_output_stands_alone(results, capsys):
    nan = results("20201002-230020\n0 nan 0.9\n", "nan.txt")
    bad = results("", "bad.txt")
    assert run(nan, bad, "--json", "-") == 2
    captured = capsys.readouterr()
    (file,) = json.loads(captured.out)["files"]
    assert file["variance"] is None
    assert file["loss"] == {"variance": None, "sample_variance": None}
    assert file["accuracy"] == {"variance": 0.0, "sample_variance": None}
    assert file["identical"] is None
    assert captured.err.startswith(f"seedproof: {bad}:1: found no run")


def test_json_that_cannot_be_written_is_one_line(results, tmp_path, capsys):
    assert run(results(IDENTICAL), "--json", tmp_path / "missing" / "out.json") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"seedproof: --json {tmp_path / 'missing' / 'out.json'}: ")
    assert error.count("\n") == 1


def test_json_never_overwrites_what_it_evaluates(results, capsys):
    path = results(IDENTICAL)
    assert run(path, "--json", path.parent / "." / path.name) == 2
    assert "name another file" in capsys.readouterr().err
    assert path.read_text() == IDENTICAL


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems want names in Unicode")
def test_a_path_that_is_no_unicode_is_escaped_in_json(results, capsys):
    assert run(results(IDENTICAL, "r\udce9sultats.txt"), "--json", "-") == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file["path"].endswith("r\\udce9sultats.txt")


def test_a_path_that_the_terminal_cannot_show_is_escaped(results, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(results(IDENTICAL, "r\u00e9sultats.txt")) == 0
    assert b"r\\xe9sultats.txt: 0.0, 0:01:56\n" in terminal.buffer.getvalue()


def test_at_least_one_file_is_wanted(capsys):
    assert run() == 2
    assert "FILE" in capsys.readouterr().err
