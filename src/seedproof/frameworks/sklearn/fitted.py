"""What a fit has left in an estimator, taken apart into arrays, numbers and text.

Everything that the constructor did not put there counts, private attributes too: some estimators
keep all that they learned in those. Left out on purpose are random generators, measured times and
numbers of threads. What else has no bits to compare is named, not dropped in silence.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Set
from datetime import date
from typing import Any, Iterator, Tuple
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator

Named = Iterator[Tuple[str, Any]]

_OF_THE_LIBRARY = re.compile(r"(^|_)(n_threads|n_jobs)_*$|^_sklearn|^_metadata_request$")
_MEASURED = re.compile(r"(^|_)times?_*$")
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
_GENERATORS = (np.random.RandomState, np.random.Generator, np.random.BitGenerator)


class Fitted:
    """The leaves of an estimator, or of what it gave, by name.

    `without_bits` names what has none, and its type.
    """

    def __init__(self, estimator: Any, name: str = "") -> None:
        self.without_bits: list[str] = []
        self._libraries = {"sklearn", "scipy", _library(estimator)}
        self._way: set[int] = set()
        self.values = dict(self._leaves(name, estimator))

    def _leaves(self, name: str, value: Any) -> Named:
        """Those of one value; what contains itself is met once."""
        if isinstance(value, _PLAIN):
            yield name, value
        elif not isinstance(value, _GENERATORS) and id(value) not in self._way:
            self._way.add(id(value))
            yield from self._parts(name, value)
            self._way.discard(id(value))

    def _parts(self, name: str, value: Any) -> Named:
        if isinstance(value, Mapping):
            value = _without_times(value)
        if _is_flat(value):
            yield name, _packed(value)
        elif isinstance(value, (Mapping, list, tuple)):
            yield from self._members(name, _by_name(value))
        elif isinstance(value, BaseEstimator):
            yield from self._members(name, _learned(value))
        elif _is_sparse(value):
            yield from self._members(name, vars(value.tocoo()))
        elif hasattr(value, "__array__"):
            yield from self._array(name, np.asanyarray(value))
        elif isinstance(value, (slice, np.dtype, date)):
            yield name, repr(value)
        elif hasattr(value, "__qualname__"):
            yield name, f"{value.__module__}.{value.__qualname__}"
        else:
            yield from self._object(name, value)

    def _members(self, name: str, members: Mapping[str, Any]) -> Named:
        for member, value in members.items():
            yield from self._leaves(f"{name}/{member}" if name else member, value)

    def _array(self, name: str, array: Any) -> Named:
        if isinstance(array, np.ma.MaskedArray):  # what a mask hides is whatever was there before
            mask = np.ma.getmaskarray(array)
            yield f"{name}/mask", mask
            array = np.asarray(array[~mask])
        if array.dtype.hasobject:
            yield from self._members(name, {"shape": array.shape, "items": list(array.reshape(-1))})
        else:
            yield name, array

    def _object(self, name: str, value: Any) -> Named:
        """An object of a library's own: its state as it would be pickled, or its attributes."""
        state = _state(value) if _library(value) in self._libraries else None
        if state is None:
            self.without_bits.append(f"{name} ({type(value).__name__})")
        else:
            yield from self._leaves(name, state)


def _learned(estimator: Any) -> dict[str, Any]:
    """What was not given to an estimator; and the estimators given to it, which it may fit."""
    given = _parameters(type(estimator))
    own = _without_times(vars(estimator))
    found = [(name, own[name]) for name in sorted(own) if not _OF_THE_LIBRARY.search(name)]
    inner = {name: _estimators_in(value) for name, value in found if name in given}
    return {
        **{name: value for name, value in found if name not in given},
        **{name: value for name, value in inner.items() if value},
    }


def _parameters(kind: Any) -> frozenset[str]:
    """The names of what a class of estimators is given; it looks at its constructor for them."""
    if kind not in _parameters_known:
        _parameters_known[kind] = frozenset(kind._get_param_names())
    found: frozenset[str] = _parameters_known[kind]
    return found


_parameters_known: Any = WeakKeyDictionary()


def _estimators_in(value: Any) -> Any:
    """An estimator, or those of a list of them: a list of steps has each behind its name."""
    if isinstance(value, BaseEstimator):
        return value
    if not isinstance(value, list):
        return None
    pairs = [pair if isinstance(pair, tuple) else (at, pair) for at, pair in enumerate(value)]
    return {str(p[0]): p[1] for p in pairs if len(p) > 1 and isinstance(p[1], BaseEstimator)}


def _by_name(value: Any) -> dict[str, Any]:
    """The members of a container; keys that have no text of their own are numbered."""
    if isinstance(value, Mapping) and all(isinstance(key, _PLAIN) for key in value):
        return {str(key): value[key] for key in sorted(value, key=str)}
    members = value.values() if isinstance(value, Mapping) else value
    return {str(at): member for at, member in enumerate(members)}


def _without_times(value: Mapping[Any, Any]) -> dict[Any, Any]:
    """What was measured is a fraction of a second; the word in a vocabulary has a whole number."""
    return {
        key: member
        for key, member in value.items()
        if not (_MEASURED.search(str(key)) and _is_fraction(member))
    }


def _is_fraction(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, float) or getattr(dtype, "kind", "") == "f"


def _is_flat(value: Any) -> bool:
    """Whether a container holds nothing but numbers and text."""
    members = [*value, *value.values()] if isinstance(value, Mapping) else value
    is_container = isinstance(value, (Mapping, Set, list, tuple, range, bytearray))
    return is_container and all(isinstance(member, _PLAIN) for member in members)


def _packed(value: Any) -> Any:
    """A flat container as one value: an array of floats, else text that tells each from all."""
    if isinstance(value, (list, tuple)) and {*map(type, value)} in ({float}, {np.float64}):
        return np.array(value, np.float64)
    if isinstance(value, Mapping):
        return repr(sorted(value.items(), key=repr))
    return repr(sorted(value, key=repr) if isinstance(value, Set) else list(value))


def _is_sparse(value: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(value))


def _library(value: Any) -> str:
    return str(type(value).__module__).partition(".")[0]


def _state(value: Any) -> Any:
    kind = type(value)
    for method in ("__getstate__", "__reduce__"):
        own = getattr(kind, method, None)
        if own is not None and own is not getattr(object, method, None):
            return getattr(value, method)()
    return vars(value) if hasattr(value, "__dict__") else None
