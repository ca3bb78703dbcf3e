"""The modules of a script: they know what a person calls a parameter, and they have the buffers.

A module is known once its parameters have been asked for (as whoever makes an optimizer does), or
once it has been called in a training.
"""

from __future__ import annotations

import functools
from typing import Any, Iterable, Iterator, NamedTuple, Sequence
from weakref import ref

import torch

from seedproof.frameworks.torch.undisturbed import is_traced, never_compiled

_Module = torch.nn.Module
_named_parameters = torch.nn.Module.named_parameters
_modules = torch.nn.Module.named_modules

# What wraps a module is not part of a name, so that a name is the same on every rank.
_WRAPPERS = {
    "OptimizedModule": "_orig_mod",
    "DistributedDataParallel": "module",
    "DataParallel": "module",
}


class Slot(NamedTuple):
    """Where a buffer is: it may be replaced, so it is looked up anew each time."""

    name: str
    buffers: dict[str, Any]
    key: str

    def tensor(self) -> Any:
        """The buffer, None where there is none now."""
        return self.buffers.get(self.key)


class Modules:
    """The modules that are known, held by nothing here."""

    def __init__(self) -> None:
        self._asked: dict[int, Any] = {}
        self._called: dict[int, Any] = {}
        self._recent: dict[int, Any] = {}
        self.changes = 0

    def asked(self, module: Any) -> None:
        """Its parameters have been asked for."""
        self._note(self._asked, module)

    def called(self, module: Any) -> bool:
        """It is called from outside of any other, in a training; whether that is the first time."""
        is_new = self._note(self._called, module)
        self._recent.setdefault(id(module), self._called[id(module)])
        return is_new

    def _note(self, known: dict[int, Any], module: Any) -> bool:
        key = id(module)
        if key in known:
            return False
        known[key] = ref(module, lambda _: known.pop(key, None))
        self.changes += 1
        return True

    def names(self, params: Sequence[Any], called: bool = True) -> list[str]:
        """The names of parameters: as their module has them, below its class where there are
        several, or else by their place."""
        owners = _Owners(self._outermost(called), params)
        return [owners.names.get(id(param), f"param{at}") for at, param in enumerate(params)]

    def buffers(self, params: Sequence[Any], first: bool) -> list[Slot]:
        """The buffers of the modules that own these parameters; with `first` also those of
        modules in which nothing is trained, and which no optimizer owns therefore."""
        roots = self._outermost(called=True)
        owners = _Owners(roots, params)
        frozen = [root for root in roots if first and self._is_frozen(root)]
        return [*owners.buffers(), *_buffers([(root, _label(root) + ".") for root in frozen])]

    def _is_frozen(self, root: Any) -> bool:
        return id(root) in self._called and not any(p.requires_grad for _, p in parameters(root))

    def in_use(self) -> tuple[list[tuple[str, Any]], list[Slot]]:
        """The parameters and buffers, by name, of the modules called since this was asked last;
        of all that are known where none was."""
        recent, self._recent = self._recent, {}
        roots = _alive(recent.values()) or self._outermost(called=True)
        owners = _Owners(roots, [param for root in roots for _, param in parameters(root)])
        return owners.parameters(), owners.buffers()

    def _outermost(self, called: bool) -> list[Any]:
        """Those that are part of no other, in the order in which they became known."""
        known = {**self._asked, **self._called} if called else self._asked
        found = {id(module): module for module in map(unwrapped, _alive(known.values()))}
        parts = {id(part) for one in found.values() for _, part in _modules(one) if part is not one}
        return [module for key, module in found.items() if key not in parts]


def _alive(references: Iterable[Any]) -> list[Any]:
    found = [reference() for reference in list(references)]
    return [module for module in found if module is not None]


def unwrapped(module: Any) -> Any:
    """The module itself, without what compiles it or spreads it."""
    inner = _WRAPPERS.get(type(module).__name__)
    wrapped = getattr(module, inner, None) if inner else None
    return unwrapped(wrapped) if isinstance(wrapped, _Module) else module


class _Owners:
    """The first of these modules that have all of the parameters between them."""

    def __init__(self, roots: Sequence[Any], params: Sequence[Any]) -> None:
        missing = {id(param) for param in params}
        owners = []
        for root in roots:
            here = missing.intersection(id(param) for _, param in parameters(root))
            if here:
                owners.append(root)
                missing -= here
        self._labels = _labels(owners)
        self.names: dict[int, str] = {}
        for root, label in self._labels:
            for name, param in parameters(root):
                self.names.setdefault(id(param), label + name)

    def parameters(self) -> list[tuple[str, Any]]:
        return [(label + name, p) for root, label in self._labels for name, p in parameters(root)]

    def buffers(self) -> list[Slot]:
        return list(_buffers(self._labels))


def parameters(module: Any) -> Iterator[tuple[str, Any]]:
    """The parameters of a module and its parts, without telling that they were asked for."""
    yield from _named_parameters(module)


def _buffers(labels: Sequence[tuple[Any, str]]) -> Iterator[Slot]:
    seen = set()
    for root, label in labels:
        for path, module in _modules(root):
            for key in module._buffers:
                if (id(module), key) not in seen:
                    seen.add((id(module), key))
                    name = f"{path}.{key}" if path else key
                    yield Slot(label + name, module._buffers, key)


def _labels(roots: Sequence[Any]) -> list[tuple[Any, str]]:
    """What stands before a name: nothing where there is one module, else its class, numbered
    where several have the same."""
    if len(roots) == 1:
        return [(roots[0], "")]
    classes: dict[str, int] = {}
    found = []
    for root in roots:
        label = _label(root)
        number = classes[label] = classes.get(label, 0) + 1
        found.append((root, f"{label}{number}." if number > 1 else f"{label}."))
    return found


def _label(module: Any) -> str:
    return type(module).__name__


def watch_parameters(modules: Modules) -> None:
    """Has `modules` told of every module whose parameters are asked for."""

    def named_parameters(self: Any, *arguments: Any, **named: Any) -> Any:
        if not is_traced():
            modules.asked(self)
        return _named_parameters(self, *arguments, **named)

    never_compiled(named_parameters)
    _Module.named_parameters = functools.wraps(_named_parameters)(named_parameters)
