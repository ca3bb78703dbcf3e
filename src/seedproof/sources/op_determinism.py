"""Operations that have a deterministic and a faster implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, Variable, confirmed, on_off

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _variables(on: bool) -> tuple[Variable, ...]:
    flag = str(int(on))
    other_words = ("true", "True") if on else ("false", "False")
    switches = (
        Variable("TF_DETERMINISTIC_OPS", flag, other_words),
        Variable("TF_CUDNN_DETERMINISTIC", flag, other_words),
        Variable("TF_CUDNN_USE_FRONTEND", flag),
    )
    workspace = Variable("CUBLAS_WORKSPACE_CONFIG", ":4096:8", (":16:8",))
    return (*switches, workspace) if on else switches


def _offer(launch: Launch, on: bool) -> Launch:
    """By the switches inside, and by the variables, which old versions read when they start."""
    flag = str(int(on))
    variables = {"TF_DETERMINISTIC_OPS": flag, "TF_CUDNN_DETERMINISTIC": flag}
    return launch.with_environment(variables).with_offer("op_determinism", on)


SOURCE = Source(
    id="op_determinism",
    summary="operations whose fast implementation adds in whatever order threads finish",
    explanation=(
        "Scatter, segment sums, the gradients of convolutions, of resizing and of indexing have "
        "implementations that let threads add to the same place as they come (on a GPU with "
        "atomic operations), and others that keep an order. Frameworks take the first unless "
        "they are told otherwise."
    ),
    fix=(
        "tf.config.experimental.enable_op_determinism() in TensorFlow 2.8 and later "
        "(TF_DETERMINISTIC_OPS=1 in 2.1 to 2.7), torch.use_deterministic_algorithms(True) with "
        "CUBLAS_WORKSPACE_CONFIG=:4096:8, XLA_FLAGS=--xla_gpu_deterministic_ops=true for JAX."
    ),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism",
        "https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html",
    ),
    parse=on_off,
    pinned=lambda _seed, _threads: True,
    variables=_variables,
    variations=lambda: (False, True),
    offer=_offer,
    offered=confirmed("op_determinism"),
    by_variables=True,
)
