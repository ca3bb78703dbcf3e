"""Tracebacks of the script's own, as they are without us."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any, Callable

_HERE = str(Path(__file__).parent) + os.sep


def without_own_frames(error: BaseException) -> None:
    """Takes what is ours out of a traceback that ends here: the script's own follows."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_HERE):
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def instead_of(original: Any) -> Callable[[Any], Any]:
    """Makes a function stand for `original`: under its name, and in no traceback."""

    def decorate(function: Any) -> Any:
        @functools.wraps(original)
        def replacement(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except BaseException as error:
                without_own_frames(error)
                raise

        return replacement

    return decorate
