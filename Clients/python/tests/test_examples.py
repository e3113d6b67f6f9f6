"""The examples run, and say what they should."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import nbformat
from nbclient import NotebookClient

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "Examples"


def test_notebook() -> None:
    notebook = nbformat.read(EXAMPLES / "infinite_networks.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert "Warning" not in text
    assert "789 of 797 test digits recognised" in text
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) == 7


def test_curl() -> None:
    done = subprocess.run(
        ["bash", EXAMPLES / "infinite_networks.sh", os.environ["NTK_SERVER"]], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    drifts = [float(line.rpartition(",")[2].rstrip("]")) for line in re.findall(r"^width .*$", done.stdout, re.MULTILINE)]
    assert len(drifts) == 2
    assert drifts[0] > drifts[1] > 0
