"""The doctor's report for the terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seedproof._version import __version__
from seedproof.checking.probe import Probe
from seedproof.inside.machine import telling_variables
from seedproof.launch import Value
from seedproof.sources import CATALOGUE
from seedproof.trace.sums import are_compiled

_WIDTH = 96
_INDENT = "    "
_TELLING_FLAGS = ("sse4_1", "avx", "avx2", "avx512f", "amx_tile")


def doctor_as_text(
    interpreter: str,
    probe: Probe,
    policies: Mapping[str, Mapping[str, Value]],
    conflicts: Mapping[str, Sequence[str]],
) -> str:
    """Versions, machine, what each policy sets and when, and what stands against it."""
    lines = [
        f"seedproof {__version__} on Python {sys.version.split()[0]}",
        f"scripts run under {interpreter} (Python {probe.hello['python']})",
        *_versions(probe),
        *_machine(probe),
        *(f"in the environment: {name}={value}" for name, value in telling_variables().items()),
        "",
    ]
    for name, pins in policies.items():
        lines += [*_policy(name, pins, probe), *(f"  {line}" for line in conflicts[name]), ""]
    if any(conflicts.values()):
        lines.append(
            f"contradicted by the environment: {', '.join(filter(conflicts.get, policies))}"
        )
    else:
        lines.append("nothing in the environment contradicts a policy")
    return "\n".join(lines) + "\n"


def _versions(probe: Probe) -> Iterable[str]:
    for name, version in probe.versions.items():
        if name != "python":
            yield f"  {name} {version}"


def _machine(probe: Probe) -> Iterable[str]:
    model, flags = _processor()
    yield f"{probe.hello['platform']}, {model}"
    yield f"{os.cpu_count()} cores, {probe.hello['cores']} of them visible to a process"
    if flags:
        yield f"instruction sets: {', '.join(flags)}"
    yield f"digests are computed by {_arithmetic()}"
    if Path("/proc/driver/nvidia/version").exists():
        yield "an NVIDIA GPU driver is loaded"


def _arithmetic() -> str:
    if are_compiled(()):
        return "compiled code"
    return "NumPy: no C compiler was at hand when seedproof was installed, so recording costs more"


def _processor() -> tuple[str, list[str]]:
    """The name of the processor and the instruction sets that change results, where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "processor unknown", []
    facts = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    flags = facts.get("flags", "").split()
    return facts.get("model name", "processor unknown"), [f for f in _TELLING_FLAGS if f in flags]


def _policy(name: str, pins: Mapping[str, Value], probe: Probe) -> Iterable[str]:
    yield f"{name}: {'pins nothing' if not pins else ''}".rstrip()
    variables = [
        f"{variable.name}={variable.value}"
        for source, value in pins.items()
        for variable in CATALOGUE[source].variables(value)
    ]
    if variables:
        listed = textwrap.fill(
            " ".join(variables), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT
        )
        yield f"  before the start:\n{listed}"
    for event in probe.pinned:
        if event["source"] in pins:
            for done in event["set"]:
                yield f"  when {event['framework']} is there: {done}"
            for missed in event["missed"]:
                yield f"  cannot be set: {missed}"
    for source in pins:
        if found := probe.effective.get(source):
            yield f"  found in force: {source} {' and '.join(map(str, found))}"
