"""Where a run works: in the directory itself, or in a private view of it. Runs in the guard.

On the standard library alone; on `os` rather than `pathlib`, because trees are walked here.
"""
