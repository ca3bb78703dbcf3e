"""scikit-learn: what the outermost calls of `fit`, `predict` and `score` of a script give.

The methods are wrapped in the classes that define them, those that are defined later too. What an
estimator calls inside of its own fit, in whatever thread or process, belongs to that fit.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import joblib
import sklearn
from sklearn import base

from seedproof.frameworks.base import Framework
from seedproof.frameworks.sklearn.calls import Calls

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

FITTING = ("fit", "partial_fit", "fit_transform", "fit_predict")
ASKING = ("predict", "score")
MARK = "__seedproof__"


class ScikitLearn(Framework):
    """Its estimators draw from NumPy's global generator, or from a seed of their own."""

    name = "scikit-learn"
    calls: Calls | None = None

    def version(self) -> str:
        return str(sklearn.__version__)

    def observe(self, recorder: Recorder) -> None:
        self.calls = Calls(recorder)
        _wrap_later_classes()
        _wrap_with_subclasses(base.BaseEstimator)
        joblib.Parallel.__call__ = _seen(joblib.Parallel.__call__, "share_out")


def _wrap_later_classes() -> None:
    def init_subclass(cls: Any, /, **named: Any) -> None:
        super(base.BaseEstimator, cls).__init_subclass__(**named)
        _wrap(cls)

    base.BaseEstimator.__init_subclass__ = classmethod(init_subclass)


def _wrap_with_subclasses(owner: Any) -> None:
    _wrap(owner)
    for subclass in owner.__subclasses__():
        _wrap_with_subclasses(subclass)


def _wrap(owner: Any) -> None:
    """The methods of a class, and of what it takes in beside estimators: `score`, mostly."""
    mixed_in = [one for one in owner.__mro__ if str(one.__module__).startswith("sklearn.")]
    for one in (owner, *mixed_in):
        for name in FITTING + ASKING:
            own = vars(one).get(name)
            if inspect.isfunction(own) and not hasattr(own, MARK):
                setattr(one, name, _seen(own, "fit" if name in FITTING else "ask"))


def _seen(method: Any, how: str) -> Any:
    """The wrapper reaches us by an import: an estimator of the script itself may be sent to other
    processes with all that its methods hold, and where there is no seedproof."""

    @functools.wraps(method)
    def wrapper(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            from seedproof.frameworks.sklearn.framework import FRAMEWORK
            from seedproof.frameworks.tracebacks import without_own_frames
        except ImportError:
            return method(self, *arguments, **named)
        try:
            if FRAMEWORK.calls is None:
                return method(self, *arguments, **named)
            return getattr(FRAMEWORK.calls, how)(method, self, arguments, named)
        except BaseException as error:
            without_own_frames(error)
            raise

    setattr(wrapper, MARK, True)
    return wrapper


FRAMEWORK = ScikitLearn()
