"""What the project needs is written down with versions, in one file for what Debian and Swift bring; and what is too old is told of."""
import os
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT

DEPENDENCIES = ROOT / ".ci/dependencies"
LINES = [line.split() for line in DEPENDENCIES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
OLDEST = {name: oldest for name, oldest, _ in LINES}
REQUIREMENTS = sorted(path for path in ROOT.glob("*/**/requirements*.txt") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def run(script: str, *arguments: str, dependencies: pathlib.Path = DEPENDENCIES) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / ".ci" / script, *arguments], env=os.environ | {"DEPENDENCIES": str(dependencies)}, capture_output=True, text=True)


def with_oldest(directory: pathlib.Path, name: str, version: str) -> pathlib.Path:
    path = directory / "dependencies"
    path.write_text("".join(f"{one} {version if one == name else oldest} {tested}\n" for one, oldest, tested in LINES))
    return path


def test_what_is_here_is_new_enough():
    for result in (run("check-swift"), run("install-packages", "zlib1g-dev")):
        assert result.returncode == 0 and result.stderr == ""


def test_what_is_older_is_told_of(tmp_path: pathlib.Path):
    result = run("install-packages", "zlib1g-dev", dependencies=with_oldest(tmp_path, "zlib1g-dev", "1:9.0"))
    assert result.returncode == 1 and re.fullmatch(r"zlib1g-dev is installed in version 1:1\S+; 1:9.0 or later is needed, .*\n", result.stderr)
    # 10 is more than 9: parts of a version are numbers.
    for version in ("6.100", "10.0"):
        result = run("check-swift", dependencies=with_oldest(tmp_path, "swift", version))
        assert result.returncode == 1 and f"{version} or later is needed" in result.stderr
    assert run("check-swift", dependencies=with_oldest(tmp_path, "swift", "5.10")).returncode == 0


def test_a_package_without_a_version_is_refused():
    result = run("install-packages", "no-such-package")
    assert result.returncode == 1 and "no line for no-such-package" in result.stderr


def test_versions_agree_with_the_manifest_and_the_image():
    tools = re.match(r"// swift-tools-version: (\S+)", (ROOT / "Package.swift").read_text(encoding="utf-8"))
    assert tools is not None and tools[1] == OLDEST["swift"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^ARG SWIFT_VERSION=(\S+)", image, re.MULTILINE)[1] == {name: tested for name, _, tested in LINES}["swift"]
    packages = {name for listed in re.findall(r"--no-install-recommends ([^\\\n]+)", image) for name in listed.split()}
    assert packages and packages <= OLDEST.keys()


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_requirements_are_exact(path: pathlib.Path):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    assert lines and all(re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.+-]+", line) for line in lines)
