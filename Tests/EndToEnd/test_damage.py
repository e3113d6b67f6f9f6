"""What files say ends no process, and what they lost is told of, and made anew."""
import json
import random

from bit_flips import Campaign
from conftest import BINARY
from fault_injection import Fits, Jobs, Networks, send


ABSURD = [
    '{"attempt":1,"losses":0,"step":9223372036854775807,"status":"running","progress":0.5,"kept":0.5}',
    '{"attempt":9223372036854775807,"losses":0,"step":1,"status":"running","progress":0.5,"kept":0.5}',
    '{"attempt":1,"step":-5,"status":"running","progress":1e300,"kept":-1e300,"eta_seconds":1e300,"started_at":9223372036854775807}',
    "[" * 1_000_000, '{"attempt":' * 100_000, "", "\0" * 1_000, '{"x":"' + "y" * 50_000_000 + '"}',
]


def test_what_a_state_says_ends_no_process(start, tmp_path):
    data = tmp_path / "data"
    jobs = Jobs()
    waiting = start("--data-dir", str(data), "--job-workers", "0")
    ids = [jobs.make(waiting.port, number) for number in range(len(ABSURD))]
    for identifier, text in zip(ids, ABSURD):
        (data / "jobs" / identifier / "state.json").write_text(text)
        assert send(waiting.port, "GET", f"/v1/jobs/{identifier}")[0] == 200
        assert send(waiting.port, "GET", f"/v1/jobs/{identifier}/result")[0] == 409
    working = start("--data-dir", str(data))
    for number, identifier in enumerate(ids):
        assert jobs.ask(working.port, identifier, number) == jobs.ask(waiting.port, identifier, number)


def test_damage_on_the_disk_is_counted_and_named(start, tmp_path):
    data = tmp_path / "data"
    first = start("--data-dir", str(data))
    kinds = [Fits(), Networks(), Jobs()]
    made = {kind.name: kind.make(first.port, 1) for kind in kinds}
    answers = {kind.name: kind.ask(first.port, made[kind.name], 1) for kind in kinds}
    for pattern in ("regressors/*/tensors.safetensors", "networks/*/parameters.safetensors", "jobs/*/0.npy"):
        (file,) = data.glob(pattern)
        content = bytearray(file.read_bytes())
        content[-9] ^= 2
        file.write_bytes(content)
    server = start("--data-dir", str(data))
    for kind, path, body in [("regressors", "/v1/regressors/{}/predictions", {"x": [[0.5, 0.25]]}), ("networks", "/v1/networks/{}", None), ("jobs", "/v1/jobs/{}/result", None)]:
        status, answer = send(server.port, "POST" if body else "GET", path.format(made[kind]), body)
        assert status == 500 and json.loads(answer)["type"] == "/problems/damaged-artifact", answer
        listed = json.loads(send(server.port, "GET", f"/v1/{kind}")[1])[kind]
        assert [(entry["id"], entry["status"]) for entry in listed] == [(made[kind], "damaged")]
    metrics = send(server.port, "GET", "/metrics")[1].decode()
    for kind in ("regressor", "network", "job"):
        assert f'ntk_damaged_artifacts_total{{kind="{kind}"}} 1\n' in metrics, metrics
    for kind in kinds:
        assert kind.ask(server.port, kind.make(server.port, 1), 1) == answers[kind.name]


def test_flipped_bits(tmp_path):
    """The short form of `make flip-test`."""
    campaign = Campaign(BINARY, tmp_path, random.Random(0))
    try:
        campaign.run(60)
        assert campaign.seen > 20 and campaign.redone > 5
    finally:
        campaign.close()
