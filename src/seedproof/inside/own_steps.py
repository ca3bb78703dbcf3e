"""The steps of a script in which no optimizer is seen: they are told by its own records."""

from __future__ import annotations


class OwnSteps:
    """A step begins whenever a name comes again, or with a step that the script itself names."""

    def __init__(self) -> None:
        self.begun = 0
        self._names: set[str] = set()

    def of(self, name: str, step: int | None) -> int:
        """The step of the record `name`; `step` is what the script says, None where it does not."""
        if step is None:
            step = self.begun - 1
            if self.begun == 0 or name in self._names:
                step += 1
        if step >= self.begun:
            self.begun = step + 1
            self._names.clear()
        self._names.add(name)
        return step
