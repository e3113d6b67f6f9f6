"""TLS as clients meet it: versions, ciphers, ALPN, close_notify, certificates of both sides, and files that are read again."""
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from conftest import BINARY, Authority


@pytest.fixture
def identity(authority, tmp_path):
    """The server's certificate and key, where a test may change them."""
    certificate, key = authority.issue("server")
    return shutil.copy(certificate, tmp_path / "tls.pem"), shutil.copy(key, tmp_path / "tls.key")


@pytest.fixture
def server(start, identity):
    return start("--tls-certificate", str(identity[0]), "--tls-key", str(identity[1]))


def get(server, context, path="/livez", target=None):
    with server.connect() as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(f"GET {target or path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_serve(server, trust, version):
    context = trust()
    context.minimum_version = context.maximum_version = version
    assert get(server, context) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("options", [
    ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1_2", "-cipher", "AES128-GCM-SHA256"),
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"), ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"), ("-groups", "P-521"),
    ("-alpn", "h2")])
def test_what_is_not_sound_is_refused(server, options):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "alert" in done.stderr, done.stdout + done.stderr


def test_http11_is_agreed_on(server, trust):
    context = trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with server.connect() as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_sessions_are_taken_up_again(server, trust):
    context = trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    for reused in (False, True):
        with server.connect() as plain, context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
            assert connection.session_reused is reused
            session = connection.session


def test_the_end_is_announced(server, trust):
    """RFC 8446 §6.1: without close_notify this would raise SSLEOFError."""
    context = trust()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with server.connect() as plain, context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        octets = b""
        while received := connection.recv(65536):
            octets += received
        assert octets.endswith(b'{"status":"ok"}')


def test_requests_sent_in_one_record_are_answered_in_order(server, trust):
    with server.connect() as plain, trust().wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        octets = b""
        while received := connection.recv(65536):
            octets += received
        assert octets.count(b"HTTP/1.1 200") == 2 and octets.index(b'"ok"') < octets.index(b'"name"')


def test_large_bodies_both_ways(server, trust):
    """A request of many records and an answer of many more are what they are in the clear."""
    points = [[number / 7, number % 13, 1.0] for number in range(1500)]
    body = json.dumps({"architecture": {"type": "mlp", "depth": 1}, "x1": points, "x2": points[:300], "precision": "float32"})
    connection = http.client.HTTPSConnection("localhost", server.port, context=trust(), timeout=120)
    connection.request("POST", "/v1/kernels", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    assert answer["shape"] == [1500, 300] and len(answer["ntk"]) == 1500
    connection.request("GET", "/livez")
    assert connection.getresponse().read() == b'{"status":"ok"}'
    connection.close()


def test_plain_http_is_told(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("DELETE", "/livez")
    response = connection.getresponse()
    assert response.status == 400 and response.headers["Connection"] == "close"
    assert "https" in json.loads(response.read())["detail"]


def test_noise_ends_the_connection(server, trust):
    for noise in (b"\x00\x01" * 500, b"\x16\x03\x01\x00\x05hello", b"\x16" * 5000, b"\x80\x2e\x01\x00\x02"):
        with server.connect() as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            try:
                while octets := connection.recv(4096):
                    received += octets
            except ConnectionResetError:
                pass
            assert received == b"" or received[0] == 21, "only an alert may come"
    assert get(server, trust())[0] == 200


def test_targets_name_their_scheme(start, server, trust):
    """RFC 9110 §7.4."""
    assert get(server, trust(), target="https://localhost/livez")[0] == 200
    assert get(server, trust(), target="http://localhost/livez")[0] == 421
    plain = start()
    with plain.connect() as connection:
        connection.sendall(b"GET https://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 421 ")


def test_client_certificates(start, identity, authority, trust, tmp_path):
    files = ["--tls-certificate", str(identity[0]), "--tls-key", str(identity[1]), "--tls-client-ca", str(authority.certificate)]
    stranger = Authority(tmp_path, "stranger")
    # A name that does not matter, an issuer that does.
    known, unknown = authority.issue("client"), stranger.issue("client")
    for rule, without in (("required", None), ("optional", 200)):
        server = start(*files, "--tls-client-certificates", rule)
        for certificate, expected in ((known, 200), (unknown, None), (None, without)):
            context = trust()
            if certificate:
                context.load_cert_chain(*certificate)
            if expected:
                assert get(server, context)[0] == expected
            else:
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    get(server, context)


def test_hangup_reads_the_files_again_and_keeps_connections(server, identity, authority, trust):
    def serial():
        with server.connect() as plain, trust().wrap_socket(plain, server_hostname="localhost") as connection:
            return connection.getpeercert()["serialNumber"]

    before = serial()
    kept = http.client.HTTPSConnection("localhost", server.port, context=trust(), timeout=60)
    kept.request("GET", "/livez")
    kept.getresponse().read()
    first_socket = kept.sock

    certificate, key = authority.issue("server")
    shutil.copy(key, identity[1])  # The new key beside the old certificate: nothing may change yet.
    server.process.send_signal(signal.SIGHUP)
    wait(lambda: server.logged("does not belong to the certificate"))
    assert serial() == before
    shutil.copy(certificate, identity[0])
    server.process.send_signal(signal.SIGHUP)
    wait(lambda: server.logged("TLS certificate read again"))
    assert serial() != before
    kept.request("GET", "/livez")
    assert kept.getresponse().read() == b'{"status":"ok"}' and kept.sock is first_socket
    kept.close()


def wait(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_mistakes_are_named_at_the_start(identity, authority, tmp_path):
    certificate, key = map(str, identity)
    other = str(authority.issue("other")[1])
    secret, empty = tmp_path / "secret.key", tmp_path / "empty.pem"
    subprocess.run(["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", secret], check=True, capture_output=True)
    empty.write_text("")
    for options, words in [
        (["--tls-certificate", certificate], "both --tls-certificate and --tls-key"),
        (["--tls-client-ca", certificate], "both --tls-certificate and --tls-key"),
        (["--tls-certificate", "/nowhere", "--tls-key", key], "/nowhere cannot be read: No such file"),
        (["--tls-certificate", certificate, "--tls-key", "/nowhere"], "/nowhere cannot be read: No such file"),
        (["--tls-certificate", certificate, "--tls-key", other], "does not belong to the certificate"),
        (["--tls-certificate", certificate, "--tls-key", str(secret)], "cannot be used"),
        (["--tls-certificate", str(empty), "--tls-key", key], "cannot be used"),
        (["--tls-certificate", certificate, "--tls-key", key, "--tls-client-ca", str(empty)], "client authority"),
    ]:
        command = [str(BINARY), "serve", "--port", "0", *options]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        assert done.returncode != 0 and words in done.stderr, (options, done.stderr)


def test_a_handshake_that_never_ends_does(start, identity):
    server = start("--tls-certificate", str(identity[0]), "--tls-key", str(identity[1]), "--header-timeout", "0.3")
    for beginning in (b"", b"\x16\x03\x01"):
        with server.connect() as connection:
            connection.sendall(beginning)
            try:
                assert connection.recv(100) == b""
            except ConnectionResetError:
                pass


def test_the_health_check_speaks_tls_where_the_server_does(server, identity):
    environment = {"NTK_PORT": str(server.port), "NTK_TLS_CERTIFICATE": str(identity[0])}
    done = subprocess.run([BINARY, "health"], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "/readyz: 200\n"), done.stdout + done.stderr
    plain = subprocess.run([BINARY, "health"], env={"NTK_PORT": str(server.port)}, capture_output=True, text=True, timeout=60)
    assert plain.returncode == 1
