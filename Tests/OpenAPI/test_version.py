"""One number: what the file VERSION says stands wherever the version is told, and nothing tells another."""
import json
import re
import subprocess

import pytest
import yaml

from conftest import BINARY, ROOT

VERSION = (ROOT / "VERSION").read_text(encoding="ascii").strip()
# What cannot be derived when it is built: where the number stands.
WRITTEN = {
    "openapi.yaml": r'(?:^  version: |"name": "ntk-server", "version": ")([\w.+-]+)',
    "Dockerfile": r"^ARG VERSION=(\S+)",
    "Deploy/kubernetes/overlays/example/kustomization.yaml": r"newTag: (\S+)",
    "Clients/python/src/ntk_client/__init__.py": r'^__version__ = "([^"]*)"',
    "CHANGELOG.md": r"(?:^## \[|^It will be )(\d[\w.+-]*?)[\],]",
}


def test_the_number_is_a_semantic_version():
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?", VERSION)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_the_version(name: str):
    found = re.findall(WRITTEN[name], (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{name} tells no version any more: see how it is derived, and take it out of this list"
    # A changelog tells of older ones, too, below the newest.
    assert (found[0] == VERSION) if name == "CHANGELOG.md" else set(found) == {VERSION}


def test_what_is_derived_is_the_version(server):
    told = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    assert told == VERSION
    assert json.loads(server.send("GET", "/version").body)["version"] == VERSION
    assert json.loads(server.send("GET", "/v2").body)["version"] == VERSION
    assert json.loads(server.send("GET", "/openapi.json").body)["info"]["version"] == VERSION
    assert yaml.safe_load(server.send("GET", "/openapi.yaml").body)["info"]["version"] == VERSION
    metrics = server.send("GET", "/metrics").body.decode()
    assert f'ntk_build_info{{version="{VERSION}"' in metrics
