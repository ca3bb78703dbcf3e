"""Searches over pins: what makes runs part, and what keeps them together."""
