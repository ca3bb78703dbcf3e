"""The key is a number that stands in the script."""

import jax
import jax.numpy as jnp

key = jax.random.key(20240229)
inputs = jnp.linspace(-1, 1, 40)[:, None]
targets = inputs[:, 0] ** 2


def loss(weights):
    hidden = jnp.tanh(inputs @ weights["in"] + weights["bias"])
    return jnp.mean((hidden @ weights["out"] - targets) ** 2)


@jax.jit
def step(weights):
    gradients = jax.grad(loss)(weights)
    return jax.tree.map(lambda weight, gradient: weight - 0.1 * gradient, weights, gradients)


weights = {
    "in": jax.random.normal(key, (1, 8)),
    "bias": jnp.zeros(8),
    "out": jnp.zeros(8),
}
for _ in range(10):
    weights = step(weights)
