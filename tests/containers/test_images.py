"""What is in the images, and how their containers are held."""

from __future__ import annotations

import pytest
from stack import Stack, inspect, run

IMAGES = {"alertdb-mariadb": "alertdb", "alertdb-ingest": "alertdb", "alertdb-hub": "alertdb-hub"}
# How many of the compiled functions were not found in the cache.
CACHED = """
from alertdb.wire import kernel
functions = [thing for thing in vars(kernel).values() if hasattr(thing, "stats")]
print(sum(sum(function.stats.cache_misses.values()) for function in functions) if functions else "none")
"""
IMAGES |= {"alertdb-notebook": "jovyan"}


@pytest.mark.parametrize(("image", "user"), IMAGES.items())
def test_an_image_is_not_root_and_has_no_compiler(stack: Stack, image: str, user: str) -> None:
    assert stack.url
    programs = "for name in gcc cc npm pip; do command -v $name; done; id -un; id -u"
    said = run("docker", "run", "--rm", "--entrypoint", "sh", f"{image}:test", "-c", programs).split()
    assert not {"/usr/bin/gcc", "/usr/bin/cc"} & set(said)
    assert said[-2] == user
    assert said[-1] != "0"


@pytest.mark.parametrize("service", ["mariadb", "ingest", "watchdog", "metrics", "firewall", "engine", "hub"])
def test_a_container_has_no_rights_but_those_named(stack: Stack, service: str) -> None:
    held = stack.inspect(service)["HostConfig"]
    assert held["ReadonlyRootfs"]
    assert held["CapDrop"] == ["ALL"]
    assert held["CapAdd"] == (["NET_ADMIN"] if service == "firewall" else None)
    assert "no-new-privileges:true" in held["SecurityOpt"]
    assert not held["Privileged"]


def test_no_secret_is_in_the_settings_of_a_container(stack: Stack) -> None:
    secrets = {file.read_text().strip() for file in (stack.data / "archive" / "secrets").iterdir()}
    secrets.add((stack.folder / "client_secret").read_text().strip())
    services = ("mariadb", "init", "ingest", "watchdog", "hub", "prepare", "secrets")
    told = " ".join(str(inspect(stack.container(service))["Config"]) for service in services)
    assert len(secrets) == 5
    assert not [secret for secret in secrets if secret in told]


def test_compiled_parts_are_in_the_image(stack: Stack) -> None:
    """Compiling them at each start would take longer than most questions."""
    command = ("run", "--rm", "-T", "--no-deps", "notebook", "python", "-c", CACHED)
    assert stack.compose(*command).split()[-1] == "0"
