"""The strongest service that Python's usual parts make of neural-tangents: FastAPI on uvicorn (uvloop, httptools), orjson both ways.

Speaks this project's `POST /v1/kernels`, so that both servers get the same bytes. What a careful user would do is done:
- the kernel function is jitted once per architecture, kinds and presence of x2; XLA keeps one program per shape;
- the body is parsed by orjson and no pydantic model checks every number; numpy arrays are encoded by orjson without a Python list;
- the handler runs on the event loop, without the hop to a thread pool, which pays for small requests;
- one worker, as XLA uses every core by itself.

The precision is the process's, as usual with JAX: float32, or float64 with NTK_PEER_PRECISION=float64.
Run: NTK_PEER_PRECISION=float32 .venv/bin/python fastapi_neural_tangents.py --port 8001
"""
import argparse
import functools
import os
import time

import jax

PRECISION = os.environ.get("NTK_PEER_PRECISION", "float32")
if PRECISION not in ("float32", "float64"):
    raise SystemExit(f"NTK_PEER_PRECISION must be float32 or float64, not {PRECISION}")
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", PRECISION == "float64")

import numpy as np  # noqa: E402
import orjson  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, Request, Response  # noqa: E402

from stax_from_architecture import build  # noqa: E402

app = FastAPI(openapi_url=None)


@functools.lru_cache(maxsize=256)
def jitted_kernel(architecture: bytes, kinds: tuple[str, ...], symmetric: bool):
    """The compiled kernel function of an architecture, given as its JSON text."""
    kernel_fn = build(orjson.loads(architecture))[2]
    if symmetric:
        return jax.jit(lambda x1: kernel_fn(x1, None, kinds)._asdict())
    return jax.jit(lambda x1, x2: kernel_fn(x1, x2, kinds)._asdict())


@app.post("/v1/kernels")
async def kernels(request: Request) -> Response:
    received = time.perf_counter()
    body = orjson.loads(await request.body())
    kinds = tuple(body.get("kinds", ("ntk",)))
    inputs = [np.asarray(body[name], PRECISION) for name in ("x1", "x2") if name in body]
    parsed = time.perf_counter()
    kernel_fn = jitted_kernel(orjson.dumps(body["architecture"], option=orjson.OPT_SORT_KEYS), kinds, len(inputs) == 1)
    answer = {kind: np.asarray(value) for kind, value in kernel_fn(*inputs).items()}
    computed = time.perf_counter()
    answer |= {"shape": [len(inputs[0]), len(inputs[-1])], "precision": PRECISION}
    content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    encoded = time.perf_counter()
    steps = {"parse": parsed - received, "compute": computed - parsed, "encode": encoded - computed}
    timing = ", ".join(f"{step};dur={1000 * seconds:.3f}" for step, seconds in steps.items())
    return Response(content, media_type="application/json", headers={"Server-Timing": timing})


@app.get("/livez")
async def livez() -> Response:
    return Response(b"ok", media_type="text/plain")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8001)
    arguments = parser.parse_args()
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, workers=1, loop="uvloop", http="httptools", access_log=False, log_level="warning")
