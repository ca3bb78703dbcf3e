"""`seedproof check`: the verdict on real runs of real scripts, and the status that goes with it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import environment
from seedproof.checking.outcome import overall_exit
from seedproof.inside.machine import visible_cores
from seedproof.policies import POLICIES

RECORD = """
import os, random, seedproof
for step in range(3):
    seedproof.record("weights", {value}, step=step, phase="update")
"""
STEADY = RECORD.format(value="step / 7")
SYSTEM_RANDOM = RECORD.format(value="os.urandom(8)")  # nothing pins it
SEEDABLE = RECORD.format(value="random.random()")
HASHED = RECORD.format(value="list({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'})")
SHOW = """
import json, os, seedproof, sys
def record(name, value):
    seedproof.record(name, str(value))
    with open("seen.jsonl", "a") as file:
        file.write(json.dumps({name: value}) + "\\n")
"""


@pytest.fixture
def seen(tmp_path):
    """What the runs of a script that uses `SHOW` wrote, run by run, each in its own view."""

    def read(name):
        files = sorted((tmp_path / ".seedproof").glob("checks/*/*/*/files/seen.jsonl"))
        lines = [line for file in files for line in file.read_text().splitlines()]
        return [found[name] for found in map(json.loads, lines) if name in found]

    return read


@pytest.fixture
def said(seedproof):
    """A check without JSON: its status, its standard output, and the lines of the other."""

    def check(*arguments, **variables):
        done = seedproof("check", "--python", sys.executable, *arguments, **variables)
        return done.status, done.out, done.err.splitlines()

    return check


def ours(err):
    return [line for line in err if line.startswith("seedproof: ")]


# -- verdicts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_a_script_that_repeats_is_identical_under_every_policy(
    seedproof, script, policy, monkeypatch
):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)  # it would contradict a pin
    result = seedproof.check("--policy", policy, script(STEADY))
    assert (result["verdict"], result["exit"]) == ("identical", 0)
    (arm,) = result["arms"]
    assert arm["divergence"] is None
    assert arm["evidence"]["runs"] == 3
    assert 0.77 < arm["evidence"]["max_divergence_probability_95"] < 0.78


def test_a_script_that_draws_from_the_system_diverges_at_its_first_record(seedproof, script):
    result = seedproof.check("--policy", "deterministic", script(SYSTEM_RANDOM))
    assert (result["verdict"], result["exit"]) == ("diverged", 1)
    found = result["arms"][0]["divergence"]
    assert (found["step"], found["phase"], found["name"]) == (0, "update", "weights")
    assert found["kind"] == "bits"
    assert result["arms"][0]["scope"]["notes"] == []


def test_runs_that_part_in_a_shared_directory_are_told_that_it_is(seedproof, script):
    result = seedproof.check("--in-place", script(SYSTEM_RANDOM))
    (note,) = result["arms"][0]["scope"]["notes"]
    assert note.startswith("runs share the working directory")


@pytest.mark.parametrize("program", [SEEDABLE, HASHED], ids=["random", "hash order"])
def test_what_a_seed_fixes_diverges_as_it_is_and_repeats_seeded(seedproof, script, program):
    name = script(program)
    result = seedproof.check("--policy", "as-is", "--policy", "seeded", name)
    assert [arm["verdict"] for arm in result["arms"]] == ["diverged", "identical"]
    assert (result["verdict"], result["exit"]) == ("diverged", 1)


def test_as_is_is_what_is_checked_without_a_policy(seedproof, script):
    (arm,) = seedproof.check(script(STEADY))["arms"]
    assert (arm["policy"], arm["pins"], len(arm["runs"])) == ("as-is", {}, 3)


def test_a_seed_changes_the_runs_but_not_that_they_repeat(seedproof, script):
    name = script(SEEDABLE)
    digests = set()
    for seed in ("1", "2"):
        result = seedproof.check("--policy", "seeded", "--seed", seed, "--runs", "2", name)
        assert result["verdict"] == "identical"
        digests.add(result["arms"][0]["runs"][0]["digest"])
    assert len(digests) == 2


def test_a_module_is_checked_as_a_script_is(seedproof, script):
    script(STEADY, "trainer.py")
    assert seedproof.check("-m", "trainer")["exit"] == 0


# -- statuses ----------------------------------------------------------------------------------


def test_where_nothing_was_recorded_nothing_can_be_told(said, script):
    status, out, _ = said(script("print(1)"))
    assert status == 5
    assert "as-is: UNKNOWN (nothing was recorded, so nothing was compared)" in out
    assert 'next: add to the script: import seedproof; seedproof.record("weights", weights)' in out


def test_a_script_that_fails_is_four(seedproof, script):
    assert seedproof.check(script(STEADY + "raise SystemExit(1)"))["exit"] == 4


def test_a_script_that_fails_in_some_runs_is_four(seedproof, script):
    program = STEADY + "try: os.mkdir('first')\nexcept OSError: raise SystemExit(1)"
    result = seedproof.check("--in-place", script(program))
    assert (result["exit"], result["verdict"]) == (4, "unknown")


def test_a_missing_module_is_told_in_pythons_words(said):
    status, _, err = said("-m", "no_such_module")
    assert status == 4
    (line,) = ours(err)
    assert "No module named no_such_module" in line


def test_a_command_that_cannot_be_started_is_told(said, tmp_path):
    (tmp_path / "broken").write_bytes(b"\x7fELF")
    (tmp_path / "broken").chmod(0o755)
    status, _, err = said("--", "./broken")
    assert status == 4
    (line,) = ours(err)
    assert "could not be run: " in line
    assert "Exec format error" in line


@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)"], ids=["well", "badly"])
def test_a_program_that_the_recording_cannot_enter_is_three_and_told_why(said, script, ending):
    status, _, err = said("--", sys.executable, "-I", script("pass\n" + ending))
    assert status == 3
    (line,) = ours(err)
    assert "the recording did not load: it comes in through PYTHONPATH, which python -I" in line


ENDINGS = {0: "value = 1", 1: "value = os.urandom(8)", 4: "raise SystemExit(1)"}


@pytest.mark.parametrize(
    ("as_is", "seeded", "expected"), [(1, 0, 1), (0, 1, 1), (1, 4, 4), (4, 1, 4), (0, 4, 4)]
)
def test_of_several_arms_the_most_telling_status_counts(seedproof, script, as_is, seeded, expected):
    name = script(f"""
import os, seedproof
if os.environ.get('PYTHONHASHSEED') == '0':
    {ENDINGS[seeded]}
else:
    {ENDINGS[as_is]}
seedproof.record('weights', value)
""")
    result = seedproof.check("--policy", "as-is", "--policy", "seeded", name)
    assert [arm["exit"] for arm in result["arms"]] == [as_is, seeded]
    assert result["exit"] == expected


def test_the_order_of_the_statuses_is_fixed():
    order = [130, 124, 3, 4, 5, 1, 0]
    for at, status in enumerate(order):
        assert overall_exit(reversed(order[at:])) == status


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("", "check: found no target; type: seedproof check script.py ARGS…"),
        ("no.py", "no.py: no such script; give the path of a file, or -m MODULE"),
        (
            "--continue",
            "--continue: found no interrupted check in .seedproof; start one without it",
        ),
    ],
)
def test_what_cannot_be_begun_is_two_and_leaves_nothing(said, tmp_path, words, line):
    assert said(*words.split()) == (2, "", [f"seedproof: {line}"])
    assert list(tmp_path.iterdir()) == []


# -- the target --------------------------------------------------------------------------------

AS_WITHOUT_US = """
import json, os, sys
import __main__
print(json.dumps([sys.argv, os.getcwd(), __name__, __main__.__file__, __file__, sys.path,
                  sys.flags.hash_randomization, sys.stdin.read(), sorted(vars(__main__))]))
"""


def test_the_target_finds_its_arguments_its_directory_and_its_main_as_without_us(
    seedproof, script, tmp_path
):
    words = [script(AS_WITHOUT_US), "--runs", "x", "--", "-m", "y", "--json", "a b", ""]
    alone = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    seedproof("check", "--runs", "2", "--python", sys.executable, *words)
    logs = list((tmp_path / ".seedproof").rglob("stdout.log"))
    assert len(logs) == 2
    assert [log.read_text() for log in logs] == [alone.stdout, alone.stdout]


def test_a_run_without_pins_sees_every_processor(seedproof, script, seen):
    program = SHOW + "record('cores', sorted(os.sched_getaffinity(0)))"
    seedproof.check("--runs", "2", script(program))
    assert seen("cores") == [sorted(os.sched_getaffinity(0))] * 2


def test_the_output_of_the_target_is_kept_and_not_shown(said, script, tmp_path):
    _, out, err = said(script("print('from the script')\n" + STEADY))
    assert "from the script" not in out + "".join(err)
    logs = [path.read_text() for path in (tmp_path / ".seedproof").rglob("stdout.log")]
    assert logs == ["from the script\n"] * 3


# -- contradictions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "own", "source"),
    [
        ("TF_DETERMINISTIC_OPS", "0", "op_determinism"),
        ("OMP_NUM_THREADS", "8", "num_threads"),
        ("PYTHONHASHSEED", "random", "hash_seed"),
    ],
)
def test_an_environment_that_contradicts_a_pin_is_refused_or_set_aside_by_name(
    said, script, tmp_path, variable, own, source
):
    name = script(SHOW + f"record('own', os.environ[{variable!r}])")
    status, out, err = said("--policy", "deterministic", name, **{variable: own})
    assert (status, out) == (2, "")
    (line,) = err
    assert line.startswith(f"seedproof: {variable}={own} in the environment contradicts the pin of")
    assert line.endswith(f"; unset it, or let the pin win: --pin {source}")
    assert not (tmp_path / ".seedproof").exists()
    status, _, err = said("--policy", "deterministic", "--pin", source, name, **{variable: own})
    assert status == 0
    assert [line for line in err if line.startswith(f"{variable}={own} is set aside: {source} ")]


def test_threads_asked_for_win_over_the_environment(seedproof, script, seen):
    name = script(SHOW + "record('own', os.environ['OMP_NUM_THREADS'])")
    seedproof.check("--policy", "deterministic", "--threads", "2", name, OMP_NUM_THREADS="8")
    assert seen("own") == ["2"] * 3


def test_a_good_value_of_the_users_own_reaches_the_script(seedproof, script, seen):
    name = script(SHOW + "record('own', os.environ['CUBLAS_WORKSPACE_CONFIG'])")
    options = ("--policy", "deterministic")
    assert seedproof.check(*options, name, CUBLAS_WORKSPACE_CONFIG=":16:8")["exit"] == 0
    assert seen("own") == [":16:8"] * 3


# -- variations --------------------------------------------------------------------------------


def test_a_varied_value_reaches_the_process_and_the_json_says_so(seedproof, script, seen):
    name = script(SHOW + "record('seed', os.environ['PYTHONHASHSEED'])")
    result = seedproof.check("--keep-going", "--jobs", "1", "--vary", "hash_seed=4,5,6", name)
    assert seen("seed") == ["4", "5", "6"]
    (arm,) = result["arms"]
    varied = [run["varied"]["hash_seed"] for run in arm["runs"]]
    assert [list(one.values()) for one in varied] == [[4, 4, 4], [5, 5, 5], [6, 6, 6]]
    assert result["verdict"] == "diverged"
    assert arm["evidence"]["varied_in_vain"] == []


@pytest.mark.skipif(visible_cores() < 2, reason="one processor")
def test_fewer_threads_are_offered_as_fewer_processors(seedproof, script, seen):
    program = SHOW + "record('cores', len(os.sched_getaffinity(0)))"
    seedproof.check("--keep-going", "--jobs", "1", "--vary", "num_threads=1,2", script(program))
    assert seen("cores") == [1, 2, 1]


def test_a_pin_acts_after_the_variation_has_reached_the_process(seedproof, script, seen):
    name = script(SHOW + "record('threads', os.environ['OMP_NUM_THREADS'])")
    options = ("--policy", "deterministic", "--vary", "num_threads=1,2,4")
    result = seedproof.check(*options, name)
    assert seen("threads") == ["1", "1", "1"]
    assert result["verdict"] == "identical"
    (arm,) = result["arms"]
    assert [run["varied"]["num_threads"]["offered"] for run in arm["runs"]] == [1, 2, 4]
    assert arm["evidence"] == {
        "runs": 3,
        "max_divergence_probability_95": None,
        "varied_in_vain": [],
    }


def test_a_variation_that_a_pin_kept_out_is_no_evidence(seedproof, said, script):
    name = script(HASHED)
    options = ("--policy", "seeded", "--vary", "hash_seed")
    _, out, _ = said(*options, name)
    assert out.count("it did not reach the process: no evidence") == 3
    assert "hash_seed was varied in vain: nothing is shown about it" in out
    result = seedproof.check(*options, name)
    assert result["verdict"] == "identical"
    assert result["arms"][0]["evidence"]["varied_in_vain"] == ["hash_seed"]


def test_a_variation_shows_what_bare_repeats_do_not(seedproof, script):
    name = script(RECORD.format(value="float(os.environ.get('OMP_NUM_THREADS', 0))"))
    assert seedproof.check(name)["verdict"] == "identical"
    assert seedproof.check("--vary", "num_threads=1,2", name)["verdict"] == "diverged"


# -- names -------------------------------------------------------------------------------------


def test_a_hostile_name_is_one_cut_line_in_the_terminal_and_whole_in_the_json(
    seedproof, said, script
):
    hostile = "a\nb\x1b[31m<script>[bold]" + "x" * 10_000
    name = script(f"import os, seedproof\nseedproof.record({hostile!r}, os.urandom(8))")
    _, out, _ = said(name)
    assert "\x1b" not in out
    (line,) = [line for line in out.splitlines() if "part: " in line]
    assert "<script>[bold]xxx" in line
    assert line.endswith("…")
    assert len(line) < 250
    assert seedproof.check(name)["arms"][0]["divergence"]["name"] == hostile


def test_a_hostile_last_line_of_a_script_is_one_cut_line(said, script):
    name = script("raise SystemExit('\\x1b[31mred\\a' + 'x' * 100_000)")
    _, _, err = said(name)
    (line,) = ours(err)
    assert "\x1b" not in line
    assert "\a" not in line
    assert len(line) < 700


# -- results -----------------------------------------------------------------------------------


def test_json_on_standard_output_stands_alone_and_is_that_of_the_file(seedproof, script, tmp_path):
    command = ("check", "--python", sys.executable, "--json")
    name = script(STEADY)
    assert json.loads(seedproof(*command, "-", name).out)["schema"] == "seedproof.check/1"
    done = seedproof(*command, "out.json", name)
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "seedproof.check/1"
    assert "as-is: IDENTICAL" in done.out
    kept = max((tmp_path / ".seedproof" / "checks").iterdir()) / "result.json"
    assert json.loads(kept.read_text()) == json.loads((tmp_path / "out.json").read_text())


def test_the_json_has_what_is_promised(seedproof, script):
    result = seedproof.check("--policy", "seeded", script(STEADY), "argument")
    assert result["command"] == [sys.executable, "train.py", "argument"]
    (arm,) = result["arms"]
    assert arm["pins"] == {"seeds": 0, "hash_seed": 0}
    assert arm["scope"]["complete"] is True
    assert arm["scope"]["steps"] == 3
    assert arm["scope"]["phases"] == ["update"]
    assert "forward" in arm["scope"]["phases_not_seen"]
    assert arm["scope"]["notes"] == []
    assert arm["environment"]["hash_seed"] == "0"
    assert [run["index"] for run in arm["runs"]] == [0, 1, 2]
    for run in arm["runs"]:
        assert (run["returncode"], run["records"], run["steps_observed"]) == (0, 3, 3)
        assert run["seconds"] > 0
    assert len({run["digest"] for run in arm["runs"]}) == 1


def test_what_is_run_is_announced_so_that_it_can_be_typed(said, script):
    _, _, err = said(script(STEADY), "a b")
    assert err[0] == shlex.join(["running", sys.executable, "train.py", "a b"])


def test_the_next_command_is_the_users_own_with_the_next_policy(said, script):
    _, out, _ = said("--runs", "2", "--dir", "my runs", script(SEEDABLE), "-x")
    (line,) = [line for line in out.splitlines() if line.startswith("next: ")]
    assert shlex.split(line.removeprefix("next: ")) == [
        *("seedproof", "check", "--policy", "seeded", "--runs", "2"),
        *("--python", sys.executable, "--dir", "my runs", "train.py", "-x"),
    ]


# -- going on ----------------------------------------------------------------------------------


def interrupted(seedproof, tmp_path, *arguments):
    """A check that was killed after its last run, before it had its result."""
    seedproof("check", "--python", sys.executable, *arguments)
    root = max((tmp_path / ".seedproof" / "checks").iterdir())
    (root / "result.json").unlink()
    return root


def test_going_on_is_refused_for_another_target_or_with_other_options(seedproof, script, tmp_path):
    name = script(STEADY)
    interrupted(seedproof, tmp_path, "--runs", "2", name, "a")
    for words, line in (
        ((name, "b"), "--continue: the interrupted check ran train.py a; leave the target out"),
        (("--runs", "3"), "--runs: the interrupted check was started otherwise; leave it out"),
    ):
        done = seedproof("check", "--continue", *words)
        assert done.status == 2
        assert done.err.startswith(f"seedproof: {line}, or start a new check without --continue")
    assert seedproof("check", "--continue", "--runs", "2", name, "a").status == 0


def test_going_on_from_elsewhere_runs_where_it_was_begun(seedproof, script, tmp_path, monkeypatch):
    interrupted(seedproof, tmp_path, "--runs", "2", script(STEADY))
    for path in tmp_path.rglob("exit.json"):
        path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "seedproof", "check", "--continue", "--dir", "../.seedproof"]
    done = subprocess.run(command, cwd=elsewhere, env=environment(), capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change", [{"asked": {}}, {"more": 1}], ids=["less", "more"])
def test_going_on_with_a_check_of_another_version_is_refused(seedproof, script, tmp_path, change):
    root = interrupted(seedproof, tmp_path, "--runs", "2", script(STEADY))
    plan = json.loads((root / "check.json").read_text())
    (root / "check.json").write_text(json.dumps({**plan, **change}))
    done = seedproof("check", "--continue")
    assert done.status == 2
    place = Path(".seedproof") / "checks" / root.name / "check.json"
    assert done.err == (
        f"seedproof: --continue: {place} is of another version of seedproof; start a new check "
        "without --continue\n"
    )
