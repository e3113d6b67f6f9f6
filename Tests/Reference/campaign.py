"""Random architectures and points against a running server, compared with the reference, for as long as one wants.

    python campaign.py --server .build/release/ntk-server --seconds 60

Each case has a seed of its own, printed with the request and the right values where the server fails; `--case SEED --kind vectors` repeats it.
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import re
import signal
import sys
import time
from collections import Counter

from mpmath import mp, mpf

import draws
from asked_server import Server, send
from network import Network, Refused, TooLarge

TOLERANCE = {"float64": mpf("1e-13"), "float32": mpf("1e-6")}
# Below, numbers have fewer digits than others, or none.
SMALLEST = {"float64": mpf("1e-290"), "float32": mpf("1e-34")}
ULP = {"float64": 2.0**-52, "float32": 2.0**-23}
# What is wrong by the usual digits is looked at in as many.
FINEST_DIGITS = 700
LARGEST = {"float64": mpf("1.7e308"), "float32": mpf("3.4e38")}


def reference(body):
    points = body["x1"] + body.get("x2", [])
    patterns = body["pattern1"] + body.get("pattern2", []) if "pattern1" in body else None
    return Network(body["architecture"], points, patterns)


def shaken(node, source, ulp):
    """The architecture with its numbers off by an ulp: how much of an error comes from rounding weights alone."""
    if isinstance(node, dict):
        return {key: node[key] if key == "type" else shaken(entry, source, ulp) for key, entry in node.items()}
    if isinstance(node, list):
        return [shaken(entry, source, ulp) for entry in node]
    return node * (1 + source.choice([-1, 1]) * ulp) if isinstance(node, float) else node


def shaken_request(body, source):
    ulp = ULP[body.get("precision", "float64")]
    body = body | {"architecture": shaken(body["architecture"], source, ulp)}
    if "softmax" in json.dumps(body["architecture"]):
        # Of large scores that are nearly equal the last bit decides.
        body |= {key: shaken(body[key], source, ulp) for key in ("x1", "x2") if key in body}
    return body


def judge(body, status, answer, network):
    """(verdict, detail): "agrees", "refused", "ambiguous", or what is wrong."""
    kinds = dict(zip(("nngp", "ntk"), network.kernels()))
    precision = body.get("precision", "float64")
    size = max((abs(entry) for matrix in kinds.values() for row in matrix for entry in row), default=0)
    if status == 422 and "below it" in answer.get("detail", ""):
        # A variance that is not zero, and less than any number, before what would take it for zero.
        return ("refused", "") if network.smallest < mpf("1e-305") else ("refuses", answer.get("detail"))
    if status == 422 and re.search("range|overflow|finite", json.dumps(answer)):
        return ("refused", "") if network.largest > LARGEST[precision] / 100 or size > LARGEST[precision] else ("refuses", answer.get("detail"))
    if status != 200:
        return "fails", f"{status} {answer.get('detail')}"
    first = len(body["x1"])
    offset = first if "x2" in body else 0
    worst = (mpf(0), "")
    for kind, matrix in kinds.items():
        if kind == "ntk" and network.ambiguous:
            continue
        for i, row in enumerate(answer[kind]):
            for j, value in enumerate(row):
                own = mp.sqrt(abs(matrix[i][i] * matrix[j + offset][j + offset]))
                exact = matrix[i][j + offset]
                if own < SMALLEST[precision]:
                    if abs(value) > 2 * SMALLEST[precision]:
                        return "wrong", f"{kind}[{i}][{j}] is {value}, right: {mp.nstr(exact, 20)}"
                    continue
                error = abs(mpf(value) - exact) / own
                allowed = TOLERANCE[precision] * max(1, mpf(network.layers) / 10)
                estimate = answer.get("error_estimate")
                if estimate is not None:
                    allowed += mpf(estimate if isinstance(estimate, (int, float)) else estimate.get(kind, 0))
                if error / allowed > worst[0]:
                    worst = error / allowed, f"{kind}[{i}][{j}] is {value}, right: {mp.nstr(exact, 20)}, off by {mp.nstr(error, 3)}"
    return ("wrong", worst[1]) if worst[0] > 1 else ("ambiguous" if network.ambiguous else "agrees", "")


def equal_points(body, answer):
    """Equal points have the value of their diagonal, to an ulp (two, where a root of a product is taken)."""
    if "x2" in body or "dropout" in json.dumps(body["architecture"]):
        return None
    ulp = 2.0**-51 if body.get("precision", "float64") == "float64" else 2.0**-22
    patterns = body.get("pattern1", [None] * len(body["x1"]))
    for i, x in enumerate(body["x1"]):
        for j in range(i):
            if x == body["x1"][j] and patterns[i] == patterns[j]:
                for kind in body["kinds"]:
                    own, pair = answer[kind][i][i], answer[kind][i][j]
                    if abs(pair - own) > ulp * abs(own):
                        return f"{kind}: points {j} and {i} are equal, their value {pair} and their own {own} are not"
    return None


def expire(*_):
    raise TimeoutError


def run(port, seed, kind, numerical, limit=20):
    """(verdict, detail, body) of one case; `limit`: seconds for the reference."""
    signal.signal(signal.SIGALRM, expire)
    body = draws.request(random.Random(seed), kind == "positions", numerical)
    signal.alarm(limit)
    try:
        network = reference(body)
        network.kernels()
    except TooLarge as error:
        status, answer = send(port, "/v1/kernels", body, 60)
        # What is too large on its way may have come back: sign forgets it.
        return ("refused", "", body) if status in (200, 422) else ("fails", f"{status} {answer.get('detail')}", body)
    except (Refused, OverflowError, ZeroDivisionError) as error:
        return "no reference", repr(error), body
    except TimeoutError:
        return "too slow", "", body
    finally:
        signal.alarm(0)
    status, answer = send(port, "/v1/kernels", body, 60)
    verdict, detail = judge(body, status, answer, network)
    if verdict == "wrong":
        # At scales of 1e100 the digits of a determinant are further down than the reference usually looks.
        with mp.workdps(FINEST_DIGITS):
            network = reference(body)
            verdict, detail = judge(body, status, answer, network)
    if verdict == "wrong":
        # How far the right value moves with the last bit of each weight is no fault of the server's.
        source = random.Random(seed)
        moved = mpf(0)
        for _ in range(3):
            other = reference(shaken_request(body, source))
            for a, b in zip(network.kernels(), other.kernels()):
                for i, row in enumerate(a):
                    for j, entry in enumerate(row):
                        own = mp.sqrt(abs(a[i][i] * a[j][j]))
                        if own > 0:
                            moved = max(moved, abs(entry - b[i][j]) / own)
        found = re.search(r"off by (\S+)$", detail)
        if found and mpf(found.group(1)) <= 8 * moved:
            return "ill conditioned", detail, body
    elif status == 200:
        unequal = equal_points(body, answer)
        if unequal:
            return "unequal", unequal, body
    return verdict, detail, body


BAD = {"wrong", "refuses", "fails", "unequal"}


def worker(port, kind, start, step, deadline, count, numerical, verdicts):
    seed = start
    done = 0
    while time.time() < deadline and done < count:
        try:
            verdicts.put((kind, seed, *run(port, f"{kind} {seed}", kind, numerical)))
        except Exception as error:  # a fault of the campaign's own
            verdicts.put((kind, seed, "campaign failed", repr(error), {}))
        seed += step
        done += 1
    verdicts.put(None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, help="the server's binary, or the port of one that runs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, default=10**9, help="cases of each process at most")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kind", choices=["vectors", "positions", "both"], default="both")
    parser.add_argument("--numerical", type=float, default=0.02, help="share of activations without a closed form")
    parser.add_argument("--case", type=int, help="repeat one case")
    parser.add_argument("--show", type=int, default=5, help="failures to print")
    options = parser.parse_args()
    server = Server(options.server)
    try:
        if options.case is not None:
            verdict, detail, body = run(server.port, f"{options.kind} {options.case}", options.kind, options.numerical)
            print(json.dumps(body))
            print(verdict, detail)
            return int(verdict in BAD)
        seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}", flush=True)
        kinds = ["vectors", "positions"] if options.kind == "both" else [options.kind] * 2
        verdicts = multiprocessing.Queue()
        deadline = time.time() + options.seconds
        workers = [
            multiprocessing.Process(
                target=worker, args=(server.port, kind, seed + i, 2, deadline, options.count, options.numerical, verdicts), daemon=True)
            for i, kind in enumerate(kinds)]
        for process in workers:
            process.start()
        counts, running, shown = {"vectors": Counter(), "positions": Counter()}, len(workers), 0
        while running:
            entry = verdicts.get()
            if entry is None:
                running -= 1
                continue
            kind, case, verdict, detail, body = entry
            counts[kind][verdict] += 1
            if (verdict in BAD or verdict == "campaign failed") and shown < options.show:
                shown += 1
                print(f"{verdict}: {detail}\n  repeat: --kind {kind} --case {case} --numerical {options.numerical}\n  {json.dumps(body)}", flush=True)
        for kind, counter in counts.items():
            if counter:
                print(f"{kind}: {sum(counter.values())} architectures: " + ", ".join(f"{n} {verdict}" for verdict, n in counter.most_common()))
        if not any(counter["agrees"] for counter in counts.values()):
            print("nothing was compared")
            return 1
        return int(any(counter[verdict] for counter in counts.values() for verdict in BAD | {"campaign failed"}))
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
