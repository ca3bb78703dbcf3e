"""The scripts at the project's root: how .venv is set up, and that they are free of known mistakes.

Their set-up runs here against a stand-in for Python that makes environments and installs nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELL_SCRIPTS = ("run_all.sh", "run_tests.sh", "env/setup.sh", ".ci/run")
POWERSHELL_SCRIPTS = ("run_all.ps1", "run_tests.ps1", "env/setup.ps1")
REQUIREMENTS = (
    *("env/constraints-test.txt", "pyproject.toml"),
    *("hatch_build.py", "src/seedproof/trace/ml64.c"),
)
TOOLS = ("bash", "cat", "chmod", "cksum", "cp", "dirname", "env", "grep", "mkdir", "tail", "uname")

PYTHON = """#!/usr/bin/env bash
case "$*" in
  *version_info*) exit "${OLD_PYTHON:-0}" ;;
  *ensurepip*) exit "${NO_ENSUREPIP:-0}" ;;
  "-c import pip") exit 0 ;;
  --version | -VV) echo "Python 3.13.0 ${BUILD:-}" ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip install"*)
    echo "$*" >>calls
    if [[ -n "${PIP_FAILS:-}" ]]; then
      echo "Looking for it"
      echo "ERROR: No matching distribution found for tensorflow-cpu"
      echo "and more"
      exit 1
    fi
    printf '#!/usr/bin/env bash\\nprintf "<%%s>" "$@"\\n' >.venv/bin/seedproof
    chmod +x .venv/bin/seedproof
    ;;
  *)
    printf '<%s>' "$@" >>calls
    echo >>calls
    [[ -z "${FAILING:-}" || "$*" != *"$FAILING"* ]]
    ;;
esac
"""

needs_bash = pytest.mark.skipif(os.name == "nt", reason="the shell scripts are for Unix")


class Project:
    """A copy of the scripts, on a machine where every Python is the stand-in."""

    def __init__(self, directory):
        self.directory = directory / "project with a space"
        self.tools = directory / "bin"
        self.tools.mkdir()
        for script in (*SHELL_SCRIPTS, *REQUIREMENTS):
            (self.directory / script).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / script, self.directory / script)
        for tool in TOOLS:
            (self.tools / tool).symlink_to(shutil.which(tool))
        self.put_tool("python3", PYTHON)

    def put_tool(self, name, text):
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script, *arguments, **variables):
        return subprocess.run(
            [self.tools / "bash", self.directory / script, *arguments],
            env={"PATH": str(self.tools), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def calls(self):
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@needs_bash
class TestSetUp:
    def test_installs_once_and_passes_the_arguments_on(self, project):
        first = project.run("run_all.sh", "--runs", "two words", "")
        assert (first.returncode, first.stdout) == (0, "<demo><--runs><two words><>")
        assert first.stderr.startswith("seedproof: making .venv with Python 3.13.0")
        assert first.stderr.count("\n") == 2
        second = project.run("run_all.sh")
        assert (second.returncode, second.stdout, second.stderr) == (0, "<demo>", "")
        assert len(project.calls()) == 1

    def test_installs_again_when_the_requirements_or_the_interpreter_changed(self, project):
        project.run("run_all.sh")
        for times, changed in enumerate(("pyproject.toml", "src/seedproof/trace/ml64.c"), 2):
            with (project.directory / changed).open("a") as file:
                file.write("# changed\n")
            project.run("run_all.sh")
            assert len(project.calls()) == times
        project.run("run_all.sh", BUILD="of another day")
        assert len(project.calls()) == 4

    @pytest.mark.parametrize(
        ("machine", "extra"),
        [
            ("Linux x86_64", "tensorflow-cpu"),
            ("Linux aarch64", "tensorflow"),
            ("Darwin arm64", "tensorflow"),
        ],
    )
    def test_chooses_the_tensorflow_that_the_machine_has(self, project, machine, extra):
        system, processor = machine.split()
        project.put_tool("uname", f"#!/bin/sh\n[ $1 = -s ] && echo {system} || echo {processor}\n")
        project.run("run_all.sh")
        assert project.calls() == [f"-m pip install --editable .[{extra},experiment]"]

    def test_without_a_recent_python_says_what_to_do(self, project):
        done = project.run("run_all.sh", OLD_PYTHON="1")
        assert done.returncode == 2
        assert done.stderr.startswith("seedproof: found no Python 3.11 or newer; ")
        assert done.stderr.count("\n") == 1

    def test_finds_a_recent_python_under_its_full_name(self, project):
        project.put_tool("python3", "#!/bin/sh\nexit 1\n")
        project.put_tool("python3.12", PYTHON)
        assert project.run("run_all.sh").stdout == "<demo>"

    def test_takes_the_python_that_is_named_or_refuses_it(self, project):
        (project.tools / "python3").rename(project.tools / "my python")
        assert project.run("run_all.sh", PYTHON=project.tools / "none").returncode == 2
        assert project.run("run_all.sh", PYTHON=project.tools / "my python").stdout == "<demo>"

    def test_without_the_venv_module_names_the_package_and_leaves_nothing(self, project):
        done = project.run("run_all.sh", NO_ENSUREPIP="1")
        assert done.returncode == 2
        assert "apt install python3-venv" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (project.directory / ".venv").exists()

    def test_a_failed_install_is_one_line_and_tried_again(self, project):
        done = project.run("run_all.sh", PIP_FAILS="1")
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(
            "seedproof: installing failed: "
            "ERROR: No matching distribution found for tensorflow-cpu (log: .venv/install.log"
        )
        assert "and more" in (project.directory / ".venv/install.log").read_text()
        assert project.run("run_all.sh").stdout == "<demo>"

    def test_somebody_else_s_venv_is_refused_and_kept(self, project):
        treasure = project.directory / ".venv" / "treasure"
        treasure.parent.mkdir()
        treasure.touch()
        done = project.run("run_all.sh")
        assert done.returncode == 2
        assert "move it away" in done.stderr
        assert list(treasure.parent.iterdir()) == [treasure]


@needs_bash
class TestRunTests:
    def test_lints_checks_types_and_tests_without_the_slow_ones(self, project):
        assert project.run("run_tests.sh", "-k", "two words").returncode == 0
        install, *checks = project.calls()
        assert install.endswith(",torch,jax,experiment,dev] --constraint env/constraints-test.txt")
        assert checks == [
            "<-m><ruff><check><.>",
            "<-m><ruff><format><--check><.>",
            "<-m><mypy>",
            "<-m><pytest><-m><not slow><-k><two words>",
        ]

    def test_all_includes_the_slow_ones(self, project):
        assert project.run(".ci/run", "--all", "-x").returncode == 0
        assert project.calls()[-1] == "<-m><pytest><-m><slow or not slow><-x>"

    @pytest.mark.parametrize("failing", ["ruff check", "ruff format", "mypy", "pytest"])
    def test_stops_at_the_first_failure(self, project, failing):
        assert project.run("run_tests.sh", FAILING=failing).returncode == 1
        assert f"<-m><{failing.split()[0]}>" in project.calls()[-1]

    def test_changed_constraints_are_installed(self, project):
        project.run("run_tests.sh")
        (project.directory / "env/constraints-test.txt").write_text("torch==2.14.0\n")
        project.run("run_tests.sh")
        assert sum("pip install" in call for call in project.calls()) == 2


@needs_bash
@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_shellcheck_finds_nothing(script):
    beside_python = Path(sys.executable).parent
    shellcheck = shutil.which("shellcheck", path=f"{beside_python}{os.pathsep}{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        [shellcheck, "--external-sources", script], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("script", POWERSHELL_SCRIPTS)
def test_powershell_scripts_parse(script):
    tree_sitter = pytest.importorskip("tree_sitter")
    powershell = pytest.importorskip("tree_sitter_powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(powershell.language()))
    text = (ROOT / script).read_bytes()
    assert text.isascii()  # Windows PowerShell reads other letters in the machine's code page
    assert not parser.parse(text).root_node.has_error


def test_both_families_install_the_same():
    for twin in ("run_all", "run_tests"):
        in_shell = (
            (ROOT / f"{twin}.sh").read_text().replace("$(tensorflow_extra)", "tensorflow-cpu")
        )
        installed = (ROOT / f"{twin}.ps1").read_text().split("Install-Seedproof ")[1].split("'")[3]
        assert f'"{installed}"' in in_shell
