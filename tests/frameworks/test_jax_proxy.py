"""What stands in the place of a compiled function is that function in every respect."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import weakref

import pytest

from traces import recorded

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
Proxy = pytest.importorskip("seedproof.frameworks.jax.proxy").Proxy


def doubled(x, times=2):
    """Twice as much."""
    return x * times


def call(original, arguments, named):
    return original(*arguments, **named)


@pytest.fixture
def original():
    return jax.jit(doubled, static_argnames="times")


@pytest.fixture
def proxy(original):
    return Proxy(original, call, lambda method: method)


def test_it_is_of_the_same_kind(proxy, original):
    assert isinstance(proxy, type(original))
    assert isinstance(proxy, jax.stages.Wrapped)
    assert repr(proxy) == repr(original)
    assert dir(proxy) == dir(original)


def test_it_is_described_alike(proxy, original):
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__wrapped__"):
        assert getattr(proxy, name) is getattr(original, name)
    assert inspect.signature(proxy) == inspect.signature(original)
    assert vars(proxy) == vars(original)


def test_what_is_set_on_it_is_set_on_the_original(proxy, original):
    proxy.note = 1
    assert original.note == 1
    del proxy.note
    assert not hasattr(original, "note")


def test_it_is_a_key_of_its_own(proxy):
    assert {proxy: 1}[proxy] == 1
    assert weakref.ref(proxy)() is proxy


def test_it_is_transformed_as_the_original_is(proxy):
    x = jnp.arange(3.0)
    assert jax.grad(lambda x: proxy(x).sum())(x).tolist() == [2, 2, 2]
    assert jax.vmap(proxy)(x).tolist() == [0, 2, 4]
    assert jax.jit(proxy)(x).tolist() == [0, 2, 4]
    assert jax.lax.map(proxy, x).tolist() == [0, 2, 4]
    assert proxy.lower(x).compile()(x).tolist() == [0, 2, 4]
    assert proxy.eval_shape(x).shape == (3,)


def test_its_cache_is_the_original_s(proxy):
    proxy(jnp.ones(3), times=3)
    assert proxy._cache_size() == 1
    proxy.clear_cache()
    assert proxy._cache_size() == 0


def test_it_binds_to_an_instance(original):
    class Number:
        twice = Proxy(jax.jit(lambda self: self.value * 2, static_argnums=0), call, None)
        value = 4

    assert Number().twice() == 8


def test_a_copy_of_it_is_seen_too(proxy):
    for copied in (copy.copy(proxy), copy.deepcopy(proxy)):
        assert type(copied) is Proxy
        assert copied(jnp.ones(1)).tolist() == [2]


def test_it_is_pickled_as_the_original_is(proxy, original):
    def failure(thing):
        with pytest.raises((pickle.PicklingError, AttributeError)) as caught:
            pickle.dumps(thing)
        return caught.type

    assert failure(proxy) is failure(original)


def test_a_wrapper_of_it_looks_like_one_of_the_original(proxy):
    wrapper = functools.wraps(proxy)(lambda x: proxy(x))
    assert wrapper.__name__ == "doubled"


# -- in a script -------------------------------------------------------------------------------

ON_CPU = "import os; os.environ['JAX_PLATFORMS'] = 'cpu'\n"

TRACEBACKS = """
import traceback
import jax, jax.numpy as jnp

def names(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

def fails(x):
    raise ValueError("mine")

assert names(jax.jit(fails), jnp.ones(2)) == ["names", "fails"]
assert names(jax.grad(fails), 1.0) == ["names", "fails"]
assert names(jax.jit(lambda x: x), "no array") == ["names"]
assert not set(names(jax.jit, 3)) & {"replacement", "compile_"}
"""

FORMS = """
import functools, warnings
import jax, jax.numpy as jnp

def doubled(x):
    return 2 * x

warnings.simplefilter("ignore")
from jax.experimental.pjit import pjit

made = [jax.jit(doubled), functools.partial(jax.jit, donate_argnums=0)(doubled), pjit(doubled)]
if tuple(map(int, jax.__version__.split(".")[:2])) > (0, 8):
    made.append(jax.jit(donate_argnums=0)(doubled))
for function in made:
    assert function(jnp.ones(2)).tolist() == [2, 2]
assert jax.jit.__name__ == "jit" and jax.jit.__module__.startswith("jax")
print(len(made))
"""

WHOEVER_CALLS = """
import jax, jax.numpy as jnp

@jax.jit
def inner(x):
    return x + 1

@jax.jit
def outer(x):
    return inner(x) * inner(jnp.ones(()))

one = jnp.ones(())
outer(2.0)
with jax.disable_jit():
    outer(2.0)
jax.vmap(inner)(jnp.ones(3))
jax.lax.scan(lambda x, _: (inner(x), None), 0.0, None, length=3)
jax.eval_shape(inner, 1.0)
jax.make_jaxpr(inner)(1.0)
jax.make_jaxpr(lambda x: x + inner(one))(1.0)
"""


def test_a_traceback_holds_the_script_s_own_frames(tmp_path):
    recorded(ON_CPU + TRACEBACKS, tmp_path)


def test_every_way_to_compile_is_seen(tmp_path):
    stream, done = recorded(ON_CPU + FORMS, tmp_path)
    (table,) = (key for key in stream.tables if key.startswith("call/"))
    assert stream.tables[table].whole_rows() == int(done.stdout)


def test_only_the_outermost_calls_are_seen(tmp_path):
    stream, _ = recorded(ON_CPU + WHOEVER_CALLS, tmp_path)
    assert [(key, table.whole_rows()) for key, table in stream.tables.items()] == [
        ("call/outer#0", 2)
    ]
    assert stream.all("trouble") == []
