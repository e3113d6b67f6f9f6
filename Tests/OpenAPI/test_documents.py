"""The commands in README.md and Docs do what they say: each block marked `sh` that asks the server of the documents runs, in one shell a
document, and prints what the block behind it shows. `…` stands for anything, white space does not count, and numbers may differ by 1e-9.
"""
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT, running

ADDRESS = "http://127.0.0.1:8080"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def commands(path: pathlib.Path) -> list[tuple[str, str]]:
    """What is run, with what it prints: the block that comes directly after the command's, or nothing that is known."""
    blocks = [(match[1], match[2], match.start(), match.end()) for match in BLOCK.finditer(path.read_text(encoding="utf-8"))]
    found = []
    for index, (language, text, _, end) in enumerate(blocks):
        if language != "sh" or ADDRESS not in text:
            continue
        is_shown = index + 1 < len(blocks) and blocks[index + 1][0] in ("json", "text") and blocks[index + 1][2] - end <= 2
        found.append((text, blocks[index + 1][1] if is_shown else "…"))
    return found


DOCUMENTS = [path for path in [ROOT / "README.md", *sorted((ROOT / "Docs").glob("*.md"))] if commands(path)]


def outputs(path: pathlib.Path, address: str, directory: pathlib.Path) -> list[str]:
    """What each command of the document prints, run one after another."""
    (directory / "Examples").symlink_to(ROOT / "Examples")
    mark = "-- the next command --"
    script = "".join(f"{text.replace(ADDRESS, address)}\necho '{mark}'\n" for text, _ in commands(path))
    run = subprocess.run(["bash", "-euc", script], cwd=directory, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.split(mark)[:-1]


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether the texts agree, where numbers count as equal that differ by 1e-9 of themselves."""
    def plain(text: str) -> str:
        return re.sub(r"\s+", "", text)

    pattern, expected = "", []
    for part in re.split(r"(…)", plain(shown)):
        position = 0
        for number in NUMBER.finditer(part):
            pattern += re.escape(part[position:number.start()]) + f"({NUMBER.pattern})"
            expected.append(number[0])
            position = number.end()
        pattern += re.escape(part[position:]) if part != "…" else ".*?"
    found = re.fullmatch(pattern, plain(printed), re.DOTALL)
    return found is not None and all(is_close(*pair) for pair in zip(found.groups(), expected, strict=True))


def is_close(text: str, expected: str) -> bool:
    return text == expected or abs(float(text) - float(expected)) <= 1e-9 * abs(float(expected)) + 1e-15


def test_texts_are_compared():
    assert {"README.md", "requests.md"} <= {path.name for path in DOCUMENTS}
    assert is_as_shown('{"a": 1.5, "b": …}', '{"a":1.5000000000000002,"b":[7]}')
    assert not is_as_shown('{"a": 1.5}', '{"a": 1.6}')
    assert not is_as_shown('{"a": 1.5}', '{"a": 1.5, "b": 2}')
    assert not is_as_shown("206, 50 bytes", "200, 200 bytes")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_print_what_the_document_shows(path: pathlib.Path, tmp_path: pathlib.Path):
    with running(tmp_path) as server:
        for (command, shown), printed in zip(commands(path), outputs(path, f"http://{server.host}:{server.port}", tmp_path), strict=True):
            assert is_as_shown(shown, printed), f"{command}\nprinted\n{printed}\nand the document shows\n{shown}"
