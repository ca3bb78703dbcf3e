"""`file_order`: the order in which everybody lists a directory."""

from __future__ import annotations

import pytest
from pinned_runs import INSTALLED, install, run

NAMES = [f"{letter}.png" for letter in "hxbqacz"]
MODULES = "import glob, os, pathlib\n"
LISTINGS = [
    "os.listdir('data')",
    "os.listdir(path='data')",
    "[entry.name for entry in os.scandir('data')]",
    "[os.path.basename(path) for path in glob.glob('data/*.png')]",
    "[path.name for path in pathlib.Path('data').iterdir()]",
    "[path.name for path in pathlib.Path('data').glob('*')]",
    "[path.name for path in pathlib.Path('.').rglob('*.png')]",
    "next(os.walk('data'))[2]",
    "[os.fsdecode(name) for name in os.listdir(b'data')]",
    "os.listdir(os.open('data', os.O_RDONLY))",
]


@pytest.fixture(autouse=True)
def data(tmp_path):
    for name in NAMES:
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).touch()


def listed(tmp_path, listing: str, **launch) -> list[str]:
    (line,) = run(tmp_path, f"{MODULES}print(*{listing})", **launch).lines
    return line.split()


@pytest.mark.parametrize("listing", LISTINGS)
def test_pinned_it_is_sorted(tmp_path, listing):
    assert listed(tmp_path, listing, pins={"file_order": 0}) == sorted(NAMES)


@pytest.mark.parametrize("listing", LISTINGS)
def test_varied_it_is_another_one_by_its_value(tmp_path, listing):
    backwards = listed(tmp_path, listing, offers={"file_order": 1})
    assert backwards == sorted(NAMES, reverse=True)
    shuffled = listed(tmp_path, listing, offers={"file_order": 2})
    assert sorted(shuffled) == sorted(NAMES)
    assert shuffled not in (backwards, backwards[::-1])


def test_the_same_value_is_the_same_order_wherever_it_is_listed(tmp_path):
    two = [listed(tmp_path, listing, offers={"file_order": 7}) for listing in LISTINGS[:3]]
    assert two[0] == two[1] == two[2]


def test_the_pin_acts_after_the_variation(tmp_path):
    both = listed(tmp_path, LISTINGS[0], pins={"file_order": 0}, offers={"file_order": 2})
    assert both == sorted(NAMES)


def test_libraries_list_in_that_order_too(tmp_path):
    install(tmp_path, "import os\ndef read(): return os.listdir('data')\n")
    script = INSTALLED + "print(*installed.read())"
    assert run(tmp_path, script, pins={"file_order": 1}).lines == [" ".join(sorted(NAMES)[::-1])]


def test_what_scandir_gives_is_still_an_iterator_and_a_context(tmp_path):
    script = MODULES + (
        "with os.scandir('data') as entries:\n"
        "    first = next(entries)\n    assert iter(entries) is entries\n"
        "assert list(entries) == [] and isinstance(first, os.DirEntry) and first.is_file()\n"
        "entries = os.scandir('data'); entries.close(); assert list(entries) == []\n"
    )
    run(tmp_path, script, "-W", "error", pins={"file_order": 0})


@pytest.mark.parametrize("call", ["os.listdir('no')", "os.scandir('no')", "os.listdir('train.py')"])
def test_what_cannot_be_listed_fails_as_ever(tmp_path, call):
    script = f"import os\ntry: {call}\nexcept OSError as error: print(type(error), error)"
    assert run(tmp_path, script, pins={"file_order": 0}).lines == run(tmp_path, script).lines


def test_its_functions_can_do_what_they_could(tmp_path):
    """`shutil` asks by identity, classes hold them, and pools send them by name."""
    script = MODULES + (
        "import pickle, shutil\n"
        "class Held: listdir = os.listdir\n"
        "print(shutil.rmtree.avoids_symlink_attacks, os.listdir in os.supports_fd,"
        " sorted(Held().listdir('data'))[0], pickle.loads(pickle.dumps(os.listdir)) is os.listdir)"
    )
    assert run(tmp_path, script, pins={"file_order": 0}).lines == run(tmp_path, script).lines
