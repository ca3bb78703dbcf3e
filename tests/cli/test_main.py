"""The command itself: help at once, a line for every mistake, a true status."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from conftest import environment
from seedproof import __version__
from seedproof.cli import VERBS, main

STATUSES = {0, 1, 2, 3, 4, 5, 124, 130}
HEAVY = ("numpy", "scipy", "rich", "allpairspy", "tensorflow", "torch", "jax", "keras")
STEADY = "import seedproof; seedproof.record('weights', 1.0, step=0, phase='update')\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No settings of this project or of the caller."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)


@pytest.fixture
def refusal(capsys):
    """The one line of a command line that is refused, without `seedproof: `."""

    def refused(*argv):
        assert main(argv) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith("seedproof: ")
        return line.removeprefix("seedproof: ")

    return refused


# -- help --------------------------------------------------------------------------------------


def test_without_words_the_help_is_shown_and_nothing_was_done(capsys):
    assert main([]) == 2
    assert "seedproof check" in capsys.readouterr().out


def test_the_short_help_names_the_long_one_which_names_every_verb(capsys):
    assert main(["--help"]) == 0
    assert "seedproof --help-all" in capsys.readouterr().out
    assert main(["--help-all"]) == 0
    shown = capsys.readouterr().out
    assert all(f"seedproof {verb} " in shown for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert f"seedproof {verb}" in capsys.readouterr().out


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"seedproof {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help_comes_without_loading_what_takes_long(words):
    program = f"""
import sys
from seedproof.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.split() == []


def test_the_help_of_check_loads_nothing_that_carries_out_a_check():
    program = """
import sys
from seedproof.cli import main
try:
    main(["check", "--help"])
except SystemExit:
    pass
print(*(name for name in sys.modules if name.startswith("seedproof.")), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = done.stderr.split()
    assert "seedproof.cli.check" in loaded
    assert not [
        name for name in loaded if name.startswith(("seedproof.checking", "seedproof.compare"))
    ]


# -- mistakes ----------------------------------------------------------------------------------


def test_an_unknown_verb_is_told_with_the_one_that_was_meant(refusal):
    line = refusal("chekc", "train.py")
    assert line.startswith("chekc: no such command (did you mean check?); there are check, ")
    assert line.endswith("; type: seedproof --help")


def test_an_unknown_option_is_told_with_the_one_that_was_meant(refusal):
    assert refusal("check", "--rnus", "3", "train.py") == (
        "--rnus: no such option (did you mean --runs?); type: seedproof check --help"
    )
    assert refusal("check", "--rnus=3", "train.py").startswith("--rnus: no such option (did you")


def test_an_option_that_is_like_none_is_told_without_a_guess(refusal):
    assert refusal("check", "--xyzzy") == ("--xyzzy: no such option; type: seedproof check --help")


def test_an_option_must_be_written_out(refusal):
    assert refusal("check", "--run", "3", "train.py").startswith("--run: no such option (did you")


def test_an_option_without_its_value_is_told(refusal):
    assert refusal("check", "--json").startswith("argument --json: expected one argument; type: ")


def test_a_name_with_a_line_break_stays_on_the_one_line(refusal):
    line = refusal("check", "no\nsuch\x1b[31m.py")
    assert line.startswith("no such\N{REPLACEMENT CHARACTER}[31m.py: no such script; ")


def test_a_fault_of_our_own_is_three_and_never_looks_like_a_verdict(monkeypatch, capsys):
    monkeypatch.setattr("seedproof.cli.sources._catalogue", lambda: {}["gone"])
    assert main(["sources"]) == 3
    assert capsys.readouterr().err == (
        "seedproof: internal error, a fault of this program: KeyError: 'gone'; to see where: "
        "SEEDPROOF_DEBUG=1\n"
    )
    monkeypatch.setenv("SEEDPROOF_DEBUG", "1")
    assert main(["sources"]) == 3
    assert "Traceback" in capsys.readouterr().err


def _random_words(seed):
    """A command line that nobody would type on purpose."""
    draw = random.Random(seed)
    values = [
        *("3", "1", "0", "-1", "abc", "", "-", "--", "-m", "é\udcff", "1e400", "nan", "9" * 5000),
        *("as-is", "seeded", "seeds", "seeds=1,2", "hash_seed=x", "=", "a,b=c", "none/out"),
        *("train.py", "no.py", "note.ipynb", "/", "x" * 5000, "--help", "-h"),
    ]
    options = [
        *("--policy", "--pin", "--vary", "--runs", "--seed", "--threads", "--jobs", "--python"),
        *("--keep-going", "--timeout", "--continue", "--dir", "--json", "--nonsense", "-x"),
        *("--runs=2", "--vary=-seeds", "--pin=seeds"),
    ]
    words = [draw.choice(["check", "check", "check", "check", "sources", "eval", "chek", "--dir"])]
    for _ in range(draw.randint(0, 5)):
        words.append(draw.choice(draw.choice([options, values])))
    return words


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_typed_gives_a_documented_status_and_no_traceback(seed, tmp_path, capsys):
    (tmp_path / "train.py").write_text(STEADY)
    words = _random_words(seed)
    try:
        status = main(words)
    except SystemExit as helped:
        status = helped.code
    err = capsys.readouterr().err
    assert status in STATUSES, words
    assert "Traceback" not in err
    assert "internal error" not in err, words
    if status == 2 and err:
        *_, line = err.splitlines()
        assert line.startswith("seedproof: ")


# -- output that nobody reads, and letters that a terminal has not -------------------------------


def test_a_reader_who_has_gone_changes_no_status(tmp_path):
    (tmp_path / "train.py").write_text("import os, seedproof; seedproof.record('w', os.urandom(8))")
    read, write = os.pipe()
    os.close(read)
    command = ["check", "--python", sys.executable, "train.py"]
    done = subprocess.run(
        [sys.executable, "-m", "seedproof", *command],
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert done.returncode == 1
    assert "BrokenPipe" not in done.stderr


def test_a_terminal_without_the_letters_gets_them_escaped():
    done = subprocess.run(
        [sys.executable, "-m", "seedproof", "check", "--help"],
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
    )
    assert done.returncode == 0
    assert b"V1,V2,\\u2026" in done.stdout
