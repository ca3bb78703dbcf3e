"""A launch that starts in a copy of its directory."""

from __future__ import annotations

import pytest

from seedproof.launch import Launch
from seedproof.runner.moved import moved

HERE = "/home/me/project"


def command(*words):
    return moved(Launch(("/home/me/project/env/python", *words), HERE), "/copy").command[1:]


@pytest.mark.parametrize(
    ("word", "becomes"),
    [
        ("train.py", "train.py"),
        ("/home/me/project/train.py", "/copy/train.py"),
        ("/home/me/project", "/copy"),
        ("--out=/home/me/project/out", "--out=/copy/out"),
        ("/home/me/project2/train.py", "/home/me/project2/train.py"),
        ("text=/home/me/project", "text=/home/me/project"),
        ("/data", "/data"),
    ],
)
def test_paths_into_the_directory_lead_into_the_copy(word, becomes):
    assert command(word) == (becomes,)


def test_the_program_stays_where_it_is():
    launch = Launch((f"{HERE}/env/python", "x"), HERE)
    assert moved(launch, "/copy").command[0] == f"{HERE}/env/python"


def test_the_directory_is_the_copy():
    assert moved(Launch(("x",), HERE), "/copy").directory == "/copy"


def test_variables_that_lead_to_code_lead_into_the_copy():
    variables = {"PWD": HERE, "PYTHONPATH": f"/lib:{HERE}/src", "OUT": HERE}
    environment = moved(Launch(("x",), HERE, variables), "/copy").environment
    assert environment == {"PWD": "/copy", "PYTHONPATH": "/lib:/copy/src", "OUT": HERE}


def test_a_directory_is_known_by_both_of_its_names(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    launch = Launch(("x", *(f"{tmp_path}/{n}/a" for n in ("real", "alias"))), f"{tmp_path}/alias")
    assert moved(launch, "/copy").command == ("x", "/copy/a", "/copy/a")
