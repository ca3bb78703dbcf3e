"""From what was asked to launches: pins, variations, contradictions, room."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from seedproof.checking import plan
from seedproof.errors import UsageError
from seedproof.inside.machine import visible_cores
from seedproof.launch import Launch
from seedproof.policies import POLICIES

BASE = Launch(("python", "train.py"), "/project", {"PATH": "/bin"})
DETERMINISTIC = plan.pins("deterministic", (), seed=5, threads=2)


def only_run(pins=None, varied=plan.BARE, base=BASE):
    (run,) = plan.arm("an arm", pins or {}, base, [varied]).runs
    return run


# -- pins --------------------------------------------------------------------------------------


def test_a_policy_pins_its_sources_to_the_seed_and_the_threads():
    assert list(DETERMINISTIC.items()) == [
        ("seeds", 5),
        ("hash_seed", 5),
        ("op_determinism", True),
        ("autotune", False),
        ("num_threads", 2),
        ("data_order", True),
        ("uninitialized_memory", "frameworks"),
    ]


def test_as_is_pins_nothing():
    assert plan.pins("as-is", (), seed=5, threads=2) == {}


def test_each_policy_pins_what_the_one_before_it_pins():
    as_is, seeded, deterministic, portable = POLICIES.values()
    assert set(as_is) < set(seeded) < set(deterministic) < set(portable)


def test_a_pin_adds_to_the_policy_with_the_value_that_a_policy_would_give():
    assert plan.pins("as-is", ["num_threads", "seeds"], seed=5, threads=2) == {
        "num_threads": 2,
        "seeds": 5,
    }


def test_a_pin_with_a_value_beats_the_policy():
    pins = plan.pins("deterministic", ["num_threads=4", "op_determinism=off"], seed=5, threads=2)
    assert (pins["num_threads"], pins["op_determinism"]) == (4, False)


@pytest.mark.parametrize(
    ("item", "allowed"),
    [
        ("seed", "one of seeds, entropy, hash_seed"),
        ("", "one of seeds"),
        ("seeds=x", "seeds=VALUE, where VALUE is a whole number from 0 to 4294967295"),
        ("seeds=-1", "seeds=VALUE, where VALUE is a whole number from 0 to 4294967295"),
        ("seeds=4294967296", "seeds=VALUE, where VALUE is a whole number from 0 to 4294967295"),
        ("seeds=" + "9" * 5000, "seeds=VALUE, where VALUE is a whole number from 0"),
        ("seeds=", "seeds=VALUE, where VALUE is a whole number"),
        ("num_threads=0", "num_threads=VALUE, where VALUE is a whole number from 1 to 4096"),
        ("autotune=yes", "autotune=VALUE, where VALUE is on or off"),
    ],
)
def test_a_pin_or_a_variation_that_is_none_says_what_is_allowed(item, allowed):
    for parse in (plan.pin_item, plan.vary_item):
        with pytest.raises(ValueError, match=f"^{allowed}"):
            parse(item)


def test_a_source_pinned_or_varied_twice_is_refused():
    with pytest.raises(UsageError, match=r"^--pin seeds: found twice; name each source once$"):
        plan.pins("as-is", ["seeds=1", "seeds=2"], seed=0, threads=1)
    with pytest.raises(UsageError, match=r"^--vary seeds: found twice; name each source once$"):
        plan.variations(["seeds=1,2", "seeds"], 3)


# -- contradictions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "own", "source", "needed"),
    [
        ("TF_DETERMINISTIC_OPS", "0", "op_determinism", "1"),
        ("OMP_NUM_THREADS", "8", "num_threads", "2"),
        ("PYTHONHASHSEED", "random", "hash_seed", "5"),
    ],
)
def test_an_environment_that_says_the_opposite_is_refused(variable, own, source, needed):
    with pytest.raises(UsageError) as refused:
        plan.refuse_contradictions(DETERMINISTIC, (), {variable: own})
    assert str(refused.value) == (
        f"{variable}={own} in the environment contradicts the pin of {source}, which needs "
        f"{needed}; unset it, or let the pin win: --pin {source}"
    )


def test_a_pin_asked_for_by_name_wins_and_says_so():
    found = {"OMP_NUM_THREADS": "8"}
    plan.refuse_contradictions(DETERMINISTIC, ["num_threads"], found)
    assert plan.set_aside(DETERMINISTIC, found) == [
        "OMP_NUM_THREADS=8 is set aside: num_threads is pinned to OMP_NUM_THREADS=2"
    ]


def test_the_first_of_several_contradictions_is_always_the_same():
    found = {"OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "random", "TF_CUDNN_USE_AUTOTUNE": "1"}
    with pytest.raises(UsageError, match=r"^PYTHONHASHSEED=random "):
        plan.refuse_contradictions(DETERMINISTIC, (), found)


@pytest.mark.parametrize(
    ("variable", "own"),
    [
        ("CUBLAS_WORKSPACE_CONFIG", ":16:8"),
        ("TF_DETERMINISTIC_OPS", "true"),
        ("OMP_DYNAMIC", "false"),
        ("OMP_NUM_THREADS", "2"),
    ],
)
def test_a_good_value_of_the_users_own_is_left_alone(variable, own):
    found = {variable: own}
    plan.refuse_contradictions(DETERMINISTIC, (), found)
    assert plan.set_aside(DETERMINISTIC, found) == []
    launch = only_run(DETERMINISTIC, base=BASE.with_environment(found)).launch
    assert launch.environment[variable] == own


def test_without_pins_nothing_is_a_contradiction():
    plan.refuse_contradictions({}, (), {"OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "random"})


# -- variations --------------------------------------------------------------------------------


def test_without_variation_every_run_is_bare():
    assert plan.variations([], 3) == [{}, {}, {}]


def test_every_value_is_met_and_there_are_at_least_so_many_runs():
    assert plan.variations(["hash_seed=4,7"], 3) == [
        {"hash_seed": 4},
        {"hash_seed": 7},
        {"hash_seed": 4},
    ]
    assert [run["hash_seed"] for run in plan.variations(["hash_seed=1,2,3,4"], 2)] == [1, 2, 3, 4]


def test_a_source_without_values_is_varied_over_its_own():
    assert plan.variations(["num_threads"], 2) == [{"num_threads": n} for n in (1, 2, 4)]


def test_a_value_given_twice_is_one_value():
    assert plan.variations(["hash_seed=1,1,2"], 2) == [{"hash_seed": 1}, {"hash_seed": 2}]


@pytest.mark.parametrize("item", ["hash_seed=3", "hash_seed=3,3"])
def test_one_value_varies_nothing(item):
    with pytest.raises(ValueError, match=r"^hash_seed=V1,V2,…: two values or more"):
        plan.vary_item(item)


def test_every_pair_of_values_of_two_sources_is_met_without_every_combination():
    items = ["hash_seed=1,2,3", "num_threads=1,2,4", "autotune=on,off", "seeds=5,6,7"]
    values = {source.id: found for source, found in map(plan.vary_item, items)}
    runs = plan.variations(items, 2)
    assert all(run.keys() == values.keys() for run in runs)
    for a, b in combinations(values, 2):
        assert {(run[a], run[b]) for run in runs} == set(product(values[a], values[b]))
    assert len(runs) < 3 * 3 * 2 * 3 / 2


def test_more_runs_than_pairs_begin_again():
    runs = plan.variations(["hash_seed=1,2", "num_threads=1,2"], 6)
    assert len(runs) == 6
    assert runs[4:] == runs[:2]


# -- launches ----------------------------------------------------------------------------------


def test_a_bare_run_without_pins_is_the_launch_as_it_was():
    run = only_run()
    assert run.launch == BASE
    assert run.bare


def test_the_launch_to_begin_with_is_this_environment_and_this_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OWN", "value")
    launch = plan.base_launch(["python", "train.py"])
    assert launch.command == ("python", "train.py")
    assert launch.directory == str(tmp_path)
    assert launch.environment["OWN"] == "value"
    assert launch.affinity is None


def test_a_pin_acts_after_the_variation_and_inside():
    launch = only_run({"num_threads": 1}, {"num_threads": 2}).launch
    assert launch.environment["OMP_NUM_THREADS"] == "2"  # what the machine offers
    assert launch.inside_environment["OMP_NUM_THREADS"] == "1"  # what the pin makes of it
    assert launch.varied == {"num_threads": 2}
    assert launch.pins == {"num_threads": 1}


def test_a_pin_that_only_the_start_can_set_overrules_the_variation():
    launch = only_run({"hash_seed": 0}, {"hash_seed": 3}).launch
    assert launch.environment["PYTHONHASHSEED"] == "0"
    assert launch.varied == {"hash_seed": 3}


def test_an_arm_has_a_run_per_variation_and_then_those_to_be_timed_alone():
    arm = plan.arm("seeded", {}, BASE, [{"hash_seed": 1}, {"hash_seed": 2}], solo=2)
    assert [run.index for run in arm.runs] == [0, 1, 2, 3]
    assert [run.solo for run in arm.runs] == [False, False, True, True]
    assert [run.bare for run in arm.runs] == [False, False, True, True]


def test_a_run_takes_as_much_room_as_its_pinned_threads():
    assert only_run({"num_threads": 1}).cores == 1
    assert only_run({"num_threads": 4096}).cores == visible_cores()


def test_a_run_of_unknown_threads_takes_half_of_the_processors_that_it_sees():
    assert only_run().cores == max(1, visible_cores() // 2)
    assert only_run(base=BASE.with_affinity(frozenset({0}))).cores == 1
    assert only_run(base=BASE.with_affinity(frozenset(range(6)))).cores == 3
