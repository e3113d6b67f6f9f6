#!/usr/bin/env python3
"""Checks how the Swift sources are divided, and ends with 1 where it is not so.

- Targets use each other in one direction (Package.swift), and so do the folders of a target: none uses, directly or by way of others, a type
  of a folder that uses its own.
- No target has more than 5,000 lines. (The lengths of files are check_lengths.py's.)

What is not so yet stands in EXCEPTIONS, so that it cannot grow.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ROOT / "Sources"
LINES_OF_A_TARGET = 5000
# Lines of a target, and targets whose folders use each other.
EXCEPTIONS = {
    "lines": {"NTKService": 14_900, "FiniteNetworks": 8_300},
    "circles": {"NTKService", "FiniteNetworks", "HTTPServer", "ntk-server"},
}
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|final|indirect|nonisolated)\s+)*(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)",
    re.MULTILINE)


def code(path: pathlib.Path) -> str:
    """Without comments and texts."""
    return re.sub(r'//[^\n]*|"(?:\\.|[^"\\\n])*"', " ", path.read_text(encoding="utf-8"))


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Names that lead back to the first; empty if none do."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name):], name]
        if name in done:
            return []
        for other in sorted(edges.get(name, ())):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(edges) if (found := visit(name, []))), [])


def folders(files: dict[pathlib.Path, str], target: pathlib.Path) -> dict[str, set[str]]:
    """Which folders of a target use types of which others."""
    def folder(path: pathlib.Path) -> str:
        return str(path.parent.relative_to(target))

    homes = {name: folder(path) for path, text in files.items() for name in DECLARATION.findall(text)}
    edges = collections.defaultdict(set)
    for path, text in files.items():
        for name in set(re.findall(r"\b[A-Z]\w+\b", text)):
            if homes.get(name, folder(path)) != folder(path):
                edges[folder(path)].add(homes[name])
    return edges


def main() -> None:
    faults = []
    package = (ROOT / "Package.swift").read_text(encoding="utf-8")
    targets = re.findall(r'\.(?:executableTarget|target)\(\s*name: "([^"]+)"(?:,\s*dependencies: \[([^\]]*)\])?', package)
    used = {name: set(re.findall(r'"([^"]+)"', others)) for name, others in targets}
    if found := circle(used):
        faults.append(f"Package.swift: {' uses '.join(found)}")
    for target in sorted(path for path in SOURCES.iterdir() if path.is_dir()):
        files = {path: code(path) for path in target.rglob("*.swift")}
        total = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
        limit = EXCEPTIONS["lines"].get(target.name, LINES_OF_A_TARGET)
        if total > limit:
            faults.append(f"Sources/{target.name}: {total} lines, at most {limit}")
        if target.name not in EXCEPTIONS["circles"] and (found := circle(folders(files, target))):
            faults.append(f"Sources/{target.name}: {' uses '.join(found)}")
    print(*faults, sep="\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
