"""How PyTorch is looked at without being disturbed.

What looks runs with no gradients, below every mode and subclass that the script may have put in
the way of operations, and out of reach of the compiler of `torch.compile`: its frames are never
compiled, and a function that is being compiled does not see it at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable

import torch

from seedproof.inside.import_hook import when_imported

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

# Replaced by True in what torch.compile traces; without it (before 2.3) calls of modules are not
# looked at, and what is looked at breaks a graph as it is.
is_traced: Callable[[], bool] = getattr(torch.compiler, "is_dynamo_compiling", lambda: False)
CAN_BE_TRACED = hasattr(torch.compiler, "is_dynamo_compiling")

# Returns what compiles the frames that begin from now on (None: nothing does), and replaces it.
set_compiler = torch._C._dynamo.eval_frame.set_eval_frame

# Bound here: after a training step nothing is in the processor's caches, and each name that is
# looked up on the way costs as much as a call.
_without_functions = torch._C.DisableTorchFunction
_without_dispatch = torch._C._DisableTorchDispatch
gradients_are_recorded = torch.is_grad_enabled
_record_gradients = torch._C._set_grad_enabled
_tracing_state = torch._C._get_tracing_state
_transform = torch._C._functorch.peek_interpreter_stack
_HAS_CUDA = torch.backends.cuda.is_built()


class NoValueError(Exception):
    """A tensor that has no bits: a fake one, one on the device `meta`."""


def undisturbed(
    look: Callable[..., Any], recorder: Recorder, out_of_reach: Callable[[], None] = lambda: None
) -> Callable[..., Any]:
    """`look`, to be called from the midst of a training; None where it cannot, or where it fails.

    A failure is told to the recorder and reaches nobody else. `out_of_reach` is called where what
    would be looked at is only written down now, to be carried out later by nobody knows whom.
    """

    def tell() -> None:
        out_of_reach()

    tell._dynamo_marked_constant = True  # type: ignore[attr-defined]  # called while it traces

    def looking(*arguments: Any) -> Any:
        if is_traced():
            tell()
            return None
        compiler = set_compiler(None)
        try:
            with _without_functions(), _without_dispatch():
                if _is_captured():
                    return tell()
                recorded = gradients_are_recorded()
                _record_gradients(False)
                try:
                    return look(*arguments)
                finally:
                    _record_gradients(recorded)
        except NoValueError:
            return None
        except Exception:
            recorder.trouble(getattr(look, "__name__", "look"))
            return None
        finally:
            set_compiler(compiler)

    never_compiled(looking)
    return looking


def _is_captured() -> bool:
    """Whether operations are written down now, to be carried out later or differentiated."""
    return (
        _tracing_state() is not None
        or _transform() is not None
        or (_HAS_CUDA and torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())
    )


def never_compiled(function: Any) -> None:
    """Frames of `function` are left alone by `torch.compile`; what it calls is not."""
    code = function.__code__
    if code not in _never_compiled:
        _never_compiled.append(code)
        when_imported(_EVAL_FRAME, lambda _: _skip(code))


_EVAL_FRAME = "torch._dynamo.eval_frame"
_never_compiled: list[Any] = []


def _skip(code: Any) -> None:
    skip: Any = getattr(sys.modules[_EVAL_FRAME], "skip_code", None)
    if skip is not None:
        skip(code)
