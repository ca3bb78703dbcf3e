"""A check for the terminal: what is claimed, what is not, and what to type next."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from seedproof.checking.controls import Control
from seedproof.checking.outcome import ArmOutcome, RunOutcome, Varied
from seedproof.checking.outputs import Outputs
from seedproof.checking.plan import Arm, PlannedRun
from seedproof.compare.distance import Distance
from seedproof.compare.divergence import Divergence
from seedproof.compare.files.outcome import FileDifference, FilesOutcome
from seedproof.compare.ranks import RankAgreement
from seedproof.compare.verdict import Verdict
from seedproof.launch import Launch
from seedproof.present.check_text import check_as_text
from seedproof.runner.base import Exit

IDENTICAL = Verdict("identical")
DIVERGED = Verdict(
    "diverged",
    divergence=Divergence(3, "update", "dense/kernel", "bits", "table"),
    runs=(0, 2),
)
LAUNCH = Launch(("python", "train.py"), "/project")


def a_run(index=0, records=12, returncode=0, varied=None):
    planned = PlannedRun("seeded", index, LAUNCH, 1)
    end = Exit(returncode, 1.0, 1.0)
    return RunOutcome(planned, end, True, "d", records, 4, varied or {}, None, None, None, {})


def an_arm(verdict=IDENTICAL, policy="seeded", runs=None, distance=None, pinned=(), notes=()):
    runs = tuple(runs or (a_run(index) for index in range(3)))
    arm = Arm(policy, policy, {}, tuple(run.planned for run in runs))
    seen = ("update", "metric")
    return ArmOutcome(arm, verdict, 0, distance, runs, {}, {}, tuple(pinned), seen, {}, notes)


def text(*arms, typed=("train.py",)):
    return check_as_text(typed, arms, "kept/here")


def next_words(*arms, typed=("train.py",)):
    """What the line `next:` would have the user type."""
    (line,) = [x for x in text(*arms, typed=typed).splitlines() if x.startswith("next: ")]
    return shlex.split(line.removeprefix("next: "))


# -- claims ------------------------------------------------------------------------------------


def test_identical_runs_are_told_with_what_they_prove_and_where_they_are_kept():
    lines = text(an_arm()).splitlines()
    assert lines[0] == "seeded: IDENTICAL"
    assert lines[1].startswith("  3 identical runs mean, at 95% confidence, ")
    assert lines[2] == (
        "  compared to the end: 4 steps, 12 records a run (update, metric); not looked at: init, "
        "data, forward, loss, backward, output"
    )
    assert lines[-3:-1] == ["kept in kept/here", ""]


def test_a_divergence_is_told_with_its_place_its_runs_and_its_size():
    lines = text(an_arm(DIVERGED, distance=Distance(3, "update", 0.25, 7))).splitlines()
    assert lines[:3] == [
        "seeded: DIVERGED",
        "  runs 0 and 2 part: step 3, weights after the update dense/kernel",
        "  weights after the update at step 3: up to 0.25 apart, 7 units in the last place",
    ]
    assert lines[3].startswith("  runs share the working directory: a script that finds files")
    assert "identical" not in " ".join(lines)


def test_what_the_recordings_note_is_told_on_one_line():
    assert "  note: Keras\N{REPLACEMENT CHARACTER}1 is not" in text(
        an_arm(notes=("Keras\n1 is not observed",))
    )


def test_a_run_that_did_not_begin_hides_no_steps_of_the_others():
    late = replace(a_run(1), began=False, records=0, steps=0)
    assert ": 4 steps, 12 records a run" in text(an_arm(DIVERGED, runs=[a_run(0), late]))


def test_what_cannot_be_told_says_why():
    assert text(an_arm(Verdict("unknown", "run 1: lost"))).startswith(
        "seeded: UNKNOWN (run 1: lost)"
    )


def test_a_run_that_did_not_come_to_its_end_is_not_claimed_to_have():
    runs = [a_run(0), a_run(1, returncode=1)]
    assert "  compared not to the end: " in text(an_arm(DIVERGED, runs=runs))


def test_without_records_nothing_is_claimed_to_have_been_compared():
    verdict = Verdict("unknown", "nothing was recorded", nothing_recorded=True)
    said = text(an_arm(verdict, runs=[a_run(0, 0), a_run(1, 0)]))
    assert "  compared nothing: there are no records\n" in said
    assert (
        'next: add to the script: import seedproof; seedproof.record("weights", weights)\n' in said
    )


def test_what_the_recording_did_not_get_into_is_begun_by_hand():
    missed = [replace(a_run(at, 0), began=False) for at in (0, 1)]
    verdict = Verdict("unknown", "the recording did not begin", nothing_recorded=True)
    assert text(an_arm(verdict, runs=missed)).endswith(
        "next: add at the beginning of a Python script: import seedproof; seedproof.init()\n"
    )


def test_files_that_agree_without_a_recording_need_no_line_to_paste():
    missed = [replace(a_run(at, 0), began=False) for at in (0, 1)]
    assert next_words(an_arm(runs=missed))[:2] == ["seedproof", "check"]


def test_a_training_that_was_not_seen_is_to_be_recorded():
    arm = replace(an_arm(Verdict("unknown", "run 0: updates were not looked at")), unseen=True)
    assert 'next: add to the script: import seedproof; seedproof.record("weights", ' in text(arm)


@pytest.mark.parametrize(
    ("run", "outputs", "expected"),
    [
        (a_run(1, returncode=1), (), "run train.py"),
        (
            replace(a_run(1), end=Exit(None, 1.0, 1.0, stopped="timeout")),
            (),
            "check --policy seeded --steps 20 --timeout 5 train.py",
        ),
        (
            a_run(1),
            (Outputs(1, FilesOutcome(files=0, bytes=0), unmet="no run wrote a file that is x"),),
            "check --policy seeded --outputs '**' train.py",
        ),
    ],
    ids=["failed", "timeout", "outputs"],
)
def test_where_nothing_can_be_told_the_next_step_is_named(run, outputs, expected):
    verdict = Verdict("unknown", "run 1 did not end successfully")
    arm = replace(an_arm(verdict, runs=[a_run(0), run]), outputs=outputs)
    typed, target = ("--timeout", "5", "train.py"), ("train.py",)
    said = check_as_text(typed, [arm], "kept/here", typed, target)
    assert said.splitlines()[-1] == f"next: seedproof {expected}"


def test_what_could_not_be_pinned_is_told_on_one_line():
    pinned = {"missed": ["the hash seed\nof this interpreter"]}
    assert "  not pinned: the hash seed\N{REPLACEMENT CHARACTER}of" in text(an_arm(pinned=[pinned]))


# -- variations --------------------------------------------------------------------------------


def varied_arm(*pairs, bare=0):
    """An arm whose runs had `hash_seed` varied to the first of each pair and met the second."""
    runs = [a_run(at, varied={"hash_seed": Varied(*pair, None)}) for at, pair in enumerate(pairs)]
    runs += [a_run(len(runs) + at) for at in range(bare)]
    return an_arm(runs=runs)


def test_a_variation_that_reached_its_process_is_told():
    said = text(varied_arm((1, 1), (2, 2)))
    assert "  run 0: hash_seed varied to 1, effective not told\n" in said
    assert "no evidence" not in said
    assert "in vain" not in said


def test_starts_that_were_met_once_say_nothing_about_chance():
    said = text(varied_arm((1, 1), (2, 2), (3, 3)))
    assert "  Each of the 3 starts was met once: this says nothing about chance.\n" in said
    assert "confidence" not in said


def test_starts_that_were_met_more_often_say_little_about_chance():
    said = text(varied_arm((1, 1), (2, 2), (1, 1)))
    assert "  Each of the 2 starts was met 1 to 2 times: this says little about chance.\n" in said


def test_a_variation_that_did_not_reach_its_process_is_no_evidence():
    said = text(varied_arm((1, 0), (2, 0)))
    assert (
        "  run 1: hash_seed varied to 2, effective not told; it did not reach the process: no "
        "evidence\n"
    ) in said
    assert "  hash_seed was varied in vain: nothing is shown about it\n" in said
    assert "  2 identical runs mean, at 95% confidence" in said


def test_one_value_that_was_met_by_all_shows_nothing_about_the_others():
    assert "in vain" in text(varied_arm((0, 0), (1, 0)))
    assert "in vain" in text(varied_arm((0, None), (1, None)))


def test_one_value_beside_runs_that_were_not_varied_shows_something():
    assert "in vain" not in text(varied_arm((1, 1), bare=1))


def many_varied(**sources):
    """An arm with as many runs as each source has pairs of what was asked for and met."""
    runs = [
        a_run(
            at, varied={name: Varied(*pairs[at], pairs[at][0]) for name, pairs in sources.items()}
        )
        for at in range(5)
    ]
    return text(an_arm(runs=runs))


def test_many_variations_are_told_source_by_source():
    both = [(1, 1), (2, 2), (1, 1), (2, 2), (3, 3)]
    said = many_varied(hash_seed=both, clock=[(1, 0)] * 5, aslr=[(1, 0), *both[1:]])
    assert "  hash_seed varied over 1, 2, 3: effective as asked\n" in said
    assert "  clock varied over 1: it did not reach any process: no evidence\n" in said
    assert "  aslr varied over 1, 2, 3: it did not reach 1 of 5 processes: these are no" in said
    assert "run 0: " not in said


# -- next --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "stronger"), [("as-is", "seeded"), ("seeded", "deterministic")])
def test_after_a_divergence_the_next_policy_is_proposed(policy, stronger):
    assert next_words(an_arm(DIVERGED, policy)) == [
        *("seedproof", "check", "--policy", stronger, "train.py")
    ]


def test_the_next_command_has_the_users_own_options_and_can_be_pasted():
    typed = ["--runs", "5", "--vary", "num_threads=1,2", "--dir", "my runs", "-m", "a.b", "$x; 'y'"]
    words = next_words(an_arm(DIVERGED, "as-is"), typed=typed)
    assert words == ["seedproof", "check", "--policy", "seeded", *typed]


def test_where_no_policy_is_stronger_the_divergence_is_to_be_explained():
    words = next_words(an_arm(DIVERGED, "deterministic"))
    assert words == ["seedproof", "explain", "--policy", "deterministic", "train.py"]


@pytest.mark.parametrize(
    "arms",
    [[an_arm(IDENTICAL)], [an_arm(DIVERGED, "as-is"), an_arm(IDENTICAL, "seeded")]],
    ids=["alone", "after a weaker one"],
)
def test_what_repeats_here_is_to_be_tried_as_elsewhere(arms):
    assert shlex.join(next_words(*arms)) == (
        "seedproof check --policy seeded --vary hash_seed --vary num_threads train.py"
    )


@pytest.mark.parametrize(
    ("typed", "control", "expected"),
    [
        (
            ("--vary", "num_threads"),
            None,
            "check --policy seeded --vary all --vary num_threads t.py",
        ),
        (("--vary", "all"), None, "check --policy seeded --control --vary all t.py"),
        (("--vary", "all", "--control"), Control(True, True), "run --policy seeded t.py  # on"),
    ],
    ids=["one", "all", "and a control"],
)
def test_what_repeats_with_variations_is_to_be_tried_with_more_of_them(typed, control, expected):
    arm = replace(varied_arm((1, 1), (2, 2)), control=control)
    said = check_as_text([*typed, "t.py"], [arm], "kept/here", target=["t.py"])
    assert f"\nnext: seedproof {expected}" in said


def test_what_the_target_itself_is_asked_to_vary_is_no_variation():
    said = check_as_text(
        ["t.py", "--vary", "all"], [an_arm()], "x", target=["t.py", "--vary", "all"]
    )
    assert "\nnext: seedproof check --policy seeded --vary hash_seed" in said


def test_what_cannot_be_told_has_no_next_command():
    assert "next:" not in text(an_arm(Verdict("unknown", "run 0: lost"), "as-is"))


# -- scope, outputs and control ----------------------------------------------------------------


def test_runs_that_were_ended_on_purpose_are_identical_only_so_far():
    lines = text(replace(an_arm(), stopped_after=4, planned=180_000)).splitlines()
    assert lines[0] == "seeded: IDENTICAL for the first 4 of about 180,000 steps"
    assert "  not reached: the training after step 3, what it leaves at its end" in lines


def test_a_difference_of_a_file_is_told_with_its_place():
    found = FileDifference("out/w.bin", "bits", (8, 8), 5)
    outputs = Outputs(1, FilesOutcome(1, 8, (found,)))
    lines = text(replace(an_arm(), outputs=(outputs,))).splitlines()
    assert "  outputs: 1 file compared, 8 bytes" in lines
    assert "standard output" not in "\n".join(lines)
    assert "  run 1 against run 0, out/w.bin: the first differing byte is 5" in lines


def test_standard_output_that_was_compared_is_told():
    outputs = Outputs(1, FilesOutcome(0, 0), None, 1234)
    lines = text(replace(an_arm(), outputs=(outputs,))).splitlines()
    assert "  outputs: standard output compared, 1,234 bytes" in lines


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (Control(True, True), "a run recorded only at its end came to the same weights"),
        (Control(True, False), "a run recorded only at its end came to OTHER weights"),
        (Control(False, None), "a run with one bit flipped was NOT told from the others"),
    ],
)
def test_what_the_control_showed_is_told(control, said):
    assert f"  control: {said}\n" in text(replace(an_arm(), control=control))


def test_ranks_that_part_from_each_other_are_told_apart_from_the_verdict():
    ranks = (RankAgreement(1, False, times=4, step=2, name="w"),)
    arm = replace(an_arm(), runs=tuple(replace(run, ranks=ranks) for run in an_arm().runs))
    lines = text(arm).splitlines()
    assert lines[0] == "seeded: IDENTICAL"
    assert "  rank 1 has other weights than rank 0 from step 2 on: w" in lines
