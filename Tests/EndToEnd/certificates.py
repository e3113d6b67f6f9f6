"""Certificates made by the openssl tool, and clients that take any."""
import pathlib
import ssl
import subprocess

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*arguments) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def self_signed(certificate: pathlib.Path, key: pathlib.Path, name: str = "localhost", *options: str) -> None:
    openssl("req", "-x509", *NEW_KEY, "-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={name}", *options)


def untrusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
