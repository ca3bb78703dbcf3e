"""The outermost calls of estimators' methods, and what each of them leaves."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from seedproof.frameworks.sklearn.fitted import Fitted
from seedproof.inside import leaves

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

MOST_NAMES = 256  # a forest has thousands: from there on, each attribute has one digest


class Calls:
    """Records calls in the main thread of the script; each fit is a step of the script's own."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._is_inside = False
        self._is_shared_out = False
        self._noted: set[str] = set()
        self._last: dict[str, dict[str, Any]] = {}
        recorder.at_end(self._record_last)

    def fit(self, method: Any, estimator: Any, arguments: Any, named: Any) -> Any:
        """Calls a method that fits, and records what it has left in its estimator."""
        if not self._is_outermost():
            if self._is_alone_beside():
                self._recorder.unseen("estimators that were fitted beside the main thread")
            return method(estimator, *arguments, **named)
        result = self._call(method, estimator, arguments, named)
        self._guarded(self._record_fit, _group(estimator, method), estimator)
        return result

    def ask(self, method: Any, estimator: Any, arguments: Any, named: Any) -> Any:
        """Calls a method that uses what was learned, and records what it gave."""
        if not self._is_outermost():
            return method(estimator, *arguments, **named)
        result = self._call(method, estimator, arguments, named)
        self._guarded(self._record_result, _group(estimator, method), result)
        return result

    def share_out(self, method: Any, parallel: Any, arguments: Any, named: Any) -> Any:
        """Calls what has functions run by threads or processes, and records what they gave: some
        fit an estimator of their own there and return its score alone."""
        if not self._is_outermost() or self._is_shared_out:
            return method(parallel, *arguments, **named)
        self._is_shared_out = True
        try:
            result = method(parallel, *arguments, **named)
        finally:
            self._is_shared_out = False
        if isinstance(result, list):
            self._guarded(self._record_result, "Parallel", result)
        return result

    def _is_outermost(self) -> bool:
        return not self._is_inside and self._recorder.trains and _is_main_thread()

    def _is_alone_beside(self) -> bool:
        """Whether a thread fits without anything in the main thread waiting for it."""
        waited_for = self._is_inside or self._is_shared_out
        return not waited_for and self._recorder.trains and not _is_main_thread()

    def _call(self, method: Any, estimator: Any, arguments: Any, named: Any) -> Any:
        self._is_inside = True
        try:
            return method(estimator, *arguments, **named)
        finally:
            self._is_inside = False

    def _guarded(self, record: Any, group: str, *facts: Any) -> None:
        try:
            record(group, *facts)
        except Exception:
            self._recorder.trouble(group)

    def _record_fit(self, group: str, estimator: Any) -> None:
        fitted = Fitted(estimator)
        self._perturb(fitted.values)
        values = self._values_of(group, fitted)
        self._last[group] = values
        self._recorder.record_named(group, values, None, "update")

    def _record_result(self, group: str, result: Any) -> None:
        if isinstance(result, (float, np.floating)):
            self._recorder.metrics(group, {group: result})
        else:
            values = self._values_of(group, Fitted(result, group))
            self._recorder.record_named(group, values, None, "output")

    def _values_of(self, group: str, fitted: Fitted) -> dict[str, Any]:
        for name in fitted.without_bits:
            self._note(f"{group}: {name} has no bits to compare")
        return fitted.values if len(fitted.values) <= MOST_NAMES else _by_attribute(fitted.values)

    def _record_last(self) -> None:
        """What each kind of fit has left last, for a run that recorded nothing else."""
        for group, values in self._last.items():
            self._recorder.record_named(f"final/{group}", values, self._recorder.step(), "output")

    def _perturb(self, values: dict[str, Any]) -> None:
        """Flips one bit of what was learned, where this run is the one that is to be perturbed;
        one of the data would be lost in many a sum."""
        learned = [value for value in values.values() if _is_changeable(value)]
        if learned and self._recorder.perturbs():
            weights = learned[0].reshape(-1)
            weights.view(f"u{weights.dtype.itemsize}")[np.argmax(np.abs(weights))] ^= 1

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._recorder.event("note", text=text)


def _is_changeable(value: Any) -> bool:
    """Whether a value is an array of floats that can be changed where it lies."""
    is_floating = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0
    return is_floating and value.flags.writeable and value.flags.c_contiguous


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _group(estimator: Any, method: Any) -> str:
    return f"{type(estimator).__name__}.{method.__name__}"


def _by_attribute(values: dict[str, Any]) -> dict[str, bytes]:
    """One value per attribute, from the names and digests of all that is in it."""
    parts: dict[str, list[str]] = {}
    for leaf in leaves.flatten("", values):
        parts.setdefault(leaf.name.partition("/")[0], []).append(f"{leaf.name} {leaf.digest}")
    return {attribute: "\n".join(lines).encode() for attribute, lines in parts.items()}
