"""Servers under which the file system, or the memory, fails as it is told (faults.c)."""
import errno
import mmap
import pathlib
import struct
import subprocess

from served import Served

KINDS = ["open", "create", "read", "write", "sync", "rename", "mkdir", "allocate", "remove", "list", "look", "memory"]
WRITING = ["create", "write", "sync", "rename", "mkdir", "allocate", "remove"]
# In the struct of faults.c.
MODE, ERROR, KIND_BITS, HITS, COUNTDOWN, CALLS, SIZE = 4096, 4100, 4104, 4108, 4112, 4120, 4120 + 8 * len(KINDS)


class Faults:
    def __init__(self, scratch: pathlib.Path, directory: pathlib.Path):
        self.library = scratch / "faults.so"
        if not self.library.exists():
            subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", self.library, pathlib.Path(__file__).parent / "faults.c", "-ldl"], check=True)
        self.file = scratch / f"faults-{directory.name}"
        self.file.write_bytes(str(directory).encode().ljust(SIZE, b"\0"))
        with open(self.file, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), SIZE)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "NTK_FAULTS": str(self.file)}

    def _set(self, mode: int, error: int, kinds: list[str], countdown: int) -> None:
        self.memory[MODE:MODE + 4] = struct.pack("=i", 0)
        self.memory[ERROR:COUNTDOWN + 8] = struct.pack("=iIIq", error, sum(1 << KINDS.index(kind) for kind in kinds), 0, countdown)
        self.memory[MODE:MODE + 4] = struct.pack("=i", mode)

    def fail_once(self, nth: int, error: int, kinds: list[str]) -> None:
        """The nth call of these kinds from now on fails."""
        self._set(1, error, kinds, nth)

    def fail_always(self, error: int = errno.EROFS, kinds: list[str] | None = None) -> None:
        self._set(2, error, kinds or WRITING, 0)

    def stop(self) -> int:
        """Nothing fails any more. Returns how many calls have failed."""
        self.memory[MODE:MODE + 4] = struct.pack("=i", 0)
        return struct.unpack("=I", self.memory[HITS:HITS + 4])[0]

    def calls(self) -> dict[str, int]:
        """Calls of each kind since the start."""
        return dict(zip(KINDS, struct.unpack(f"={len(KINDS)}Q", self.memory[CALLS:SIZE])))


class FaultyServer(Served):
    """A server whose data directory fails when it is told to."""

    def __init__(self, binary: pathlib.Path, scratch: pathlib.Path, directory: pathlib.Path, *options: str):
        self.faults = Faults(scratch, directory)
        super().__init__(binary, "--data-dir", directory, "--log-level", "error", *options, environment=self.faults.environment)
