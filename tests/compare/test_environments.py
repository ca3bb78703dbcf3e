"""What differed in the surroundings of two runs, and no secret."""

import pytest

from seedproof.compare.environments import Difference, environment_differences
from traces import Trace

HELLO = {
    "python": "3.11.7",
    "platform": "Linux-6.1",
    "machine": "x86_64",
    "cores": 2,
    "hash_seed": "random",
    "seedproof": "0.1.0",
    "pins": {"seeds": 0},
    "variables": {"OMP_NUM_THREADS": "1"},
}


@pytest.fixture
def differences(tmp_path):
    """What differs between a usual run and one of another `hello`, frameworks told after it."""

    def found(frameworks=({}, {}), **hello):
        runs = [Trace(tmp_path / "0", **HELLO), Trace(tmp_path / "1", **{**HELLO, **hello})]
        for run, versions in zip(runs, frameworks, strict=True):
            for name, version in versions.items():
                run.writer.event("framework", name=name, version=version)
        return environment_differences(*(run.trace for run in runs))

    return found


def test_equal_surroundings_do_not_differ(differences):
    assert differences(frameworks=({"keras": "3"}, {"keras": "3"})) == []


@pytest.mark.parametrize(
    ("hello", "expected"),
    [
        ({"python": "3.12.1"}, ("Python", "3.11.7", "3.12.1")),
        ({"platform": "macOS-15"}, ("platform", "Linux-6.1", "macOS-15")),
        ({"machine": "arm64"}, ("machine", "x86_64", "arm64")),
        ({"cores": 8}, ("visible cores", "2", "8")),
        ({"hash_seed": "0"}, ("hash seed", "random", "0")),
        ({"seedproof": "0.2.0"}, ("seedproof", "0.1.0", "0.2.0")),
        ({"pins": {"seeds": 1}}, ("pin seeds", "0", "1")),
        ({"pins": {}}, ("pin seeds", "0", None)),
        ({"variables": {"OMP_NUM_THREADS": "2"}}, ("variable OMP_NUM_THREADS", "1", "2")),
        ({"variables": {}}, ("variable OMP_NUM_THREADS", "1", None)),
    ],
)
def test_each_fact_is_told_with_both_values(differences, hello, expected):
    assert differences(**hello) == [Difference(*expected)]


@pytest.mark.parametrize(
    "hello", [{"pid": 7}, {"at": 9.0}, {"directory": "/b"}, {"executable": "x"}]
)
def test_what_is_another_one_each_time_does_not_count(differences, hello):
    assert differences(**hello) == []


def test_frameworks_are_told_by_their_versions(differences):
    versions = ({"keras": "3.1", "torch": "2.1"}, {"keras": "3.2", "jax": "0.4"})
    assert differences(frameworks=versions) == [
        Difference("keras", "3.1", "3.2"),
        Difference("torch", "2.1", None),
        Difference("jax", None, "0.4"),
    ]


def test_frameworks_of_any_process_count(tmp_path):
    runs = [Trace(tmp_path / str(at), **HELLO) for at in range(2)]
    runs[1].beside("rank0").writer.event("framework", name="torch", version="2.1")
    found = environment_differences(*(run.trace for run in runs))
    assert found == [Difference("torch", None, "2.1")]


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "TF_VAR_password", "OMP_TOKEN", "JAX_API_KEY", "HOME"]
)
def test_a_secret_that_a_trace_holds_is_not_passed_on(differences, name):
    assert differences(variables={**HELLO["variables"], name: "hush"}) == []


def test_a_run_that_never_began_tells_nothing(tmp_path):
    ours, theirs = Trace(tmp_path / "0", **HELLO), Trace(tmp_path / "1")
    (theirs.directory / "events.jsonl").unlink()
    found = environment_differences(ours.trace, theirs.trace)
    assert Difference("Python", "3.11.7", None) in found
