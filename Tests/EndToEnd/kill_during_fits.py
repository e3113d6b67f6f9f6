#!/usr/bin/env python3
"""Kills a server at random moments while it fits regressors, and looks after each restart that all it lists answer.

    Tests/EndToEnd/kill_during_fits.py [--server .build/debug/ntk-server] [--fits 200] [--seed 0]

Fails if a listed regressor does not answer with the prediction that it was fitted to, if one that was answered for with 201 is missing, or
if anything half written can be seen. Only Python's standard library is needed.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time


class Server:
    def __init__(self, binary: pathlib.Path, data: str):
        command = [binary, "serve", "--port", "0", "--data-dir", data, "--log-level", "error"]
        # Who is killed so often is not to be blamed.
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"NTK_JOB_ATTEMPTS": "1000"})
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def fit(number: int) -> dict:
    rng = random.Random(number)
    n = rng.choice([5, 60, 300])
    return {
        "kernel": {"architecture": {"type": "mlp", "depth": 1 + number % 3, "b_std": 0.1}},
        "x_train": [[float(number), 0.0]] + [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(n - 1)],
        "y_train": [float(number)] + [rng.gauss(0, 1) for _ in range(n - 1)], "ridge": 1e-6,
    }


def check(server: Server, answered: dict[str, int]) -> int:
    """Every listed regressor answers, and every one that was answered for is listed."""
    listed, after = [], ""
    while True:
        status, page = server.ask("GET", f"/v1/regressors?limit=7{after}")
        assert status == 200, page
        listed += page["regressors"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    ids = {regressor["id"] for regressor in listed}
    assert set(answered) <= ids, f"{len(set(answered) - ids)} that were answered with 201 are missing"
    for regressor in listed:
        number = answered.get(regressor["id"])
        point = [[float(number), 0.0]] if number is not None else [[0.5, 0.5]]
        status, answer = server.ask("POST", f"/v1/regressors/{regressor['id']}/predictions", {"x": point, "covariance": "diagonal"})
        assert status == 200, (regressor["id"], answer)
        if number is not None:
            assert abs(answer["mean"][0] - number) < 1e-2 * max(1, number), (number, answer)
    return len(ids)


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--fits", default=200, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    answered: dict[str, int] = {}
    kills, next_fit = 0, 0
    with tempfile.TemporaryDirectory() as data:
        server = Server(arguments.server, data)
        try:
            while next_fit < arguments.fits:
                numbers = range(next_fit, min(next_fit + 10, arguments.fits))
                next_fit = numbers.stop

                def post(number: int) -> None:
                    try:
                        status, answer = server.ask("POST", "/v1/regressors", fit(number))
                    except (OSError, http.client.HTTPException, ValueError):
                        return  # Killed meanwhile.
                    assert status == 201, answer
                    answered[answer["id"]] = number

                killer = threading.Timer(rng.uniform(0, 0.25), server.kill)
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    futures = [pool.submit(post, number) for number in numbers]
                    killer.start()
                    for future in futures:
                        future.result()
                killer.join()
                kills += 1
                server = Server(arguments.server, data)
                total = check(server, answered)
            half = [path.name for path in pathlib.Path(data, "regressors").iterdir() if not path.name.startswith(".")]
            assert len(half) == total
        finally:
            server.kill()
    print(f"{arguments.fits} fits, {kills} kills: {len(answered)} answered with 201, {total} stored, all of them answer")
    sys.exit(0 if kills >= arguments.fits // 10 and len(answered) > 10 else 1)


if __name__ == "__main__":
    main()
