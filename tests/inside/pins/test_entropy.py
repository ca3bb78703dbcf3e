"""`entropy` pinned: what the user's own code takes from the system is the same in every run."""

from __future__ import annotations

import multiprocessing

import pytest
from pinned_runs import INSTALLED, install, repeats, run

pytest.importorskip("numpy")
forks = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork"
)

PINNED = {"entropy": 5}
NUMPY = "import numpy as np\n"
DRAWS = [
    "np.random.default_rng().random()",
    "np.random.RandomState().rand()",
    "np.random.Generator(np.random.PCG64()).random()",
    "np.random.SeedSequence().entropy",
    "np.random.seed() or np.random.rand()",
    "__import__('random').Random().random()",
    "random.seed() or random.random()",
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_generator_that_is_made_without_a_seed_repeats(tmp_path, draw):
    script = f"{NUMPY}import random\nprint({draw})"
    assert repeats(tmp_path, script, pins=PINNED)
    assert not repeats(tmp_path, script)


def test_another_value_is_another_stream(tmp_path):
    script = "import os\nprint(os.urandom(8))"
    five, six = (run(tmp_path, script, pins={"entropy": value}).lines for value in (5, 6))
    assert five != six


def test_it_is_a_stream_and_no_constant(tmp_path):
    script = "import os, uuid\nprint(*{os.urandom(8) for _ in range(9)})\n"
    script += "a, b = uuid.uuid4(), uuid.uuid4()\nassert a != b and a.version == 4"
    assert len(run(tmp_path, script, pins=PINNED).lines[0].split()) == 9


def test_one_draw_more_changes_none_of_the_other_places(tmp_path):
    once = "import os\n{} or os.urandom(8)\nprint(os.urandom(8))"
    few, many = (run(tmp_path, once.format(more), pins=PINNED) for more in ("0", "os.urandom(3)"))
    assert few.lines == many.lines


def test_generators_of_the_same_line_are_not_the_same(tmp_path):
    script = f"{NUMPY}print(*{{np.random.default_rng().random() for _ in range(4)}})"
    assert len(run(tmp_path, script, pins=PINNED).lines[0].split()) == 4


def test_a_generator_that_a_library_makes_for_the_user_repeats(tmp_path):
    """As augmentations do: the seed of a generator is no secret."""
    install(
        tmp_path, f"{NUMPY}class Augment:\n  def __init__(self): self.g = np.random.default_rng()"
    )
    script = INSTALLED + "print(installed.Augment().g.random())"
    assert repeats(tmp_path, script, pins=PINNED)
    assert run(tmp_path, script, pins=PINNED).uses("entropy") == [("train.py", 2)]


@pytest.mark.parametrize("draw", ["np.random.rand()", "random.random()"])
def test_the_global_generators_belong_to_the_seeds(tmp_path, draw):
    script = f"{NUMPY}import random\nprint({draw})"
    assert not repeats(tmp_path, script, pins=PINNED)
    assert repeats(tmp_path, script, pins={"seeds": 0})


def test_generators_that_were_given_a_seed_draw_what_they_always_did(tmp_path):
    script = (
        f"{NUMPY}import random\nprint(np.random.default_rng(3).random(), random.Random(3).random())"
    )
    script += "\nrandom.seed(4); print(random.random())"
    assert run(tmp_path, script, pins=PINNED).lines == run(tmp_path, script).lines


@forks
def test_processes_that_fork_draw_each_their_own_and_the_same_in_every_run(tmp_path):
    script = (
        "import multiprocessing, os\n"
        "def draw(queue): queue.put(os.urandom(8))\n"
        "context = multiprocessing.get_context('fork')\nqueue = context.Queue()\n"
        "for _ in range(2):\n"
        "    process = context.Process(target=draw, args=(queue,))\n"
        "    process.start(); print(queue.get()); process.join()\n"
    )
    assert repeats(tmp_path, script, pins=PINNED)
    assert len(set(run(tmp_path, script, pins=PINNED).lines)) == 2


def test_varied_it_is_another_stream_by_its_value(tmp_path):
    script = f"{NUMPY}print(np.random.default_rng().random())"
    assert repeats(tmp_path, script, offers={"entropy": 1})
    one, two = (run(tmp_path, script, offers={"entropy": value}).lines for value in (1, 2))
    assert one != two


def test_the_pin_acts_after_the_variation(tmp_path):
    script = f"{NUMPY}print(np.random.default_rng().random())"
    bare = run(tmp_path, script, pins=PINNED).lines
    assert run(tmp_path, script, pins=PINNED, offers={"entropy": 1}).lines == bare
