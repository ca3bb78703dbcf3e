"""Options: where a value may stand, which place wins, and how a bad one is refused."""

from __future__ import annotations

import importlib
import os

import pytest

from conftest import environment
from seedproof.cli import VERBS, Parser, main, options, pyproject

WHOLE = "a whole number from"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No settings of this project or of the caller, and a script to check."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    (tmp_path / "train.py").write_text("raise SystemExit('this must not run')\n")


@pytest.fixture
def in_file(tmp_path):
    """Writes `[tool.seedproof]`."""

    def write(text):
        (tmp_path / "pyproject.toml").write_text(f"[tool.seedproof]\n{text}\n")

    return write


@pytest.fixture
def refusal(capsys):
    """The one line of a check that is refused before anything runs, without `seedproof: `."""

    def refused(*argv):
        assert main(["check", *argv]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith("seedproof: ")
        return line.removeprefix("seedproof: ")

    return refused


def resolved(*argv, declared=(options.RUNS, options.POLICY, options.KEEP_GOING)):
    parser = Parser(prog="test")
    for option in declared:
        option.add_to(parser)
    return options.resolve(declared, parser.parse_args(argv))


# -- places ------------------------------------------------------------------------------------


def test_without_a_word_the_defaults_count():
    settings = resolved()
    assert (settings.runs, settings.policy, settings.keep_going) == (3, None, False)
    assert not settings.given("runs")


def test_the_command_line_beats_the_variable_which_beats_the_file(in_file, monkeypatch):
    in_file("runs = 4")
    assert resolved().runs == 4
    monkeypatch.setenv("SEEDPROOF_RUNS", "5")
    assert resolved().runs == 5
    assert resolved("--runs", "6").runs == 6


@pytest.mark.parametrize("text", ["true", '"true"'])
def test_a_flag_can_stand_in_the_file(in_file, text):
    in_file(f"keep-going = {text}")
    assert resolved().keep_going is True


def test_a_flag_can_stand_in_a_variable(monkeypatch):
    monkeypatch.setenv("SEEDPROOF_KEEP_GOING", "yes")
    assert resolved().keep_going is True
    monkeypatch.setenv("SEEDPROOF_KEEP_GOING", "0")
    assert resolved().keep_going is False


def test_several_values_can_stand_in_every_place(in_file, monkeypatch):
    in_file('policy = ["as-is", "seeded"]')
    assert resolved().policy == ["as-is", "seeded"]
    in_file('policy = "seeded"')
    assert resolved().policy == ["seeded"]
    monkeypatch.setenv("SEEDPROOF_POLICY", "seeded deterministic")
    assert resolved().policy == ["seeded", "deterministic"]
    assert resolved("--policy", "as-is", "--policy=seeded").policy == ["as-is", "seeded"]


@pytest.mark.parametrize(
    ("flags", "variable", "text", "origin"),
    [
        (["--runs", "x"], "4", "runs = 4", "--runs"),
        ([], "x", "runs = 4", "SEEDPROOF_RUNS"),
        ([], None, 'runs = "x"', "tool.seedproof.runs in pyproject.toml"),
    ],
)
def test_an_error_names_the_place_where_the_value_stands(
    refusal, in_file, monkeypatch, flags, variable, text, origin
):
    in_file(text)
    if variable:
        monkeypatch.setenv("SEEDPROOF_RUNS", variable)
    assert refusal(*flags, "train.py") == f"{origin}: found 'x'; allowed is {WHOLE} 2 to 10000"


def test_an_error_in_a_source_names_its_place_too(refusal, in_file, monkeypatch):
    in_file('pin = ["seed"]')
    assert refusal("train.py").startswith("tool.seedproof.pin in pyproject.toml: found 'seed'; ")
    monkeypatch.setenv("SEEDPROOF_PIN", "seeds=x")
    assert refusal("train.py").startswith("SEEDPROOF_PIN: found 'seeds=x'; allowed is seeds=VALUE")


# -- the file ----------------------------------------------------------------------------------


def test_an_unknown_option_in_the_file_is_named_with_the_one_that_was_meant(refusal, in_file):
    in_file("rnus = 3")
    assert refusal("train.py") == (
        "tool.seedproof.rnus in pyproject.toml: no such option (did you mean runs?)"
    )


def test_the_file_may_have_the_options_of_every_verb():
    known = options._known()
    for verb in VERBS:
        module = importlib.import_module(f"seedproof.cli.{verb}")
        declared = {option.name for option in getattr(module, "OPTIONS", ())}
        assert declared <= known, verb


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool", "pyproject.toml: it cannot be read as TOML: "),
        ("\x00", "pyproject.toml: it cannot be read as TOML: "),
        ("tool = 3", "pyproject.toml: tool is 3; allowed is a table"),
        ("[tool]\nseedproof = 3", "pyproject.toml: seedproof is 3; allowed is a table"),
        ("[[tool.seedproof]]", "pyproject.toml: seedproof is [{}]; allowed is a table"),
        ("x = " + "[" * 100_000, "pyproject.toml: it cannot be read as TOML: "),
    ],
    ids=["broken", "binary", "no table", "no table of ours", "tables", "deep"],
)
def test_a_file_that_cannot_be_used_is_one_line(refusal, tmp_path, text, line):
    (tmp_path / "pyproject.toml").write_text(text)
    assert refusal("train.py").startswith(line)


def test_a_file_that_is_no_text_is_one_line(refusal, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert refusal("train.py").startswith("pyproject.toml: it cannot be read as TOML: ")


def test_a_directory_of_that_name_is_one_line(refusal, tmp_path):
    (tmp_path / "pyproject.toml").mkdir()
    assert refusal("train.py") == "pyproject.toml: it cannot be read (Is a directory)"


def test_the_file_of_another_tool_is_none_of_ours(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.other]\nrnus = 3\n[project]\nname = "x"\n')
    assert pyproject.table(()) == {}


# -- values ------------------------------------------------------------------------------------


BAD_VALUES = {
    "--policy determinstic": "allowed is one of as-is, seeded, deterministic",
    "--outputs /x": "allowed is a pattern of files below the working directory",
    "--runs 0": f"allowed is {WHOLE} 2 to 10000",
    "--runs 1": f"allowed is {WHOLE} 2 to 10000",
    "--runs -1": f"allowed is {WHOLE} 2 to 10000",
    "--runs abc": f"allowed is {WHOLE} 2 to 10000",
    "--runs \N{ARABIC-INDIC DIGIT THREE}": f"allowed is {WHOLE} 2 to 10000",
    "--threads -2": f"allowed is {WHOLE} 1 to 4096",
    "--seed 4294967296": f"allowed is {WHOLE} 0 to 4294967295",
    "--jobs 0": f"allowed is {WHOLE} 1 to 4096",
    "--timeout 0": "allowed is a number of seconds above 0",
    "--timeout nan": "allowed is a number of seconds above 0",
    "--pin thread": "allowed is one of seeds, entropy, hash_seed, ",
    "--vary thread": "allowed is one of seeds, entropy, hash_seed, ",
    "--pin num_threads=x": f"allowed is num_threads=VALUE, where VALUE is {WHOLE} 1 to 4096",
    "--vary hash_seed=1,x": f"allowed is hash_seed=VALUE, where VALUE is {WHOLE} 0 to",
    "--vary hash_seed=1": "allowed is hash_seed=V1,V2,…: two values or more, since one varies",
    "--python no-such-python": "which is no program; give its path",
}


@pytest.mark.parametrize("words", BAD_VALUES)
def test_a_bad_value_is_one_line_that_says_what_is_allowed(refusal, words):
    flag, value = words.split()
    separator = "," if flag == "--python" else ";"
    line = refusal(flag, value, "train.py")
    assert line.startswith(f"{flag}: found {value!r}{separator} {BAD_VALUES[words]}")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--policy seeded --policy seeded", "--policy: found seeded twice; each policy is one arm"),
        ("--pin seeds=1 --pin seeds=2", "--pin seeds: found twice; name each source once"),
        ("--vary seeds=1,2 --vary seeds", "--vary seeds: found twice; name each source once"),
    ],
)
def test_what_is_said_twice_is_refused(refusal, words, line):
    assert refusal(*words.split(), "train.py").startswith(line)


@pytest.mark.parametrize(
    "words",
    [
        ["--seed", "3"],
        ["--threads", "2", "--policy", "seeded"],
        ["--seed", "3", "--pin", "seeds=1"],
        ["--policy", "deterministic", "--pin", "num_threads=2", "--threads", "4"],
    ],
    ids=" ".join,
)
def test_an_option_that_can_have_no_effect_is_refused(refusal, words):
    option = next(word for word in words if word in ("--seed", "--threads"))
    assert refusal(*words, "train.py").startswith(f"{option}: it has no effect, since no pin of ")


def test_a_standing_setting_may_be_without_effect_on_this_policy(in_file, tmp_path, capsys):
    in_file("seed = 3")
    (tmp_path / "train.py").write_text("import seedproof; seedproof.record('w', 1.0)\n")
    assert main(["check", "--runs", "2", "train.py"]) == 0


@pytest.mark.parametrize(
    ("place", "reason"),
    [("nowhere/out.json", "its directory does not exist"), (".", "it is a directory"),
     ("train.py/out.json", "its directory does not exist"),
     ("x" * 5000, "File name too long")],
    ids=["nowhere", "a directory", "below a file", "too long"],
)  # fmt: skip
def test_json_that_could_not_be_written_is_refused_before_anything_runs(
    refusal, tmp_path, place, reason
):
    assert refusal("--json", place, "train.py") == (
        f"--json {place}: it cannot be written ({reason}); name a file, or -"
    )
    assert not (tmp_path / ".seedproof").exists()


# -- typed again -------------------------------------------------------------------------------


def test_what_was_typed_can_be_typed_again():
    declared = (options.POLICY, options.RUNS, options.VARY, options.KEEP_GOING, options.DIR)
    parser = Parser(prog="test")
    for option in declared:
        option.add_to(parser)
    typed = ["--runs", "4", "--vary", "seeds=1,2", "--vary=-x", "--keep-going", "--dir", "my runs"]
    arguments = parser.parse_args(["--policy", "seeded", *typed])
    assert options.as_typed(declared, arguments, without=(options.POLICY,)) == typed
