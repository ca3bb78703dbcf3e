"""Keras, as `seedproof.frameworks` describes it."""
