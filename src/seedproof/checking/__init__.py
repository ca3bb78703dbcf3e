"""A check: its plan, its directory, how it is conducted, and what came out."""
