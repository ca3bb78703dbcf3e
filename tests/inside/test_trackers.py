"""Trackers are kept offline in a check, as their own documentation says."""

from seedproof.inside.trackers import offline, put_offline


def test_every_tracker_is_kept_offline():
    assert offline({})["WANDB_MODE"] == "offline"


def test_what_keeps_a_tracker_here_already_stays():
    assert "WANDB_MODE" not in offline({"WANDB_MODE": "disabled"})


def test_a_tracker_that_is_online_is_not():
    assert offline({"WANDB_MODE": "online"})["WANDB_MODE"] == "offline"


def test_a_tracker_that_a_run_imports_is_told():
    assert put_offline("wandb", {"WANDB_MODE": "offline"}) == (
        "wandb was kept offline (WANDB_MODE=offline): a check is no experiment"
    )
    assert put_offline("wandb", {"WANDB_MODE": "online"}) == ""


def test_a_check_keeps_trackers_offline_and_says_so(seedproof, script, tmp_path):
    """The module stands for the tracker: what it would upload cannot be had here."""
    (tmp_path / "wandb.py").write_text("")
    name = script(
        "import os, wandb, seedproof\n"
        "assert os.environ['WANDB_MODE'] == 'offline'\nseedproof.record('w', 1)\n"
    )
    result = seedproof.check("--runs", "2", name)
    assert result["verdict"] == "identical"
    notes = result["arms"][0]["scope"]["notes"]
    assert [note for note in notes if "wandb" in note] == [
        "wandb was kept offline (WANDB_MODE=offline): a check is no experiment"
    ]
