"""The catalogue: every source is whole, and a new one needs no other file to be touched."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import seedproof.sources
from conftest import environment
from seedproof.checking import plan
from seedproof.cli import main
from seedproof.launch import Launch
from seedproof.policies import POLICIES
from seedproof.sources import CATALOGUE, op_determinism

HERE = Path(seedproof.sources.__file__).parent
LAUNCH = Launch(("python",), "/project")
ALLOWED = (
    r"^((frameworks or )?a whole number from \d+ to \d+|\w+( or \w+)+|a date, as .*|"
    r"a (locale|time zone) of this machine, .*)$"
)
IDS = (
    "seeds entropy hash_seed num_threads cpu_isa op_determinism autotune data_order file_order "
    "clock aslr locale timezone home working_dir environment leftovers load uninitialized_memory"
)
every_source = pytest.mark.parametrize("source", CATALOGUE.values(), ids=CATALOGUE)


@pytest.fixture
def dummy(monkeypatch):
    """A source that did not exist when the verbs were written."""
    source = replace(
        op_determinism.SOURCE,
        id="moon_phase",
        summary="the phase of the moon",
        parse=lambda text: {"full": 1, "new": 0}[text],
        pinned=lambda _seed, _threads: 0,
        variations=lambda: (0, 1),
        variables=lambda _value: (),
        offer=lambda launch, value: launch.with_environment({"MOON": str(value)}),
        offered=lambda hello: hello["variables"].get("MOON"),
    )
    monkeypatch.setitem(CATALOGUE, source.id, source)
    return source


# -- every one ---------------------------------------------------------------------------------


def test_the_catalogue_has_the_sources_that_users_know():
    assert list(CATALOGUE) == IDS.split()


def test_every_file_is_in_the_catalogue_under_its_own_name():
    files = {path.stem for path in HERE.glob("*.py")} - {"__init__", "base", "uses"}
    assert set(CATALOGUE) == files
    assert all(source.id == name for name, source in CATALOGUE.items())


@every_source
def test_it_tells_a_person_what_it_is_and_what_to_do(source):
    assert 20 < len(source.summary) < 79
    assert len(source.explanation) > 100
    assert source.explanation.endswith(".")
    assert source.fix.endswith(".")


@every_source
def test_it_says_whether_it_changes_variables(source):
    private = LAUNCH.with_view("private")
    launches = [source.offer(private, value) for value in source.variations()]
    changes = any(launch.environment or launch.first.get("home") for launch in launches)
    moves = any(launch.view == "moved" for launch in launches)  # and with it PWD
    assert source.by_variables == ((changes or moves) and source.id != "environment")


@every_source
def test_it_has_links(source):
    assert source.links
    assert all(link.startswith("https://") and " " not in link for link in source.links)


@every_source
def test_it_can_be_pinned(source):
    value = source.pinned(7, 2)
    pinned = source.pin(LAUNCH, value)
    assert pinned.pins == {source.id: value}
    for variable in source.variables(value):
        assert pinned.environment[variable.name] == variable.value
        assert variable.accepts(variable.value)


@every_source
def test_it_can_be_varied_and_each_value_offers_something_else(source):
    values = source.variations()
    assert len(set(values)) == len(values) >= 2
    launches = [source.vary(LAUNCH, value) for value in values]
    assert [launch.varied for launch in launches] == [{source.id: value} for value in values]
    offers = [replace(launch, varied={}) for launch in launches]
    assert all(offer != LAUNCH for offer in offers)
    assert all(a != b for at, a in enumerate(offers) for b in offers[:at])


@every_source
def test_what_only_the_start_can_set_is_pinned_instead_of_varied(source):
    value = source.pinned(7, 2)
    varied = source.vary(LAUNCH, source.variations()[1])
    offers = source.pin(varied, value).offers
    assert offers == ({} if source.before_start else varied.offers)


@every_source
def test_a_stricter_value_pins_too(source):
    if source.strict is not None:
        assert source.parse(str(source.strict)) == source.strict
        assert source.pin(LAUNCH, source.strict) != source.pin(LAUNCH, source.pinned(7, 2))


@every_source
def test_what_it_proposes_can_also_be_typed(source):
    words = {True: "on", False: "off"}
    for value in (*source.variations(), source.pinned(7, 2)):
        text = words[value] if isinstance(value, bool) else str(value)
        assert source.parse(text) == value


@every_source
@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "On", " 1", "1\n", "9" * 5000])
def test_what_it_does_not_know_is_refused_with_what_is_allowed(source, text):
    with pytest.raises(ValueError, match=ALLOWED):
        source.parse(text)


@every_source
def test_a_run_that_says_nothing_was_offered_nothing(source):
    assert source.offered({}) is None


def test_every_policy_pins_sources_of_the_catalogue():
    assert {source for sources in POLICIES.values() for source in sources} <= set(CATALOGUE)


def test_op_determinism_off_asks_cublas_for_nothing():
    names = [variable.name for variable in op_determinism.SOURCE.variables(False)]
    assert "CUBLAS_WORKSPACE_CONFIG" not in names


# -- a new one ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("dummy")
def test_a_new_source_is_shown(capsys):
    assert main(["sources"]) == 0
    assert "moon_phase            the phase of the moon\n" in capsys.readouterr().out
    assert main(["sources", "moon_phase"]) == 0
    shown = capsys.readouterr().out
    assert "Pinned by: no policy; --pin moon_phase\n" in shown
    assert "Varied by: --vary moon_phase, over 0, 1\n" in shown


@pytest.mark.usefixtures("dummy")
def test_a_new_source_can_be_pinned_and_varied():
    assert plan.pins("seeded", ["moon_phase"], 0, 1)["moon_phase"] == 0
    assert plan.pins("as-is", ["moon_phase=full"], 0, 1) == {"moon_phase": 1}
    assert plan.variations(["moon_phase"], 2) == [{"moon_phase": 0}, {"moon_phase": 1}]


@pytest.mark.usefixtures("dummy")
def test_a_new_source_is_varied_in_a_check(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    script = "import os, seedproof; seedproof.record('w', os.environ['MOON'])"
    (tmp_path / "train.py").write_text(script)
    command = ["check", "--python", sys.executable, "--runs", "2", "--vary", "moon_phase"]
    assert main([*command, "train.py"]) == 1
    assert "run 1: moon_phase varied to 1" in capsys.readouterr().out


# -- where they run ----------------------------------------------------------------------------


def test_the_files_are_in_the_syntax_of_the_oldest_python_that_they_run_in():
    for path in [*HERE.glob("*.py"), HERE.parent / "launch.py"]:
        ast.parse(path.read_text("utf-8"), feature_version=(3, 8))


def test_they_need_nothing_but_the_standard_library():
    program = "import sys, seedproof.sources; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) <= {"__main__", "seedproof", "sitecustomize"}
