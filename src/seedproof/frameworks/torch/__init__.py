"""PyTorch, as `seedproof.frameworks` describes it."""
