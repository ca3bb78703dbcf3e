"""Whose call it is: the user's own, or a library's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pinned_runs import INSTALLED, install, repeats, run

from conftest import environment
from seedproof.inside.pins import callers

PINNED = {"entropy": 5}
SCRIPT = "import os, random, secrets, uuid\nimport functools\n{}\n"


@pytest.mark.parametrize(
    "call",
    [
        "print(os.urandom(8))",
        "print(uuid.uuid4())",
        "print(secrets.token_hex(8))",
        "print(secrets.choice(range(10**9)))",
        "print(random.SystemRandom().random())",
        "print([os.urandom(8) for _ in range(3)])",
        "print(*map(os.urandom, [8]))",
        "print(functools.partial(os.urandom, 8)())",
        "exec('print(os.urandom(8))')",
        "print(eval('os.urandom(8)'))",
        "print(os.urandom(size=8) if False else os.getrandom(8))",
    ],
)
def test_what_the_script_calls_is_its_own(tmp_path, call):
    assert repeats(tmp_path, SCRIPT.format(call), pins=PINNED)


def test_so_is_what_its_modules_call(tmp_path):
    (tmp_path / "augment.py").write_text("import os\ndef noise(): return os.urandom(8)\n")
    script = "import augment\nprint(augment.noise())"
    assert repeats(tmp_path, script, pins=PINNED)
    assert run(tmp_path, script, pins=PINNED).uses("entropy") == [("augment.py", 2)]


def test_so_is_what_was_generated_for_it(tmp_path):
    script = (
        "import dataclasses, uuid\n@dataclasses.dataclass\nclass Sample:\n"
        "    name: object = dataclasses.field(default_factory=uuid.uuid4)\nprint(Sample())"
    )
    assert repeats(tmp_path, script, pins=PINNED)
    assert run(tmp_path, script, pins=PINNED).uses("entropy") == [("train.py", 5)]


@pytest.mark.parametrize(
    "call",
    ["os.urandom(8)", "secrets.token_hex(8)", "uuid.uuid4()", "random.SystemRandom().random()",
     "random.Random().random()"],
)  # fmt: skip
def test_what_a_library_calls_is_not(tmp_path, call):
    install(tmp_path, f"import os, secrets, uuid, random\ndef secret(): return {call}\n")
    script = INSTALLED + "print(installed.secret())"
    assert not repeats(tmp_path, script, pins=PINNED)
    assert run(tmp_path, script, pins=PINNED).uses("entropy") == []


@pytest.mark.parametrize(
    "call",
    [
        "tempfile.mkdtemp()",
        "multiprocessing.current_process().authkey.hex()",
        "ssl.RAND_bytes(8)",
        "email.utils.make_msgid()",
    ],
)
def test_nor_is_what_the_standard_library_draws_for_itself(tmp_path, call):
    modules = "import email.utils, multiprocessing, ssl, tempfile\n"
    assert not repeats(tmp_path, f"{modules}print({call})", pins=PINNED)


def test_a_working_directory_that_is_gone_is_no_matter(tmp_path):
    script = "import os, time\nos.mkdir('x'); os.chdir('x'); os.rmdir('../x')\n"
    script += "def read(): return time.time()\nread()\nos.urandom(1)"
    run(tmp_path, script, pins={**PINNED, "clock": "2024-01-01", "file_order": 0})


def test_nor_is_what_happens_before_the_script(tmp_path):
    assert run(tmp_path, "pass", pins=PINNED).uses("entropy") == []


def test_a_program_without_a_file_is_the_users_own(tmp_path):
    program = (
        "from seedproof.inside.pins.callers import own_place, place_behind\n"
        "print(own_place(), place_behind(''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True
    )
    place = "Place(file='<string>', line=2)"
    assert done.stdout == f"{place} {place}\n", done.stderr


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/home/a/project/train.py", callers.OWN),
        ("train.py", callers.OWN),
        ("/tmp/ipykernel_31/1.py", callers.OWN),
        ("/opt/v/lib/python3.12/site-packages/torch/random.py", callers.LIBRARY),
        ("/usr/lib/python3/dist-packages/numpy/core.py", callers.LIBRARY),
        (subprocess.__file__, callers.STANDARD),
        ("<frozen importlib._bootstrap>", callers.STANDARD),
        ("<__array_function__ internals>", callers.GENERATED),
        (sys.modules["seedproof"].__file__, callers.LIBRARY),
        (callers.__file__, callers.PASSES),
    ],
)
def test_files_are_known_by_where_they_lie(name, kind):
    assert callers._kind(name) == kind
