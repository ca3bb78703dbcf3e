"""TensorFlow: seeds, threads and op determinism, from 2.1 to today's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from seedproof.frameworks.base import Done
from seedproof.frameworks.tensorflow.pins import TensorFlowPins
from seedproof.inside.machine import variable_at_start, visible_cores

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.steps import Steps
    from seedproof.inside.recorder import Recorder

FIRST_WITH_KERAS_3 = (2, 16)


class TensorFlow(TensorFlowPins):
    """Threads are fixed once the context exists; op determinism, once an op was looked up."""

    name = "tensorflow"

    def version(self) -> str:
        return str(tf.__version__)

    def pin_seeds(self, seed: int) -> Done:
        tf.random.set_seed(seed)
        return Done(set=(f"tf.random.set_seed({seed})",))

    def pin_num_threads(self, threads: int) -> Done:
        calls = {
            "tf.config.threading.set_intra_op_parallelism_threads": _intra_op_threads,
            "tf.config.threading.set_inter_op_parallelism_threads": _inter_op_threads,
        }
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            wrong = [call for call, found in calls.items() if found() != threads]
            return Done(missed=tuple(_threads_missed(call, threads) for call in wrong))
        return Done(set=tuple(f"{call}({threads})" for call in calls))

    def pin_op_determinism(self, on: bool) -> Done:
        """2.8 and later have the call; earlier ones read the variables, when an op first asks."""
        for variable in ("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC"):
            os.environ[variable] = str(int(on))
        enable = getattr(tf.config.experimental, "enable_op_determinism", None)
        if enable is None or not on:
            return Done(set=(f"TF_DETERMINISTIC_OPS={int(on)}",))
        enable()
        return Done(set=("tf.config.experimental.enable_op_determinism()",))

    def effective(self) -> dict[str, Any]:
        return {"num_threads": _intra_op_threads()}

    def observe(self, recorder: Recorder) -> None:
        version = tuple(int(part) for part in self.version().split(".")[:2])
        if version >= FIRST_WITH_KERAS_3:
            observed(recorder)


def observed(recorder: Recorder) -> Steps:
    """What records the steps of this process; TensorFlow is hooked once, whoever asks first."""
    from seedproof.frameworks.tensorflow import tape as tensorflow_tape
    from seedproof.frameworks.tensorflow.steps import Steps

    if recorder not in _steps:
        _steps[recorder] = Steps(recorder)
        _steps[recorder].calls.observe()
        tensorflow_tape.observe(recorder, _steps[recorder])
    return _steps[recorder]


_steps: dict[Recorder, Steps] = {}


def _intra_op_threads() -> int:
    return _threads(
        tf.config.threading.get_intra_op_parallelism_threads(), "TF_NUM_INTRAOP_THREADS"
    )


def _inter_op_threads() -> int:
    return _threads(
        tf.config.threading.get_inter_op_parallelism_threads(), "TF_NUM_INTEROP_THREADS"
    )


def _threads(configured: int, variable: str) -> int:
    """Zero means: as the variable said at the start, else as many as there are visible cores."""
    return configured or int(variable_at_start(variable) or 0) or visible_cores()


def _threads_missed(call: str, threads: int) -> str:
    return (
        f"{call}({threads}): TensorFlow has already started. Call this before its first operation, "
        f"or start it as: TF_NUM_INTRAOP_THREADS={threads} TF_NUM_INTEROP_THREADS={threads} "
        "python …"
    )


FRAMEWORK = TensorFlow()
