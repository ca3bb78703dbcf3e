"""What a script finds, says and leaves in a check is what it is without us."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import pytest
from whole_checks import DRAWN, STEADY, alone, runs_of, verdict_of, with_us

FACTS = """
import gc, json, locale, os, signal, sys, threading, warnings
import __main__
print(json.dumps([
    sys.argv, sys.orig_argv, os.getcwd(), __name__, __main__ is sys.modules["__main__"],
    __main__.__file__, sorted(vars(__main__)), sys.path, list(sys.flags), sys.warnoptions,
    str(warnings.filters), sys.stdin.isatty(), sys.stdout.isatty(), sys.stdout.encoding,
    sys.stdout.line_buffering, sys.excepthook is sys.__excepthook__, str(signal.getsignal(2)),
    str(signal.getsignal(15)), threading.active_count(), sys.getrecursionlimit(),
    gc.get_threshold(), gc.isenabled(), locale.setlocale(locale.LC_ALL), sys.getswitchinterval(),
    sys.gettrace() is None, sys.getprofile() is None, sys.prefix, sys.dont_write_bytecode,
    dict(os.environ),
]))
"""
SELF_CENTRED = """
import __main__, inspect, pickle, sys
class Net: pass
print(pickle.dumps(Net()), inspect.getsourcefile(Net), Net.__module__, __spec__, __package__)
"""
ENDINGS = {
    "status": "raise SystemExit(7)",
    "text": "raise SystemExit('no such layer')",
    "traceback": "def layer(x):\n    return 1 / x\n\nlayer(0)",
    "chained": "try: {}['x']\nexcept KeyError as error: raise ValueError('y') from error",
    "os._exit": "import os, sys\nprint('left', flush=True)\nos._exit(9)",
    "signal": "import os\nos.kill(os.getpid(), 9)",
    "syntax": "for",
    "import": "import no_such_module",
    "unraisable": "class A:\n    def __del__(self): raise OSError('late')\nA()",
    "exit handler": "import atexit\natexit.register(print, 'at the end')",
    "in a thread": "import threading\nthreading.Thread(target=lambda: [][1], name='t').start()",
}


def assert_as_alone(directory, *command, stdin=b"", **variables):
    """Both runs of a check leave what the command leaves when it runs alone."""
    expected = alone(directory, *command, stdin=stdin, **variables)
    result = with_us(directory, "--keep-going", "--", *command, stdin=stdin, **variables)
    left = [without_addresses(one) for one in runs_of(directory, result)]
    assert left == [without_addresses(expected)] * 2


def without_addresses(left):
    out, err = (re.sub(rb"0x[0-9a-f]{6,}", b"0x", text) for text in (left.out, left.err))
    return replace(left, out=out, err=err)


@pytest.mark.parametrize("program", [FACTS, SELF_CENTRED], ids=["facts", "itself"])
def test_a_script_finds_what_it_finds_alone(script, tmp_path, program):
    words = [script(program), "--runs", "x", "--", "-m", "y", "--json", "a b", ""]
    assert_as_alone(tmp_path, sys.executable, *words)


def test_a_module_of_a_package_finds_what_it_finds_alone(script, tmp_path):
    (tmp_path / "package").mkdir()
    script("", "package/__init__.py")
    script(FACTS + "print(__spec__, __package__)", "package/trainer.py")
    assert_as_alone(tmp_path, sys.executable, "-m", "package.trainer", "--steps", "3")


@pytest.mark.parametrize(
    "options", [["-W", "error"], ["-O"], ["-X", "utf8"], ["-u", "-B"]], ids=str
)
def test_options_of_the_interpreter_hold(script, tmp_path, options):
    assert_as_alone(tmp_path, sys.executable, *options, script(FACTS))


def test_what_is_not_as_alone_would_be_seen(script, tmp_path):
    name = script("import os; print('_SEEDPROOF_RUN' in os.environ)")
    with pytest.raises(AssertionError):
        assert_as_alone(tmp_path, sys.executable, name)


HASHES_VARIABLES = "import os, seedproof\nseedproof.record('w', str(sorted(os.environ.items())){})"


def test_a_hash_of_all_variables_repeats(seedproof, script):
    """From run 10 on, the run's directory has a longer name."""
    result = seedproof.check("--runs", "11", script(HASHES_VARIABLES.format("")))
    assert result["verdict"] == "identical"


def test_a_hash_of_what_tells_runs_apart_would_not(seedproof, script):
    name = script(HASHES_VARIABLES.format("+ os.environ['_SEEDPROOF_RUN']"))
    assert seedproof.check("--runs", "2", name)["verdict"] == "diverged"


def test_all_runs_have_variables_of_the_same_size(seedproof, script):
    name = script("import os, seedproof\nseedproof.record('w', len(os.environ['_SEEDPROOF_RUN']))")
    assert seedproof.check("--runs", "11", name)["verdict"] == "identical"


def test_a_place_for_compilers_that_the_user_named_is_still_named(seedproof, script):
    """Each run has one of its own, so that it finds nothing that another has left."""
    name = script("import os, seedproof\nseedproof.record('w', len(dict(os.environ)[{!r}]))".format(
        "JAX_COMPILATION_CACHE_DIR"
    ))  # fmt: skip
    assert seedproof.check(name, JAX_COMPILATION_CACHE_DIR="/cache")["verdict"] == "identical"


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_script_ends_as_it_does_alone(script, tmp_path, ending):
    assert_as_alone(tmp_path, sys.executable, script(f"print('begun', flush=True)\n{ending}\n"))


def test_warnings_that_are_errors_are_the_script_s_own_alone(seedproof, script):
    name = script(STEADY + "import warnings\n")
    assert verdict_of(seedproof, "--", sys.executable, "-W", "error", name) == "identical"
    name = script(STEADY + "import warnings\nwarnings.warn('mine')\n")
    assert seedproof.check("--", sys.executable, "-W", "error", name)["exit"] == 4


def test_binary_output_is_kept_byte_for_byte(script, tmp_path):
    every_byte = bytes(range(256)) * 300
    name = script(f"import sys\nsys.stdout.buffer.write(bytes(range(256)) * 300)\n{STEADY}")
    result = with_us(tmp_path, "--outputs", "-", name)
    assert result["verdict"] == "identical"
    assert [run.out for run in runs_of(tmp_path, result)] == [every_byte] * 2


def test_binary_output_that_differs_is_found_where_asked_for(seedproof, script):
    name = script(
        f"import os, sys\nsys.stdout.buffer.write(b'\\xff\\x00' + os.urandom(8))\n{STEADY}"
    )
    assert verdict_of(seedproof, name) == "identical"
    found = seedproof.check("--runs", "2", "--outputs", "-", name)
    assert found["verdict"] == "diverged"
    assert found["arms"][0]["divergence"]["phase"] == "output"


READS = "import sys, seedproof\nseedproof.record('read', sys.stdin.buffer.read())\n"


def test_each_run_reads_the_whole_standard_input(script, tmp_path):
    name = script(READS + "print(sys.stdin.buffer.read())")
    assert with_us(tmp_path, name, stdin=b"\x00\xff" * 100_000)["verdict"] == "identical"
    assert_as_alone(
        tmp_path,
        *(sys.executable, script("import sys; print(sys.stdin.buffer.read())")),
        stdin=b"a\x00\xff\n",
    )


def test_what_is_read_is_what_counts(script, tmp_path):
    digests = {
        with_us(tmp_path, script(READS), stdin=stdin)["arms"][0]["runs"][1]["digest"]
        for stdin in (b"one", b"two")
    }
    assert len(digests) == 2


ELSEWHERE = "import os\nos.makedirs('deep/er')\nos.chdir('deep/er')\n"


@pytest.mark.parametrize(("program", "verdict"), [(STEADY, "identical"), (DRAWN, "diverged")])
def test_a_script_that_changes_directory_is_recorded_on(seedproof, script, program, verdict):
    name = script(ELSEWHERE + program + "print(os.getcwd())\nopen('log', 'w').write('x')")
    found = seedproof.check("--runs", "2", name)
    assert found["verdict"] == verdict
    assert not (seedproof.directory / "deep").exists()


def test_a_script_s_own_sitecustomize_is_imported_as_alone(script, tmp_path):
    (tmp_path / "own").mkdir()
    script("import builtins, sys\nbuiltins.mine = sorted(sys.path)", "own/sitecustomize.py")
    name = script("import sitecustomize\nprint(sitecustomize.__file__, mine)")
    assert_as_alone(tmp_path, sys.executable, name, PYTHONPATH=str(tmp_path / "own"))


def test_a_sitecustomize_that_raises_is_told_as_alone(script, tmp_path):
    (tmp_path / "own").mkdir()
    script("raise RuntimeError('mine')", "own/sitecustomize.py")
    left = alone(tmp_path, sys.executable, script(STEADY), PYTHONPATH=str(tmp_path / "own"))
    found = with_us(tmp_path, "train.py", PYTHONPATH=str(tmp_path / "own"))
    assert found["verdict"] == "identical"
    assert b"RuntimeError: mine" in left.err
    assert all(b"RuntimeError: mine" in run.err for run in runs_of(tmp_path, found))
