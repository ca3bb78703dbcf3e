"""Puts what observes in the place of JAX's public transformations.

Whatever the script, or a library that it uses, makes by `jax.jit`, `jax.pmap` or `pjit` from now
on is seen when it is called; so is what `jax.grad` and `jax.value_and_grad` make, which also tells
that a function trains. JAX's own modules use theirs under other names, and remain as they are.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import jax

from seedproof.frameworks.jax.functions import Gradient
from seedproof.frameworks.jax.identity import ByIdentity
from seedproof.frameworks.jax.proxy import Proxy
from seedproof.frameworks.jax.stages import Stages
from seedproof.frameworks.tracebacks import instead_of
from seedproof.inside.import_hook import when_imported

if TYPE_CHECKING:
    from seedproof.frameworks.jax.calls import Calls

_PJIT = "jax.experimental.pjit"
_NOT_THE_SCRIPT = ("jax.", "jaxlib.", "seedproof.frameworks.")
_NO_OPTION: Any = (None, (), [])


def observe(calls: Calls) -> None:
    """Replaces the public names, once and for all."""
    transforms = Transforms(calls)
    jax.jit = transforms.compiling(jax.jit)
    jax.pmap = transforms.compiling(jax.pmap)
    jax.grad = transforms.differentiating(jax.grad, Gradient(None), Gradient(0))
    jax.value_and_grad = transforms.differentiating(jax.value_and_grad, Gradient(1), Gradient(1))
    jax.vjp = transforms.pulling_back(jax.vjp)
    jax.eval_shape = transforms.inspecting(jax.eval_shape)
    when_imported(_PJIT, transforms.replace_pjit)
    when_imported("optax", transforms.replace_apply_updates)


class Transforms:
    """Knows of which function each thing was made."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stages = Stages(calls)
        self._gradients: ByIdentity[Gradient] = ByIdentity()

    def compiling(self, transform: Any) -> Any:
        """`jax.jit` and its like, as a function and as a decorator with arguments."""

        @instead_of(transform)
        def compile_(*arguments: Any, **options: Any) -> Any:
            made = transform(*arguments, **options)
            caller = sys._getframe(2).f_globals.get("__name__", "")
            if caller.startswith(_NOT_THE_SCRIPT):
                return made
            if arguments or "fun" in options:
                return self._proxy(made, _first(arguments, options), options)
            return lambda fun: self._proxy(made(fun), fun, options)

        return compile_

    def _proxy(self, made: Any, fun: Any, options: Any) -> Any:
        try:
            function = self._calls.functions.of(fun)
            donations = [options.get("donate_argnums"), options.get("donate_argnames")]
            function.donates |= any(given not in _NO_OPTION for given in donations)
            function.gradient = function.gradient or self._gradients.get(fun)
        except Exception:
            self._calls.trouble("jit")
            return made
        call = functools.partial(self._calls.make, function)
        return Proxy(made, call, functools.partial(self._stages.traced, function))

    def replace_pjit(self, name: str) -> None:
        """Also where it is deprecated, and its module gives it out with a warning."""
        module: Any = sys.modules[name]
        if "pjit" in vars(module):
            module.pjit = self.compiling(module.pjit)
            return
        deprecated = getattr(module, "_deprecations", {})
        message, pjit = deprecated.get("pjit", ("", None))
        if pjit is not None:
            deprecated["pjit"] = (message, self.compiling(pjit))

    def replace_apply_updates(self, _: Any) -> None:
        """Outside of compiled functions only Optax itself knows the weights that it makes."""
        optax: Any = sys.modules["optax"]
        apply = optax.apply_updates

        @instead_of(apply)
        def apply_updates(*arguments: Any, **named: Any) -> Any:
            weights = apply(*arguments, **named)
            self._calls.applied(weights)
            return weights

        optax.apply_updates = apply_updates

    def differentiating(self, transform: Any, plain: Gradient, with_more: Gradient) -> Any:
        """`jax.grad` and its like: what they make trains, wherever it is called. Where its
        gradient is depends on whether `has_aux` has it return something more."""

        @instead_of(transform)
        def differentiate(*arguments: Any, **options: Any) -> Any:
            made = transform(*arguments, **options)
            has_more = options.get("has_aux", arguments[2:3] == (True,))
            where = with_more if has_more else plain
            return self._gradient(made, _first(arguments, options), where)

        return differentiate

    def _gradient(self, made: Any, fun: Any, where: Gradient) -> Any:
        try:
            function = self._calls.functions.of(fun, where)
            function.takes_gradients = True
        except Exception:
            self._calls.trouble("grad")
            return made

        @instead_of(made)
        def gradient(*arguments: Any, **named: Any) -> Any:
            if self._calls.takes_gradient():
                return made(*arguments, **named)
            return self._calls.make(function, made, arguments, named)

        self._gradients.put(gradient, where)
        return gradient

    def pulling_back(self, vjp: Any) -> Any:
        """`jax.vjp`, whose gradients come later and are not seen outside of compiled functions."""

        @instead_of(vjp)
        def pull_back(*arguments: Any, **options: Any) -> Any:
            if not self._calls.takes_gradient():
                self._calls.leaves_out_gradients()
            return vjp(*arguments, **options)

        return pull_back

    def inspecting(self, inspect: Any) -> Any:
        """`jax.eval_shape`, which traces a function and computes nothing."""

        @instead_of(inspect)
        def look(*arguments: Any, **named: Any) -> Any:
            function = self._calls.functions.of(look)
            return self._calls.within(function, inspect, arguments, named)

        return look


def _first(arguments: Any, options: Any) -> Any:
    """The function that is transformed."""
    return arguments[0] if arguments else options["fun"]
