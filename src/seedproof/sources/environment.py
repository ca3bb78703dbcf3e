"""The environment variables that nobody meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, confirmed, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch

_PADDING = "_SEEDPROOF_PADDING"
# They tell of a session, never of what a program is to do.
_OF_A_SESSION = (
    *("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_AUTH_SOCK", "SSH_AGENT_PID"),
    *("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORTERM", "COLUMNS", "LINES", "WINDOWID"),
    *("TMUX", "TMUX_PANE", "STY", "SHLVL", "OLDPWD", "_", "LS_COLORS", "HISTFILE", "PROMPT", "PS1"),
    *("XDG_SESSION_ID", "XDG_SESSION_TYPE", "INVOCATION_ID", "JOURNAL_STREAM", "GPG_TTY"),
    *("VSCODE_IPC_HOOK_CLI", "VSCODE_GIT_IPC_HANDLE", "VSCODE_GIT_ASKPASS_NODE", "HOSTNAME"),
)


def _start(launch: Launch, size: int) -> Launch:
    return _padded(launch.without_environment(_OF_A_SESSION), size)


def _offer(launch: Launch, size: int) -> Launch:
    return _padded(launch, size).with_offer("environment", size)


def _padded(launch: Launch, size: int) -> Launch:
    bare = launch.without_environment((_PADDING,))
    return bare.with_environment({_PADDING: "x" * size}) if size else bare


SOURCE = Source(
    id="environment",
    summary="environment variables that nobody set on purpose, and how much room they take",
    explanation=(
        "Every shell, scheduler and editor leaves variables of its own. A script that stores or "
        "hashes the whole environment changes with them, and their mere size moves the stack and "
        "with it the alignment of what lies on it. Varied, a variable of so many bytes is added. "
        "The pin takes away those that tell of a session and adds the given number of bytes."
    ),
    fix="Read the variables that you need by name, and store those alone.",
    links=(
        "https://reproducible-builds.org/docs/environment-variations/",
        "https://dl.acm.org/doi/10.1145/1508244.1508275",
    ),
    parse=whole_number(0, 100_000),
    pinned=lambda _seed, _threads: 0,
    variations=lambda: (0, 1000, 33_333),
    offer=_offer,
    offered=confirmed("environment"),
    start=_start,
    before_start=True,
    used="reads all variables of the environment",
)
