"""JAX, as `seedproof.frameworks` describes it."""
