"""Pure functions of traces: where they part, how far, what that proves."""
