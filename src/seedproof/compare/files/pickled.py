"""What a pickle would build, without building it: no class is looked up, no function is called."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from seedproof.compare.files.content import UnreadableError

_MOST_OPCODES = 2_000_000


@dataclass(frozen=True)
class Global:
    """A class or function that the pickle names."""

    name: str


@dataclass(frozen=True)
class Persistent:
    """Something that is stored outside the pickle, and what the pickle calls it."""

    pid: Any


class Pairs(list[tuple[Any, Any]]):
    """The keys and values of a dict, in their order; a key need not be hashable."""

    __slots__ = ()


@dataclass(eq=False, slots=True)
class Made:
    """An object: what it would be made by and from, and what would then be put into it."""

    by: Any
    arguments: Any
    items: list[Any] = field(default_factory=list)
    pairs: Pairs = field(default_factory=Pairs)
    state: Any = None


def inert(pickle: bytes) -> Any:
    """The object of a pickle as plain values, lists, tuples, `Pairs` and the classes above.

    Raises UnreadableError, ValueError or IndexError for what is none.
    """
    machine = _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(pickle)):
        if opcode.name == "STOP":
            return machine.pop()
        if count > _MOST_OPCODES:
            break
        machine.take(opcode.name, argument)
    raise UnreadableError("its pickle is too long")


class _Machine:
    """The stack and the memo of the pickle machine."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._below_marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def take(self, opcode: str, argument: Any) -> None:
        """Carries out one opcode."""
        if opcode in _IGNORED:
            return
        if opcode in _PUSHED:
            self.push(argument)
        else:
            _OPCODES.get(opcode, _refuse)(self, argument)

    def push(self, value: Any) -> None:
        """Puts a value on top."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Takes what is on top."""
        return self.stack.pop()

    def remember(self, at: int) -> None:
        """Keeps what is on top for later."""
        self.memo[at] = self.stack[-1]

    def mark(self) -> None:
        """Begins a new stack above this one."""
        self._below_marks.append(self.stack)
        self.stack = []

    def above_mark(self) -> list[Any]:
        """What has been pushed since the last mark, and goes back below it."""
        above, self.stack = self.stack, self._below_marks.pop()
        return above

    def make(self, arguments: Any) -> None:
        """Puts what a function would return in its place."""
        self.push(Made(self.pop(), arguments))

    def add_items(self, items: list[Any]) -> None:
        """Adds to the list or set on top."""
        top = self.stack[-1]
        target = top.items if isinstance(top, Made) else top
        if type(target) is not list:
            raise UnreadableError("its pickle adds to what is no list")
        target.extend(items)

    def add_pairs(self, flat: list[Any]) -> None:
        """Adds keys and values, in turn, to the dict on top."""
        top = self.stack[-1]
        target = top.pairs if isinstance(top, Made) else top
        if not isinstance(target, Pairs):
            raise UnreadableError("its pickle adds to what is no dict")
        target.extend(zip(flat[::2], flat[1::2], strict=True))

    def set_state(self, state: Any) -> None:
        """Puts a state into the object on top."""
        if not isinstance(self.stack[-1], Made):
            raise UnreadableError("its pickle gives a state to what has none")
        self.stack[-1].state = state

    def tuple_of(self, count: int) -> None:
        """Puts the last `count` values into a tuple."""
        self.push(tuple(self.pop() for _ in range(count))[::-1])


def _refuse(_machine: _Machine, _argument: Any) -> NoReturn:
    raise UnreadableError("its pickle uses an opcode that is not read")


def _new(machine: _Machine, keywords: bool = False) -> None:
    made_with = machine.pop() if keywords else Pairs()
    arguments = machine.pop()
    machine.make((arguments, made_with) if made_with else arguments)


def _named(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(Global(f"{module}.{name}"))


def _one_pair(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.add_pairs([key, value])


_IGNORED = {"PROTO", "FRAME"}
_PUSHED = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BYTEARRAY8"),
}
_OPCODES: dict[str, Callable[[_Machine, Any], object]] = {
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_SET": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push(Pairs()),
    "MARK": lambda m, _: m.mark(),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.above_mark(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "TUPLE": lambda m, _: m.push(tuple(m.above_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "LIST": lambda m, _: m.push(list(m.above_mark())),
    "FROZENSET": lambda m, _: m.push(list(m.above_mark())),
    "APPEND": lambda m, _: m.add_items([m.pop()]),
    "APPENDS": lambda m, _: m.add_items(m.above_mark()),
    "ADDITEMS": lambda m, _: m.add_items(m.above_mark()),
    "SETITEM": lambda m, _: _one_pair(m),
    "SETITEMS": lambda m, _: m.add_pairs(m.above_mark()),
    "PUT": lambda m, at: m.remember(at),
    "BINPUT": lambda m, at: m.remember(at),
    "LONG_BINPUT": lambda m, at: m.remember(at),
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    "GET": lambda m, at: m.push(m.memo[at]),
    "BINGET": lambda m, at: m.push(m.memo[at]),
    "LONG_BINGET": lambda m, at: m.push(m.memo[at]),
    "GLOBAL": lambda m, name: m.push(Global(name.replace(" ", ".", 1))),
    "STACK_GLOBAL": lambda m, _: _named(m),
    "BINPERSID": lambda m, _: m.push(Persistent(m.pop())),
    "REDUCE": lambda m, _: _new(m),
    "NEWOBJ": lambda m, _: _new(m),
    "NEWOBJ_EX": lambda m, _: _new(m, keywords=True),
    "BUILD": lambda m, _: m.set_state(m.pop()),
}
