"""Servers that are started from Python, and end with it."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from ntk_client import Client, LocalServer, ServerStartError, UnreachableError, local_server


def ended(pid: int, within: float = 20) -> bool:
    """Whether a process is gone, or a zombie, before long."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_it_runs_while_the_context_lasts() -> None:
    with local_server(arguments=["--workers", "1"]) as server, Client(server.address, retries=0) as client:
        assert client.version()["name"] == "ntk-server"
        assert server.running
    assert not server.running
    assert ended(server.pid)
    with Client(server.address, retries=0) as client, pytest.raises(UnreachableError):
        client.version()
    server.stop()  # again, for nothing


def test_data_dir_outlives_it(tmp_path: pathlib.Path) -> None:
    with Client.local(data_dir=tmp_path) as client:
        kept = client.fit({"type": "mlp", "depth": 1}, [[1.0, 0.0], [0.0, 1.0]], [1.0, 2.0], ridge=0.1)
    with Client.local(data_dir=tmp_path) as client:
        assert client.regressor(kept.id).description == kept.description


def test_no_binary(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("NTK_SERVER", str(tmp_path / "nothing"))
    with pytest.raises(ServerStartError, match="nothing"):
        LocalServer()
    monkeypatch.delenv("NTK_SERVER")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerStartError, match="NTK_SERVER"):
        LocalServer()


def test_what_it_says_when_it_does_not_start() -> None:
    with pytest.raises(ServerStartError, match="no-such-option"):
        LocalServer(arguments=["--no-such-option"])


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_it_ends_with_its_process(how: str) -> None:
    code = "from ntk_client import LocalServer; import time; s = LocalServer(); print(s.pid, s._folder, flush=True); "
    code += "time.sleep(600)" if how == "kill" else "pass"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid, folder = process.stdout.readline().split()
    if how == "kill":
        process.kill()
    process.wait()
    assert ended(int(pid))
    limit = time.monotonic() + 20
    while pathlib.Path(folder).exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not pathlib.Path(folder).exists()
    process.stdout.close()


def test_interrupt_is_not_for_it() -> None:
    code = (
        "from ntk_client import LocalServer, Client; import os, signal\n"
        "s = LocalServer()\n"
        "try:\n    os.killpg(os.getpgrp(), signal.SIGINT); import time; time.sleep(5)\n"
        "except KeyboardInterrupt: print(Client(s.address).version()['name'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, start_new_session=True, check=False)
    assert done.stdout.strip() == "ntk-server", done.stderr


def test_fork_leaves_it_alone() -> None:
    with LocalServer() as server, Client(server.address) as client:
        client.version()
        child = os.fork()
        if child == 0:
            try:
                server.stop()
                os._exit(0 if client.version()["name"] == "ntk-server" else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.version()["name"] == "ntk-server"


def test_shared_one_is_started_when_needed() -> None:
    code = (
        "import os; os.environ.pop('NTK_ADDRESS', None)\n"
        "from ntk_client import Client; from ntk_client.server import shared_address\n"
        "a = Client().address; assert a == Client().address == shared_address(); print(Client().version()['name'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ntk-server", done.stderr


def test_killed_shared_one_is_replaced() -> None:
    code = (
        "import os, signal; os.environ.pop('NTK_ADDRESS', None)\n"
        "from ntk_client import server; a = server.shared_address()\n"
        f"os.kill(server._shared.pid, {int(signal.SIGKILL)}); server._shared._process.wait()\n"
        "b = server.shared_address(); assert a != b; print('replaced')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "replaced", done.stderr
