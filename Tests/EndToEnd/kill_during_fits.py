#!/usr/bin/env python3
"""Kills a server at random moments while it fits regressors, and looks after each restart that all it lists answer.

    Tests/EndToEnd/kill_during_fits.py [--server .build/debug/ntk-server] [--kills 20] [--seed 0]

Every kill comes while fits are under way. Fails if a regressor that was answered for is missing, if one that is listed does not predict, byte
for byte, what that of a server predicts that is never killed, or if anything half written can be seen. Only Python's standard library is needed.
"""
import argparse
import concurrent.futures
import http.client
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from served import Served, on_directory

STARTED = time.monotonic()
CLIENTS = 4


def fit(number: int) -> dict:
    """From some milliseconds to some tenths of a second of work."""
    rng = random.Random(number)
    n = rng.choice([5, 60, 300, 1_200])
    ridge = {"select": "leave_one_out", "candidates": [1e-6, 1e-4]} if n <= 300 and number % 2 else 1e-6
    return {
        "kernel": {"architecture": {"type": "mlp", "depth": 1 + number % 3, "b_std": 0.1}},
        "x_train": [[float(number), 0.0]] + [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(n - 1)],
        "y_train": [float(number)] + [rng.gauss(0, 1) for _ in range(n - 1)], "ridge": ridge,
    }


class Check:
    """What a server answers that is never killed."""

    def __init__(self, binary: pathlib.Path, data: str):
        self.server = on_directory(binary, data)
        self.numbers: dict[str, int] = {}
        self.predictions: dict[str, bytes] = {}

    def predict(self, server: Served, identifier: str) -> bytes:
        point = {"x": [[float(self.numbers[identifier]), 0.0], [0.5, 0.5]], "covariance": "diagonal"}
        status, answer = server.ask("POST", f"/v1/regressors/{identifier}/predictions", point)
        assert status == 200, (identifier, answer)
        return answer

    def learn(self, number: int) -> None:
        status, answer = self.server.ask("POST", "/v1/regressors", fit(number))
        assert status == 201, answer
        identifier = json.loads(answer)["id"]
        self.numbers[identifier] = number
        self.predictions[identifier] = self.predict(self.server, identifier)

    def check(self, server: Served, answered: set[str], checked: set[str] | None = None) -> set[str]:
        """Every one that was answered for is listed; all that are listed, but for those that were checked, answer as they should."""
        listed, after = [], ""
        while True:
            status, answer = server.ask("GET", f"/v1/regressors?limit=500{after}")
            assert status == 200, answer
            page = json.loads(answer)
            listed += [regressor["id"] for regressor in page["regressors"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert answered <= set(listed), f"{len(answered - set(listed))} that were answered with 201 are missing"
        for identifier in set(listed) - (checked or set()):
            assert self.predict(server, identifier) == self.predictions[identifier], f"{identifier} predicts otherwise"
        return set(listed)


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=root / ".build/debug/ntk-server", type=pathlib.Path)
    parser.add_argument("--kills", default=20, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    answered: set[str] = set()
    listed: set[str] = set()
    kills = missed = fits = interrupted = 0
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other, concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        check = Check(arguments.server, other)
        server = on_directory(arguments.server, data)
        try:
            while kills < arguments.kills:
                numbers = list(range(fits, fits + 12))
                fits += len(numbers)
                for number in numbers:
                    check.learn(number)
                bodies = {number: json.dumps(fit(number)).encode() for number in numbers}
                under_way: set[int] = set()
                hit: list[int] = []

                def post(number: int) -> None:
                    nonlocal interrupted
                    under_way.add(number)
                    try:
                        status, _, answer = server.send("POST", "/v1/regressors", bodies[number], {"Content-Type": "application/json"})
                    except (OSError, http.client.HTTPException):
                        interrupted += 1
                        return
                    finally:
                        under_way.discard(number)
                    assert status in (200, 201), answer
                    answered.add(json.loads(answer)["id"])

                def kill() -> None:
                    hit.append(len(under_way))
                    server.kill()

                killer = threading.Timer(rng.uniform(0, 0.2), kill)
                futures = [pool.submit(post, number) for number in numbers]
                killer.start()
                for future in futures:
                    future.result()
                killer.join()
                # Only those that met a fit count.
                kills += hit[0] > 0
                missed += hit[0] == 0
                server = on_directory(arguments.server, data)
                listed = check.check(server, answered, listed)
            assert check.check(server, answered) == listed
            names = {path.name for path in pathlib.Path(data, "regressors").iterdir() if not path.name.startswith(".")}
            assert names == listed, "something is there that is not listed"
            # What was broken off is fitted when it is asked for again, and is the same.
            for number in range(fits):
                status, answer = server.ask("POST", "/v1/regressors", fit(number))
                assert status in (200, 201), answer
            assert check.check(server, set(check.numbers)) == set(check.numbers)
        finally:
            server.kill()
            check.server.kill()
    print(f"{kills} kills during {fits} fits ({missed} more when none was under way): {interrupted} fits were broken off, {len(answered)} answered, "
          f"{len(listed)} stored by then; none is missing or half there, and all predict, byte for byte, what those of a server do that was not "
          f"killed ({time.monotonic() - STARTED:.0f} s)")
    sys.exit(0 if interrupted >= kills // 2 and len(answered) > kills // 10 else 1)


if __name__ == "__main__":
    main()
