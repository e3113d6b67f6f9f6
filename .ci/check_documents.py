#!/usr/bin/env python3
"""Checks what the documents say of the tree, and ends with 1 where it is not so.

- Links of Markdown files lead to files that exist, and to headings that they have.
- Paths in backticks that begin at one of the top folders exist, with or without their extension.
- In the tables of Docs/ARCHITECTURE.md, the first cell of a row names folders that exist, and every other name in backticks is a file or folder
  of these, with or without its extension.
- Every folder of Sources that holds files is in one of these rows.
- In the tables of the documentation catalogues (.docc), a name of a file in backticks is the end of a path in Sources.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MAP = ROOT / "Docs/ARCHITECTURE.md"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAME = re.compile(r"`([^`]+)`")
PATH = re.compile(r"`((?:Sources|Tests|Docs|Deploy|Examples|Clients|Benchmarks|API|\.ci)/(?![\w/]*\.venv)[\w./+-]*)[ `]")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# Folders that C and its module maps demand, told of with the folder above them; and forms of files that are no names of files.
UNNAMED = {"include"}
FORMS = {".npy", ".npz", ".safetensors"}


def tracked() -> list[pathlib.Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def anchors(text: str) -> set[str]:
    """The names that headings get on the usual sites."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: pathlib.Path) -> list[str]:
    found = []
    for link in LINK.findall(FENCED.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists():
            found.append(f"{document.relative_to(ROOT)}: {link} leads nowhere")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            found.append(f"{document.relative_to(ROOT)}: {link}: no such heading")
    return found


def missing_paths(document: pathlib.Path) -> list[str]:
    names = PATH.findall(FENCED.sub("", document.read_text(encoding="utf-8")))
    return [f"{document.relative_to(ROOT)}: there is no {name}" for name in names if not (ROOT / name).exists() and not any(ROOT.glob(f"{name}.*"))]


def missing_names(files: list[pathlib.Path]) -> list[str]:
    found, named = [], set()
    rows = [line for line in MAP.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for row in rows:
        first, *others = row.strip("| ").split(" | ")
        folders = [ROOT / name for name in NAME.findall(first)]
        found += [f"{MAP.name}: there is no folder {folder.relative_to(ROOT)}" for folder in folders if not folder.is_dir()]
        named.update(folders)
        within = [file for file in files if any(file.is_relative_to(folder) for folder in folders)]
        names = {name for file in within for name in (file.name, file.stem, file.parent.name)}
        said = [name for cell in others for name in NAME.findall(cell)]
        found += [f"{MAP.name}: {first} has no {name}" for name in said if name not in names | FORMS]
    folders = {file.parent for file in files if file.is_relative_to(ROOT / "Sources")} - {ROOT / "Sources"}
    found += [f"{MAP.name} does not name {folder.relative_to(ROOT)}" for folder in sorted(folders - named) if folder.name not in UNNAMED]
    return found


def missing_sources(document: pathlib.Path, files: list[pathlib.Path]) -> list[str]:
    rows = [line for line in document.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`([\w/+-]+\.(?:swift|inc|c|h))`", row)]
    sources = [f"/{file.relative_to(ROOT / 'Sources')}" for file in files if file.is_relative_to(ROOT / "Sources")]
    return [f"{document.relative_to(ROOT)}: Sources has no {name}" for name in names if not any(source.endswith(f"/{name}") for source in sources)]


def main() -> int:
    files = tracked()
    documents = [file for file in files if file.suffix == ".md"]
    found = [fault for document in documents for fault in broken_links(document) + missing_paths(document)] + missing_names(files)
    found += [fault for document in documents if document.parent.suffix == ".docc" for fault in missing_sources(document, files)]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
