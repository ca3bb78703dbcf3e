"""Where something is computed, and whether more can be computed there."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def graph_here() -> Any:
    """The graph being traced; in eager execution always the same object."""
    return tf.compat.v1.get_default_graph() if tf.inside_function() else tf


def is_out_of_reach() -> bool:
    """Whether nothing may be added to what is computed here: XLA may give other bits then, and
    a strategy runs it several times at once."""
    return (
        not tf.compat.v1.executing_eagerly_outside_functions()
        or tf.__internal__.get_enclosing_xla_context() is not None
        or tf.distribute.get_strategy().num_replicas_in_sync > 1
    )
