"""The hook reacts after an import, and leaves no trace in the module."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from seedproof.inside import import_hook


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes an importable module and forgets it afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    written = []

    def write(name: str, text: str, installed: bool = False) -> str:
        place = tmp_path / "site-packages" if installed else tmp_path
        place.mkdir(exist_ok=True)
        monkeypatch.syspath_prepend(str(place))
        (place / f"{name}.py").write_text(text)
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_the_reaction_comes_once_the_module_has_run(module):
    name = module("watched_one", "value = 1\n")
    seen = []
    import_hook.when_imported(name, lambda name: seen.append(sys.modules[name].value))
    assert seen == []
    __import__(name)
    __import__(name)
    assert seen == [1]


def test_a_module_that_is_there_already_is_met_at_once(module):
    name = module("watched_two", "")
    __import__(name)
    seen = []
    import_hook.when_imported(name, seen.append)
    assert seen == [name]


def test_the_loader_is_the_modules_own_again(module):
    name = module("watched_three", "mine = 'exec_module' in vars(__spec__.loader)\n")
    import_hook.when_imported(name, lambda _: None)
    assert not __import__(name).mine


def test_a_module_that_fails_and_is_mended_is_still_met(module, tmp_path):
    name = module("watched_four", "raise OSError\n")
    seen = []
    import_hook.when_imported(name, seen.append)
    with pytest.raises(OSError):  # noqa: PT011 - the module's own, unchanged
        __import__(name)
    assert seen == []
    (tmp_path / "watched_four.py").write_text("mended = 'now it is longer'\n")
    __import__(name)
    assert seen == [name]


def test_draws_of_an_installed_package_are_undone(module):
    name = module("drawing_package", "import random\nrandom.random()\n", installed=True)
    import_hook.undo_draws_of_imports()
    before = random.getstate()
    __import__(name)
    assert random.getstate() == before


def test_draws_of_the_users_own_module_stay(module):
    name = module("drawing_module", "import random\nrandom.random()\n")
    import_hook.undo_draws_of_imports()
    before = random.getstate()
    __import__(name)
    assert random.getstate() != before


def test_imports_work_as_before_with_everything_undone():
    """Builtin, frozen, extension and namespace modules, and packages with data, one process."""
    program = (
        "from seedproof.inside import import_hook\n"
        "import_hook.undo_draws_of_imports()\n"
        "import zipimport, _json, decimal, numpy, importlib.resources, importlib.metadata\n"
        "assert importlib.resources.files('numpy').joinpath('py.typed').is_file()\n"
        "assert numpy.__spec__.loader.get_source('numpy')\n"
        "assert importlib.metadata.version('numpy') == numpy.__version__\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
