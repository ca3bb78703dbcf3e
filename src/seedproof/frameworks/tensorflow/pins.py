"""TensorFlow's part in what is pinned beside seeds, threads and operations."""

from __future__ import annotations

import functools
import inspect
from functools import partial
from typing import Any, Callable

import tensorflow as tf

from seedproof.frameworks.base import XLA_LEVELS, Done, Framework, add_xla_flag

_FIRST_WITH_MAX_ISA = (2, 14)
_PARALLEL = ("map", "interleave", "batch")


class TensorFlowPins(Framework):
    """To be inherited by the framework itself."""

    def pin_entropy(self, seed: int) -> Done:
        """Generators without a seed take one from the system in C++."""
        _replace_generators()
        return Done(set=(f"tf.random.Generator of the script's own calls, from {seed}",))

    def pin_data_order(self, kept: bool) -> Done:
        """With deterministic operations TensorFlow does it by itself."""
        for name in _PARALLEL:
            _replace(tf.data.Dataset, name, partial(_altered, partial(_make_parallel, kept)))
        _replace(tf.data.Dataset, "with_options", partial(_altered, partial(_keep_order, kept)))
        return Done(set=(f"tf.data deterministic={kept}",))

    def pin_file_order(self, order: int) -> Done:
        """TensorFlow lists directories in C++."""
        _replace_listings()
        return Done(set=("tf.io.gfile.listdir and glob",))

    def note(self) -> None:
        _replace_generators()
        _replace_listings()
        if not hasattr(tf.data.Dataset.with_options, "__seedproof_original__"):
            for name in (*_PARALLEL, "with_options"):
                _replace(tf.data.Dataset, name, partial(_altered, _tell_of_disorder))

    def vary_autotune(self, on: bool) -> Done:
        """There is something to tune where cuDNN is; the variable has been set at the start."""
        if not tf.test.is_built_with_cuda():
            return Done(missed=("cuDNN, which tunes itself: this TensorFlow is built without it",))
        return Done(set=(f"TF_CUDNN_USE_AUTOTUNE={int(on)}",))

    def pin_cpu_isa(self, level: str) -> Done | None:
        """Its kernels are compiled once for all, but for oneDNN's, which is off, and XLA's."""
        version = tuple(int(part) for part in str(tf.__version__).split(".")[:2])
        if version < _FIRST_WITH_MAX_ISA:
            return None
        return add_xla_flag("--xla_cpu_max_isa=" + XLA_LEVELS[level])

    def vary_cpu_isa(self, level: str) -> None:
        """NumPy, which is always there, tells."""
        self.pin_cpu_isa(level)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Puts `make(original)` in the place of a function, anew where it was done before."""
    original = getattr(owner, name)
    original = getattr(original, "__seedproof_original__", original)
    replacement: Any = functools.wraps(original)(make(original))
    replacement.__seedproof_original__ = original
    setattr(owner, name, replacement)


def _replace_listings() -> None:
    from seedproof.inside.pins.file_order import listing

    for name in ("listdir", "glob"):
        _replace(tf.io.gfile, name, listing)


def _replace_generators() -> None:
    generator = tf.random.Generator
    if not hasattr(generator.from_non_deterministic_state, "__wrapped__"):
        make = _generator_in_place_of(generator.from_non_deterministic_state)
        generator.from_non_deterministic_state = classmethod(make)


def _generator_in_place_of(original: Any) -> Any:
    from seedproof.inside.pins import entropy

    @functools.wraps(original.__func__)
    def from_non_deterministic_state(cls: Any, alg: Any = None) -> Any:
        found = entropy.number(63)
        if found is None:
            return original.__func__(cls, alg)
        return cls.from_seed(found, alg) if alg is not None else cls.from_seed(found)

    return from_non_deterministic_state


def _altered(alter: Callable[[dict[str, Any]], None], original: Any) -> Any:
    """A function that is called with other arguments, where `alter` changes them."""
    parameters = inspect.signature(original)

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            given = parameters.bind(*arguments, **named)
            alter(given.arguments)
        except Exception:
            return original(*arguments, **named)  # it says itself what is wrong with them
        return original(*given.args, **given.kwargs)

    return call


def _tell_of_disorder(given: dict[str, Any]) -> None:
    """Elements come as they are ready where the script says so."""
    from seedproof.inside.pins import uses
    from seedproof.inside.pins.callers import own_place

    place = own_place()
    of_options = getattr(given.get("options"), "deterministic", None)
    if place is not None and False in (of_options, given.get("deterministic")):
        uses.tell("data_order", place)


def _make_parallel(kept: bool, given: dict[str, Any]) -> None:
    """In order means one after the other, where the script's own function may draw: threads draw
    as they come. Out of order it is only where several may work."""
    from seedproof.inside.pins.callers import own_place

    if _is_op_determinism_enabled():
        return
    is_own = own_place() is not None
    if kept and not given.get("deterministic", True):
        given["deterministic"] = None
    if kept and is_own:
        given["num_parallel_calls"] = None
    if not kept and is_own and given.get("num_parallel_calls") is not None:
        given["deterministic"] = False


def _keep_order(kept: bool, given: dict[str, Any]) -> None:
    """In a copy: the options may be the user's."""
    if kept and given["options"].deterministic is False:
        given["options"] = tf.data.Options().merge(given["options"])
        given["options"].deterministic = True


def _is_op_determinism_enabled() -> bool:
    from tensorflow.python.framework import config

    enabled = getattr(config, "is_op_determinism_enabled", None)
    return bool(enabled is not None and enabled())
