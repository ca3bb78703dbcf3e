"""Every run draws the key of its random numbers anew, so JAX repeats nothing from run to run.

Cause: entropy
"""

import secrets

import jax
import jax.numpy as jnp

key = jax.random.key(secrets.randbits(32))
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
