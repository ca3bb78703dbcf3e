"""What a process says of itself: the seed of its hashes, its processors, and no secrets."""

import json
import os
import subprocess
import sys

import pytest

from conftest import environment
from seedproof.inside.machine import describe, telling_variables, visible_cores

HASH_SEED = "from seedproof.inside.machine import hash_seed; print(hash_seed())"
SET_TOO_LATE = "import os; os.environ['PYTHONHASHSEED'] = '7'; " + HASH_SEED


def hash_seed(*flags, code=HASH_SEED, **variables):
    own = {"PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        env={key: value for key, value in environment(**own).items() if value != "unset"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("given", "found"),
    [("0", "0"), ("5", "5"), ("05", "5"), ("random", "random"), ("unset", "random")],
)
def test_the_seed_of_string_hashes_is_that_of_the_start(given, found):
    assert hash_seed(PYTHONHASHSEED=given) == found
    assert hash_seed(PYTHONHASHSEED=given, code=SET_TOO_LATE) == found


def test_an_interpreter_that_ignores_the_variable_has_a_random_one():
    code = f"import sys; sys.path[:] = {sys.path!r}; {HASH_SEED}"
    assert hash_seed("-E", code=code, PYTHONHASHSEED="5") == "random"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there is no affinity here")
def test_the_visible_processors_are_those_that_may_be_used():
    allowed = os.sched_getaffinity(0)
    assert visible_cores() == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert visible_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_variables_that_change_results_are_told_and_others_are_not(monkeypatch):
    told = {"OMP_NUM_THREADS": "2", "TF_DETERMINISTIC_OPS": "1", "KERAS_BACKEND": "jax"}
    told |= {"TZ": "Asia/Tokyo", "LANG": "C", "LC_ALL": "C"}
    kept = {"AWS_SECRET_ACCESS_KEY": "s", "TF_VAR_password": "s", "TF_TOKEN_app": "s", "HOME": "/h"}
    kept |= {"LANGCHAIN_PROJECT": "p"}
    for name, value in {**told, **kept}.items():
        monkeypatch.setenv(name, value)
    found = telling_variables()
    assert told.items() <= found.items()
    assert not kept.keys() & found.keys()


def test_the_description_is_plain_json():
    described = describe()
    assert json.loads(json.dumps(described)) == described
    assert described["pid"] == os.getpid()
