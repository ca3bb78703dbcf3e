"""TensorFlow's part in entropy, data order and the order of files."""

from __future__ import annotations

import pytest
from pinned_runs import repeats, run

from conftest import needs_tensorflow

pytestmark = needs_tensorflow

HEAD = "import tensorflow as tf, time\ntf.random.set_seed(3)\n"
# The first element takes longer than all others.
SLOW_FIRST = (
    HEAD
    + "def slow(n):\n    def wait(n):\n        time.sleep(1.0 if n == 0 else 0)\n        return n\n"
    "    return tf.numpy_function(wait, [n], tf.int64)\n"
    "data = tf.data.Dataset.range(5)\n"
    "print([int(n) for n in {}])"
)
AS_READY = "data.map(slow, num_parallel_calls=5, deterministic=False)"
BY_OPTIONS = (
    "data.map(slow, num_parallel_calls=5).with_options("
    "(lambda options: setattr(options, 'deterministic', False) or options)(tf.data.Options()))"
)


@pytest.mark.parametrize("asked", [AS_READY, BY_OPTIONS], ids=["argument", "options"])
def test_elements_come_in_order(tmp_path, asked):
    script = SLOW_FIRST.format(asked)
    assert run(tmp_path, script, pins={"data_order": True}).lines == ["[0, 1, 2, 3, 4]"]


def test_without_the_pin_they_come_as_they_are_ready(tmp_path):
    assert run(tmp_path, SLOW_FIRST.format(AS_READY)).lines != ["[0, 1, 2, 3, 4]"]


def test_varied_they_do_so_unasked(tmp_path):
    script = SLOW_FIRST.format("data.map(slow, num_parallel_calls=5)")
    assert run(tmp_path, script, offers={"data_order": False}).lines != ["[0, 1, 2, 3, 4]"]
    assert run(tmp_path, script).lines == ["[0, 1, 2, 3, 4]"]


def test_what_is_drawn_for_each_element_repeats(tmp_path):
    script = HEAD + (
        "def wait(drawn):\n    time.sleep(0.05 * float(drawn))\n    return drawn\n"
        "def augment(n):\n    drawn = tf.random.uniform([])\n"
        "    return tf.numpy_function(wait, [drawn], tf.float32)\n"
        "data = tf.data.Dataset.range(12).map(augment, num_parallel_calls=4)\n"
        "print([float(x) for x in data])"
    )
    assert repeats(tmp_path, script, pins={"data_order": True})


def test_a_generator_without_a_seed_repeats(tmp_path):
    script = (
        "import tensorflow as tf\n"
        "print(tf.random.Generator.from_non_deterministic_state().uniform([]).numpy(),"
        " tf.random.get_global_generator().uniform([]).numpy())"
    )
    assert repeats(tmp_path, script, pins={"entropy": 5})


def test_who_uses_a_source_through_it_is_told(tmp_path):
    script = (
        "import tensorflow as tf\noptions = tf.data.Options()\noptions.deterministic = False\n"
        "data = tf.data.Dataset.range(3).map(abs, num_parallel_calls=2)\n"
        "data.map(abs, num_parallel_calls=2, deterministic=False)\n"
        "data.with_options(tf.data.Options())\ndata.with_options(options)\n"
        "tf.io.gfile.listdir('.')\ntf.random.Generator.from_non_deterministic_state()\n"
        "print([int(x) for x in data])"
    )
    noted = run(tmp_path, script, notes=True)
    assert noted.lines == ["[0, 1, 2]"]
    assert noted.uses("data_order") == [("train.py", 5), ("train.py", 7)]
    assert noted.uses("file_order") == [("train.py", 8)]
    assert noted.uses("entropy") == [("train.py", 9)]


def test_its_own_listings_are_sorted_too(tmp_path):
    for name in ("b", "c", "a"):
        (tmp_path / f"{name}.png").touch()
    script = "import tensorflow as tf\nprint(tf.io.gfile.glob('*.png'))\n"
    script += "print([n for n in tf.io.gfile.listdir('.') if n.endswith('png')])"
    listed = run(tmp_path, script, pins={"file_order": 1}).lines
    assert [line.replace("./", "") for line in listed] == ["['c.png', 'b.png', 'a.png']"] * 2
