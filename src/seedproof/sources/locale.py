"""Language and country, as the environment names them."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from seedproof.sources.base import Source, Variable, confirmed

if TYPE_CHECKING:
    from seedproof.launch import Launch

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9_.@-]{0,60}", re.ASCII)
# Decimal commas, and an `i` whose capital is no `I`; whatever of these the machine has.
_TELLING = ("de_DE", "tr_TR", "fr_FR", "ja_JP", "en_US")


def _parse(text: str) -> str:
    known = _installed()
    if not _FORM.fullmatch(text) or (known and _plain(text) not in map(_plain, known)):
        raise ValueError("a locale of this machine, as " + (" or ".join(known[:8]) or "C"))
    return text


def _plain(name: str) -> str:
    """`C.UTF-8` and `C.utf8` are the same one."""
    return name.lower().replace("-", "")


def _variables(name: str) -> tuple[Variable, ...]:
    return (Variable("LC_ALL", name),)


def _offer(launch: Launch, name: str) -> Launch:
    return launch.with_environment({"LC_ALL": name}).with_offer("locale", name)


def _variations() -> tuple[str, ...]:
    found = (name for language in _TELLING for name in _installed() if name.startswith(language))
    return ("C.UTF-8", "C", *list(found)[:1])


@lru_cache(maxsize=None)
def _installed() -> tuple[str, ...]:
    import shutil
    import subprocess

    program = shutil.which("locale")
    with suppress(OSError, subprocess.SubprocessError):
        if program:
            done = subprocess.run([program, "-a"], capture_output=True, text=True, timeout=10)
            return tuple(done.stdout.split())
    return ()


SOURCE = Source(
    id="locale",
    summary="language and country, which change how text is read, sorted and written",
    explanation=(
        "The locale decides the encoding in which files are opened, the decimal sign that "
        "libraries in C read and write, how names are sorted and what a month is called. The "
        "same script can so read other data on a colleague's machine or in a container. A value "
        "that this machine has not installed is told as not reached."
    ),
    fix=(
        "Name the encoding, open(path, encoding='utf-8'), sort by plain comparison, and write "
        "numbers with repr or json."
    ),
    links=(
        "https://docs.python.org/3/library/locale.html",
        "https://docs.python.org/3/library/functions.html#open",
    ),
    parse=_parse,
    pinned=lambda _seed, _threads: "C.UTF-8",
    variables=_variables,
    variations=_variations,
    offer=_offer,
    offered=confirmed("locale"),
    before_start=True,
    by_variables=True,
)
