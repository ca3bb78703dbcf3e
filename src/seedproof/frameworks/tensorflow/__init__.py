"""TensorFlow, as `seedproof.frameworks` describes it."""
