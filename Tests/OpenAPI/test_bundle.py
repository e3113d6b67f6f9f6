"""openapi.yaml is what the files in API make, and what is wrong in them is told of."""
import pathlib
import shutil
import subprocess

import pytest

from conftest import DOCUMENT_PATH, ROOT


def bundle(root: pathlib.Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([root / "API/bundle", *options], capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """The files and the document, to be changed."""
    shutil.copytree(ROOT / "API", tmp_path / "API")
    shutil.copy(DOCUMENT_PATH, tmp_path)
    return tmp_path


def test_the_document_is_what_the_files_make():
    result = bundle(ROOT, "--check")
    assert result.returncode == 0, result.stderr


def test_a_document_that_is_older_is_noticed(copy: pathlib.Path):
    before = (copy / "openapi.yaml").read_bytes()
    with open(copy / "API/parameters.yaml", "a", encoding="utf-8") as file:
        file.write("Another:\n  name: another\n  in: query\n")
    stale = bundle(copy, "--check")
    assert stale.returncode == 1 and "make openapi" in stale.stderr
    assert (copy / "openapi.yaml").read_bytes() == before, "a check writes nothing"
    assert bundle(copy).returncode == 0 and bundle(copy, "--check").returncode == 0
    assert "\n    Another:\n      name: another\n" in (copy / "openapi.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("line, message", [
    ("$include: parts/none.yaml", "there is no parts/none.yaml, which headers.yaml includes"),
    ("$include: parts/activations.yaml#none", "parts/activations.yaml has no none"),
    ("$include: headers.yaml", "headers.yaml includes itself"),
    ("field: $include: parts/affine.yaml", "headers.yaml, line 1: `$include: FILE` alone expected"),
])
def test_an_include_that_cannot_be_is_told_of(copy: pathlib.Path, line: str, message: str):
    (copy / "API/headers.yaml").write_text(line + "\n", encoding="utf-8")
    result = bundle(copy)
    assert result.returncode == 1 and result.stderr.startswith("API: ") and message in result.stderr
    assert (copy / "openapi.yaml").read_bytes() == DOCUMENT_PATH.read_bytes(), "nothing is written"


def test_a_file_that_nothing_includes_is_told_of(copy: pathlib.Path):
    (copy / "API/paths/forgotten.yaml").write_text("/v1/forgotten:\n", encoding="utf-8")
    result = bundle(copy)
    assert result.returncode == 1 and "not included: paths/forgotten.yaml" in result.stderr
