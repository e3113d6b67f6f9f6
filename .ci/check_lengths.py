#!/usr/bin/env python3
"""Checks that no file of code is longer than 300 lines, and ends with 1 where one is."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINES = 300
CODE = {".c", ".cpp", ".css", ".go", ".h", ".html", ".inc", ".java", ".js", ".py", ".R", ".sh", ".swift"}


def is_code(path: pathlib.Path) -> bool:
    """Sources by their endings, the files of the document, and scripts by their first line."""
    if path.suffix in CODE or path.is_relative_to(ROOT / "API"):
        return True
    with open(path, "rb") as file:
        return path.suffix == "" and file.read(2) == b"#!"


def main() -> int:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    is_long = False
    for name in sorted(listed.split("\0")):
        path = ROOT / name
        if name and path.is_file() and is_code(path):
            lines = path.read_bytes().count(b"\n")
            if lines > LINES:
                print(f"{name}: {lines} lines; {LINES} at most", file=sys.stderr)
                is_long = True
    return 1 if is_long else 0


if __name__ == "__main__":
    sys.exit(main())
