"""A launch that starts in a copy of its directory, under another path."""

from __future__ import annotations

import os
from dataclasses import replace

from seedproof.launch import Launch

_PATHS = ("PWD", "PYTHONPATH")


def moved(launch: Launch, copy: str) -> Launch:
    """As `launch`, with `copy` in place of its directory.

    Paths into the directory lead into the copy, so that a script given by its whole path, and
    what it writes beside itself, are private too: in the arguments, also after `--option=`, and
    in `PWD` and `PYTHONPATH`. The program itself, which may be an environment's interpreter, stays.
    """
    program, *arguments = launch.command
    directory = os.path.realpath(launch.directory)
    aliases = tuple(dict.fromkeys((launch.directory, directory)))

    def path(text: str) -> str:
        for alias in aliases:
            if text == alias or text.startswith(alias.rstrip(os.sep) + os.sep):
                return copy + text[len(alias) :]
        return text

    def argument(text: str) -> str:
        name, equals, value = text.partition("=")
        return name + equals + path(value) if text.startswith("-") and equals else path(text)

    variables = {
        name: os.pathsep.join(map(path, launch.environment[name].split(os.pathsep)))
        for name in _PATHS
        if name in launch.environment
    }
    return replace(
        launch.with_environment(variables),
        command=(program, *map(argument, arguments)),
        directory=copy,
    )
