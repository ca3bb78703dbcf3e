"""Tells where the user's own code uses a source: each line once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.inside import recorder

if TYPE_CHECKING:
    from seedproof.inside.pins.callers import Place

_told: set[tuple[str, Place]] = set()


def tell(source: str, place: Place) -> None:
    """Leaves an event, where this is recorded; what fails here must not fail the user's call."""
    if (source, place) in _told:
        return
    _told.add((source, place))
    active = recorder.current()
    if active is not None:
        try:
            active.event("used", source=source, file=place.file, line=place.line)
        except Exception:
            active.trouble("tell of a use")
