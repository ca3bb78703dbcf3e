"""What a run leaves on disk: `format` says how it looks, `writer` writes it, `reader` reads it."""
