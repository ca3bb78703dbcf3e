"""Names that no tensor should have: whole in the JSON, harmless everywhere else."""

from __future__ import annotations

import json
import sys

import pytest

NAMES = {
    "HTML": "<script>alert('1')</script>&amp;<b>",
    "newlines": "a\nb\r\nc\u2028d\x85e",
    "long": "x" * 10_000,
    "control": "\x1b[31mred\x07\x00\x9b",
    "markup": "[bold red]a[/] \\[x] :smile:",
    "path": "../../etc/passwd\0/..\\C:",
    "no text": "\ud800 \udcff",
    "empty": "",
    "right to left": "\u202eevil\u202c",
}
RECORDS = """
import os, seedproof
seedproof.record({name!r}, {value})
seedproof.record("dict", {{{name!r}: 2.5}})
"""

each_name = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)


@each_name
def test_whatever_a_tensor_is_called_it_is_compared(seedproof, script, name):
    found = seedproof.check("--runs", "2", script(RECORDS.format(name=name, value=1.5)))
    assert found["verdict"] == "identical"
    assert found["arms"][0]["runs"][0]["records"] == 2


@each_name
def test_a_name_is_whole_in_the_json_and_one_cut_line_elsewhere(seedproof, script, name):
    target = script(RECORDS.format(name=name, value="os.urandom(8)"))
    command = ("check", "--runs", "2", "--python", sys.executable, "--json", "found.json")
    done = seedproof(*command, target)
    found = json.loads((seedproof.directory / "found.json").read_text())
    assert found["arms"][0]["divergence"]["name"] == name
    (line,) = [line for line in done.out.splitlines() if "part: " in line]
    assert len(line) < 250
    assert line.isprintable()
