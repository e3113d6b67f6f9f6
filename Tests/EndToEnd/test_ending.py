"""SIGTERM: first not ready, then nothing new, what has begun is answered, and status 0."""
import http.client
import json
import signal
import threading
import time


def ask(connection, path):
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status, response.headers.get("Connection")


def test_not_ready_while_all_else_is_served(start):
    server = start("--drain-delay", "1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    assert ask(connection, "/readyz") == (200, None)
    server.process.send_signal(signal.SIGTERM)
    while ask(connection, "/readyz")[0] == 200:
        pass
    assert ask(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60), "/livez") == (200, None)
    assert server.process.wait(timeout=60) == 0


def test_a_request_in_flight_is_answered(start):
    server = start()
    body = json.dumps({"architecture": {"type": "mlp", "depth": 2}, "x1": [[float(i), 1.0] for i in range(400)]})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/kernels", body, {"Content-Type": "application/json"})
    time.sleep(0.02)
    server.process.send_signal(signal.SIGTERM)
    response = connection.getresponse()
    assert response.status == 200 and json.loads(response.read())["shape"] == [400, 400]
    assert server.process.wait(timeout=60) == 0


def test_no_request_fails_under_load(start):
    """Clients go on on the connections that they have; one whose connection is closed by an announced end finds the port closed."""
    server = start("--drain-delay", "0.2")
    served, failures = [0] * 16, []

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while True:
            if connection.sock is None:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
            try:
                connection.request("GET", "/version")
                response = connection.getresponse()
                response.read()
                assert response.status == 200
            except Exception as error:
                failures.append(repr(error))
                return
            served[number] += 1

    threads = [threading.Thread(target=client, args=[number]) for number in range(len(served))]
    for thread in threads:
        thread.start()
    while min(served) < 5:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert failures == []
    assert server.process.wait(timeout=60) == 0
