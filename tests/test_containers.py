"""The container files: as the calling user, never as root, and only what the project promises."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parents[1]
SERVICES = ("seedproof", "seedproof-gpu")
TOOL_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def instructions():
    """The Dockerfile's instructions, continued lines joined, as (name, the rest) pairs."""
    text = (ROOT / "env" / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def last(name):
    return [rest for found, rest in instructions() if found == name][-1]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(params=SERVICES)
def service(request, compose):
    return compose["services"][request.param]


def mount(service, target):
    return next(volume for volume in service["volumes"] if volume["target"] == target)


class TestCompose:
    def test_runs_as_the_calling_user_without_any_privilege(self, service):
        assert service["user"] == "${UID:-1000}:${GID:-1000}"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "pid", "network_mode"} & service.keys()

    def test_the_results_directory_is_the_caller_s_and_never_made_by_root(self, service):
        results = mount(service, f"{last('WORKDIR')}/results")
        assert (results["type"], results["source"]) == ("bind", "./results")
        assert results["bind"] == {"create_host_path": False}

    def test_the_cache_outlives_the_container(self, service, compose):
        cache = dict(pair.split("=") for pair in last("ENV").split())["SEEDPROOF_CACHE"]
        assert mount(service, cache)["source"] in compose["volumes"]

    def test_runs_the_demo(self, service):
        assert service["command"] == ["demo"]

    def test_is_built_from_the_dockerfile_here(self, service):
        build = service["build"]
        assert (ROOT / build["context"] / build["dockerfile"]).is_file()
        assert f"ARG {next(iter(build['args']))}=" in (ROOT / build["dockerfile"]).read_text()

    def test_the_gpu_is_asked_for_in_its_profile_alone(self, compose):
        cpu, gpu = (compose["services"][name] for name in SERVICES)
        assert "profiles" not in cpu
        assert "deploy" not in cpu
        assert gpu["profiles"] == ["gpu"]
        (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


class TestDockerfile:
    def test_runs_as_somebody_else_than_root_from_the_last_layer_on(self):
        user, group = last("USER").split(":")
        assert int(user) > 0
        assert int(group) > 0
        assert [name for name, _ in instructions()][-3:] == ["USER", "ENTRYPOINT", "CMD"]

    def test_any_user_can_write_home_cache_and_working_directory(self):
        open_to_all = last("RUN").removeprefix("mkdir -m 1777 ").split()
        places = dict(pair.split("=") for pair in last("ENV").split())
        assert {places["HOME"], places["SEEDPROOF_CACHE"], last("WORKDIR")} == set(open_to_all)

    def test_copies_what_the_package_is_built_from(self):
        copied = {word for name, rest in instructions() if name == "COPY" for word in rest.split()}
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert {"pyproject.toml", "src", project["readme"], *project["license-files"]} <= copied

    def test_the_build_context_holds_what_is_copied_and_no_more(self):
        rules = [
            line
            for line in (ROOT / ".dockerignore").read_text().splitlines()
            if line and not line.startswith("#")
        ]
        assert rules[0] == "*"
        admitted = {rule[1:] for rule in rules if rule.startswith("!")}
        copied = {
            word for name, rest in instructions() if name == "COPY" for word in rest.split()[:-1]
        }
        assert admitted == copied

    def test_every_extra_that_is_named_exists(self, compose):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = set(project["optional-dependencies"])
        named = {last("ARG").partition("=")[2]}
        for service in compose["services"].values():
            named.add(re.sub(r"\$\{EXTRA:-(.*)\}", r"\1", service["build"]["args"]["EXTRA"]))
        assert named <= extras


def compose_command():
    """Docker Compose 2 or newer, as a plugin of docker or alone; None where there is neither."""
    for command in (["docker", "compose"], ["docker-compose"]):
        program = shutil.which(command[0], path=TOOL_PATH)
        if program is None:
            continue
        command = [program, *command[1:]]
        version = subprocess.run([*command, "version", "--short"], capture_output=True, text=True)
        if version.returncode == 0 and not version.stdout.startswith("1."):
            return command
    return None


@pytest.mark.parametrize(("profiles", "services"), [((), SERVICES[:1]), (("gpu",), SERVICES)])
def test_docker_compose_reads_it_as_it_is_meant(profiles, services):
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose 2 is not installed")
    environment = {**os.environ, "UID": "1234", "GID": "5678"}
    for profile in profiles:
        command += ["--profile", profile]
    done = subprocess.run(
        [*command, "config"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)["services"]
    assert sorted(read) == sorted(services)
    assert {service["user"] for service in read.values()} == {"1234:5678"}


def test_hadolint_finds_nothing_in_the_dockerfile():
    hadolint = shutil.which("hadolint", path=TOOL_PATH)
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, ROOT / "env/Dockerfile"], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
