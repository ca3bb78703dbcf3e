"""scikit-learn, as `seedproof.frameworks` describes it."""
