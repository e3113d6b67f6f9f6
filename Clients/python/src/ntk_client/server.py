"""Servers on this machine, started and ended from Python."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import ServerStartError

_PREFIX = "listening on "
# Ends a server and removes its folder when the standard input ends; at the latest a minute later.
_WATCH = """
read -r _
kill "$1"
tries=600
while kill -0 "$1" && [ "$tries" -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
rm -rf "$2"
"""


def find_binary() -> str:
    """Return the path of ``ntk-server``: what NTK_SERVER says, or the one on the PATH.

    Raises
    ------
    ServerStartError
        Where there is none.
    """
    named = os.environ.get("NTK_SERVER")
    if named:
        if not os.access(named, os.X_OK):
            raise ServerStartError(f"NTK_SERVER: the path of an ntk-server expected; no program is at {named}")
        return named
    found = shutil.which("ntk-server")
    if found is None:
        raise ServerStartError("no ntk-server on the PATH: build it (make build), and put its path into NTK_SERVER")
    return found


class LocalServer:
    """A server process of one's own on the loopback interface, on a free port.

    It ends with the context, with `stop`, or with this process, however that ends.

    Parameters
    ----------
    binary
        Path of ``ntk-server``; see `find_binary`.
    data_dir
        Where it keeps networks and regressors; a temporary directory if absent.
    arguments
        Options for ``ntk-server serve``, such as ``["--workers", "1"]``.

    Attributes
    ----------
    address : str
        Such as ``http://127.0.0.1:40123``.
    """

    def __init__(
        self,
        binary: str | os.PathLike[str] | None = None,
        *,
        data_dir: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        program = os.fspath(binary) if binary is not None else find_binary()
        self._owner = os.getpid()
        self._folder = folder = Path(tempfile.mkdtemp(prefix="ntk-"))
        command = [program, "serve", "--host", "127.0.0.1", "--port", "0"]
        command += ["--data-dir", os.fspath(data_dir) if data_dir is not None else str(folder / "data"), *arguments]
        try:
            with open(folder / "log", "wb") as log:
                # A session of its own: the Ctrl-C that interrupts a notebook's cell is not for the server.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
                )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ServerStartError(f"{program}: {error}") from error
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        if not line.startswith(_PREFIX):
            self._process.kill()
            self._process.wait()
            text = (folder / "log").read_text(errors="replace").strip()
            shutil.rmtree(folder, ignore_errors=True)
            raise ServerStartError(f"{' '.join(command)}: {line or text or 'it ended at once'}")
        self.address = line.removeprefix(_PREFIX)
        # The pipe's other end closes when this process ends, even by kill -9; then the server must go too.
        self._watch = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(self._process.pid), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def stop(self, timeout: float = 30) -> None:
        """End the server after the requests in flight, or after `timeout` seconds in any case."""
        if os.getpid() != self._owner:
            return  # a forked child has no part in it
        atexit.unregister(self.stop)
        self._watch.kill()
        self._watch.wait()
        if self._watch.stdin is not None:
            self._watch.stdin.close()
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"LocalServer({self.address!r}, pid={self.pid}{'' if self.running else ', ended'})"


@contextlib.contextmanager
def local_server(
    binary: str | os.PathLike[str] | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[LocalServer]:
    """Run a server while the context lasts; see `LocalServer`."""
    with LocalServer(binary, data_dir=data_dir, arguments=arguments) as server:
        yield server


_lock = threading.Lock()
_shared: LocalServer | None = None
_shared_owner = 0


def shared_address() -> str:
    """Return the address of the server that this process's estimators share.

    That is what NTK_ADDRESS says, or a local server, which is started when it is first needed and ends with the process.
    """
    global _shared, _shared_owner
    named = os.environ.get("NTK_ADDRESS")
    if named:
        return named
    with _lock:
        if _shared is None or _shared_owner != os.getpid() or not _shared.running:
            _shared = LocalServer()
            _shared_owner = os.getpid()
        return _shared.address


def _renew_lock() -> None:
    """Give a forked child a lock that is free."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
