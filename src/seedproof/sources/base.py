"""What a source of nondeterminism is: something that can be pinned or varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping

if TYPE_CHECKING:
    from seedproof.launch import Launch, Value


@dataclass(frozen=True)
class Variable:
    """An environment variable that takes part in a pin.

    `also_good` are other values of the user's own that pin as well; they are left alone.
    """

    name: str
    value: str
    also_good: tuple[str, ...] = ()

    def accepts(self, found: str) -> bool:
        """Whether the user's own value does not contradict the pin."""
        return found == self.value or found in self.also_good


@dataclass(frozen=True)
class Source:
    """One source: how to pin it, how to vary it, and what to tell a person.

    `parse` turns what was typed into a value (raises ValueError, saying what is allowed), `pinned`
    is the value of a pin that names none, given the seed and the number of threads of the policy.
    `variations` proposes values to vary over, and `offer` changes what the machine offers to a
    launch. `offered` reads from what a run says of itself which value reached it (None where that
    cannot be told): from its `hello` and, under `offers`, from what was confirmed inside.

    Of a pin, `variables` gives the environment and `start` changes the rest of the launch; it also
    acts inside the process, through `pin_ID` of each framework and `seedproof.inside.pins.ID`.
    `before_start`: nothing but the start can set it. `by_variables`: varied, it shows among the
    variables of the process. `strict` is the value of a pin that does more
    than policies would pay for, to prove a cause; None where there is none. `used` completes
    "train.py:37 …" where the user's code was seen to use the source; empty where that is not seen.
    """

    id: str
    summary: str
    explanation: str
    fix: str
    links: tuple[str, ...]
    parse: Callable[[str], Value]
    pinned: Callable[[int, int], Value]
    variations: Callable[[], tuple[Value, ...]]
    offer: Callable[[Launch, Value], Launch]
    offered: Callable[[Mapping[str, Any]], Value | None]
    variables: Callable[[Value], tuple[Variable, ...]] = lambda _value: ()
    start: Callable[[Launch, Value], Launch] = lambda launch, _value: launch
    before_start: bool = False
    by_variables: bool = False
    strict: Value | None = None
    used: str = ""

    def vary(self, launch: Launch, value: Value) -> Launch:
        """The launch on a machine that offers `value`."""
        return self.offer(launch, value).with_varied(self.id, value)

    def pin(self, launch: Launch, value: Value) -> Launch:
        """The launch with this source fixed to `value`.

        Where the source was varied, the variables are set inside, after the start: so the
        variation reaches the process, and the pin has something to act on. What only the start
        can set is pinned instead of varied.
        """
        variables = self.environment(value, launch.environment)
        if self.id in launch.varied and not self.before_start:
            launch = launch.with_inside_environment(variables)
        else:
            launch = launch.with_environment(variables).without_offer(self.id)
        return self.start(launch, value).with_pin(self.id, value)

    def environment(self, value: Value, found: Mapping[str, str]) -> Mapping[str, str]:
        """The variables that a pin sets; a good value of the user's own stays."""
        return {
            variable.name: variable.value
            for variable in self.variables(value)
            if variable.name not in found or not variable.accepts(found[variable.name])
        }


def inside(source: str) -> Callable[[Launch, Value], Launch]:
    """An `offer` that is made inside the process."""
    return lambda launch, value: launch.with_offer(source, value)


def confirmed(source: str) -> Callable[[Mapping[str, Any]], Value | None]:
    """An `offered` that counts what was confirmed inside the process."""
    return lambda said: said.get("offers", {}).get(source)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A parser for whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def on_off(text: str) -> bool:
    """A parser for `on` and `off`."""
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"


def one_of(*words: str) -> Callable[[str], str]:
    """A parser for one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(" or ".join(words))
        return text

    return parse
