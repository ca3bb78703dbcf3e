"""Small trainings in the styles that JAX allows; run with a style and a seed.

python jax_styles.py STYLE SEED OUTPUT.npz

With ARRAYS=elsewhere they are taken to lie on a device that NumPy cannot read.
"""

from __future__ import annotations

import functools
import os
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

STEPS = 5
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 0
GENERATOR = np.random.RandomState(SEED)
BATCHES = [
    (GENERATOR.rand(20, 6).astype("float32"), GENERATOR.rand(20, 3).astype("float32"))
    for _ in range(STEPS)
]


def parameters(dtype="float32"):
    generator = np.random.RandomState(3)
    shapes = {"hidden": (6, 8), "out": (8, 3)}
    return {name: jnp.asarray(generator.randn(*shape), dtype) for name, shape in shapes.items()}


def loss_of(params, x, y):
    hidden = jnp.tanh(x @ params["hidden"])
    return jnp.mean((hidden @ params["out"] - y) ** 2)


def descend(params, gradients, rate=0.1):
    return jax.tree_util.tree_map(lambda p, g: p - rate * g, params, gradients)


def step_of(params, x, y):
    loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
    return descend(params, gradients), loss


def looped(step, state=None):
    state = parameters() if state is None else state
    for x, y in BATCHES:
        state, _ = step(state, x, y)
    return state


# -- one function, compiled in one way or another ----------------------------------------------


def plain():
    return looped(jax.jit(step_of))


def donated():
    return looped(jax.jit(step_of, donate_argnums=0))


def decorated():
    """With arguments to the decorator, as it stands before a function."""

    @functools.partial(jax.jit, static_argnames=("rate",), donate_argnames="params")
    def step(params, x, y, *, rate):
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        return descend(params, gradients, rate), loss

    return looped(functools.partial(step, rate=0.1))


def compiled_twice():
    return looped(jax.jit(jax.jit(step_of)))


def compiled_anew_for_each_batch():
    return looped(lambda params, x, y: jax.jit(step_of)(params, x, y))


def compiled_ahead():
    step = jax.jit(step_of)
    return looped(step.lower(parameters(), *BATCHES[0]).compile())


def not_compiled():
    with jax.disable_jit():
        return looped(jax.jit(step_of))


def mapped():
    step = jax.pmap(step_of)
    params = jax.tree_util.tree_map(lambda leaf: leaf[None], parameters())
    return looped(lambda params, x, y: step(params, x[None], y[None]), params)


class Trainer:
    """A method that is compiled, its instance being static."""

    def __init__(self, rate):
        self.rate = rate

    @functools.partial(jax.jit, static_argnums=0)
    def step(self, params, x, y):
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        return descend(params, gradients, self.rate), loss


def method():
    return looped(Trainer(0.1).step)


@jax.tree_util.register_pytree_node_class
class Model:
    """A module that is a tree of arrays itself."""

    def __init__(self, params):
        self.params = params

    def tree_flatten(self):
        return (self.params,), None

    @classmethod
    def tree_unflatten(cls, _, children):
        return cls(*children)

    @jax.jit
    def trained(self, x, y):
        loss, gradients = jax.value_and_grad(lambda model: loss_of(model.params, x, y))(self)
        return descend(self, gradients), loss


def module():
    return looped(Model.trained, Model(parameters()))


def closed_over():
    """Data that is no argument, and a last batch that is smaller."""
    x, y = map(jnp.asarray, BATCHES[0])

    @jax.jit
    def step(params, rows):
        return step_of(params, x[rows], y[rows])

    params = parameters()
    for rows in (np.arange(8), np.arange(8, 16), np.arange(16, 20)):
        params, _ = step(params, rows)
    return params


# -- optimizers --------------------------------------------------------------------------------


def adam_step(state, x, y):
    params, (count, means, squares) = state
    loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
    each = jax.tree_util.tree_map
    count = count + 1
    means = each(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
    squares = each(lambda s, g: 0.999 * s + 0.001 * g * g, squares, gradients)

    def moved(p, m, s):
        return p - 0.01 * (m / (1 - 0.9**count)) / (jnp.sqrt(s / (1 - 0.999**count)) + 1e-8)

    return (each(moved, params, means, squares), (count, means, squares)), loss


def adam_state():
    params = parameters()
    means, squares = (jax.tree_util.tree_map(jnp.zeros_like, params) for _ in range(2))
    return params, (jnp.zeros((), jnp.int32), means, squares)


def adam():
    return looped(jax.jit(adam_step, donate_argnums=0), adam_state())


def several_steps_in_a_call():
    """A scan over five updates is one record."""

    @jax.jit
    def steps(params, xs, ys):
        return lax.scan(lambda params, batch: step_of(params, *batch), params, (xs, ys))

    xs, ys = (np.stack(part) for part in zip(*BATCHES, strict=True))
    params = parameters()
    for _ in range(3):
        params, _ = steps(params, xs, ys)
    return params


def all_in_one_call():
    @jax.jit
    def training(params):
        x, y = BATCHES[0]
        return lax.fori_loop(0, 50, lambda _, params: step_of(params, x, y)[0], params)

    return training(parameters())


def eager_update():
    """Gradients that are compiled, and an update that is not."""
    gradients_of = jax.jit(jax.value_and_grad(loss_of))
    params = parameters()
    for x, y in BATCHES:
        _, gradients = gradients_of(params, x, y)
        params = descend(params, gradients)
    return params


def eager_update_recorded():
    """The script tells of what it has made of the gradients."""
    import seedproof

    params = eager_update()
    seedproof.record("weights", params)
    return params


def eager_update_evaluated():
    """What was made of the gradients is taken by a compiled function that is no step."""
    params = eager_update()
    jax.jit(loss_of)(params, *BATCHES[0])
    return params


def eager():
    """Nothing of it is compiled."""
    params = parameters()
    for x, y in BATCHES:
        params = descend(params, jax.grad(loss_of)(params, x, y))
    return params


def update_of_its_own():
    """Two compiled functions make one step."""
    gradients_of, update = jax.jit(jax.grad(loss_of)), jax.jit(descend)
    params = parameters()
    for x, y in BATCHES:
        params = update(params, gradients_of(params, x, y))
    return params


def without_gradients():
    """A search at random: what is better is kept."""

    @jax.jit
    def search(params, key, x, y):
        tried = jax.tree_util.tree_map(lambda p: p + jax.random.normal(key, p.shape), params)
        better = loss_of(tried, x, y) < loss_of(params, x, y)
        return jax.tree_util.tree_map(lambda a, b: jnp.where(better, a, b), tried, params)

    params, key = parameters(), jax.random.key(0)
    for x, y in BATCHES:
        key, now = jax.random.split(key)
        params = search(params, now, x, y)
    return params


# -- several functions -------------------------------------------------------------------------


def helpers():
    """What initializes, augments, evaluates and averages is compiled too."""

    @jax.jit
    def initial(key):
        keys = jax.random.split(key)
        return {"hidden": jax.random.normal(keys[0], (6, 8)), "out": jnp.zeros((8, 3))}

    @jax.jit
    def augmented(key, x):
        return x + 0.1 * jax.random.normal(key, x.shape)

    @jax.jit
    def averaged(average, params):
        return jax.tree_util.tree_map(lambda a, p: 0.9 * a + 0.1 * p, average, params)

    step, evaluate = jax.jit(step_of), jax.jit(loss_of)
    key = jax.random.key(1)
    params = average = initial(key)
    for x, y in BATCHES:
        key, now = jax.random.split(key)
        params, _ = step(params, augmented(now, x), y)
        average = averaged(average, params)
        evaluate(average, x, y)
    return params, average


def sharded():
    """The batch lies on four devices, the weights on each of them."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
    everywhere, split = (
        jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
        for axes in ((), ("batch",))
    )
    step, params = jax.jit(step_of), jax.device_put(parameters(), everywhere)
    return looped(lambda params, *batch: step(params, *jax.device_put(batch, split)), params)


def two_updates():
    """Each of two compiled steps takes the weights that the other one has returned."""

    @jax.jit
    def first(params, x, y):
        return descend(params, jax.grad(loss_of)(params, x, y))

    @jax.jit
    def second(params, x, y):
        return descend(params, jax.grad(loss_of)(params, x, y), 0.2)

    params = parameters()
    for x, y in BATCHES:
        params = second(first(params, x, y), x, y)
    return params


def adversaries():
    @jax.jit
    def first(ours, theirs, x, y):
        return descend(ours, jax.grad(loss_of)(ours, x, y + theirs["out"].sum()))

    @jax.jit
    def second(ours, theirs, x, y):
        return descend(ours, jax.grad(loss_of)(ours, x, y - theirs["out"].sum()))

    one, other = parameters(), parameters()
    for x, y in BATCHES:
        one = first(one, other, x, y)
        other = second(other, one, x, y)
    return one, other


def keys_as_state():
    """Noise whose key goes from step to step, and small types."""

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, x, y):
        key, now = jax.random.split(state["key"])
        noise = 0.1 * jax.random.normal(now, x.shape)
        params, loss = step_of(state["params"], (x + noise).astype("bfloat16"), y)
        seen = state["seen"].at[0].set(loss.astype("float8_e4m3fn"))
        return {"key": key, "params": params, "seen": seen}, loss

    seen = jnp.zeros(4, "float8_e4m3fn")
    state = {"key": jax.random.key(5), "params": parameters("bfloat16"), "seen": seen}
    return looped(step, state)["params"]


# -- what is not looked at ---------------------------------------------------------------------


def in_a_thread():
    result = []
    thread = threading.Thread(target=lambda: result.append(plain()))
    thread.start()
    thread.join()
    return result[0]


def scanned_without_jit():
    xs, ys = (np.stack(part) for part in zip(*BATCHES, strict=True))
    return lax.scan(lambda params, batch: step_of(params, *batch), parameters(), (xs, ys))[0]


def pulled_back():
    params = parameters()
    for x, y in BATCHES:
        _, pull = jax.vjp(lambda params, x=x, y=y: loss_of(params, x, y), params)
        params = descend(params, pull(jnp.ones(()))[0])
    return params


def deserialized():
    """A step that comes from elsewhere, compiled."""
    from jax.experimental import serialize_executable

    compiled = jax.jit(step_of).lower(parameters(), *BATCHES[0]).compile()
    kept = serialize_executable.serialize(compiled)
    return looped(serialize_executable.deserialize_and_load(*kept))


# -- libraries ---------------------------------------------------------------------------------


def flax_nnx():
    import optax
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self, rngs):
            self.hidden = nnx.Linear(6, 8, rngs=rngs)
            self.norm = nnx.BatchNorm(8, rngs=rngs)
            self.dropout = nnx.Dropout(0.1, rngs=rngs)
            self.out = nnx.Linear(8, 3, rngs=rngs)

        def __call__(self, x):
            return self.out(self.dropout(nnx.relu(self.norm(self.hidden(x)))))

    @nnx.jit
    def step(model, optimizer, x, y):
        def loss(model):
            return jnp.mean((model(x) - y) ** 2)

        value, gradients = nnx.value_and_grad(loss)(model)
        optimizer.update(model, gradients)
        return value

    model = Network(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)
    for x, y in BATCHES:
        step(model, optimizer, x, y)
    return nnx.state(model, nnx.Param)


def optax_eager():
    import optax

    optimizer, params = optax.adam(0.01), parameters()
    state, gradients_of = optimizer.init(params), jax.jit(jax.grad(loss_of))
    for x, y in BATCHES:
        updates, state = optimizer.update(gradients_of(params, x, y), state)
        params = optax.apply_updates(params, updates)
    return params


if __name__ == "__main__":
    if os.environ.get("ARRAYS") == "elsewhere" and "seedproof" in sys.modules:
        from seedproof.frameworks.jax import look as jax_look

        jax_look.lies_on_cpu = lambda _: False
    trained = globals()[sys.argv[1]]()
    np.savez(sys.argv[3], *map(np.asarray, jax.tree_util.tree_leaves(trained)))
