"""Checks that what Deploy/ asks of the server exists: python check_names.py PATH-TO-NTK-SERVER

Every NTK_… variable must stand in `serve --help`, and every metric of dashboard, alerts and autoscaler in /metrics.
"""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


def settings() -> set[str]:
    """Names of the variables that any file here, or the Dockerfile, sets."""
    files = [path for path in HERE.rglob("*") if path.suffix in {".env", ".yaml", ".service"}] + [HERE.parent / "Dockerfile"]
    return {name for path in files for name in re.findall(r"\bNTK_[A-Z_]+", path.read_text(encoding="utf-8"))}


def metrics() -> set[str]:
    """Names of the server's metrics that any expression here reads."""
    dashboard = json.loads((HERE / "compose/grafana/ntk-server.json").read_text(encoding="utf-8"))
    texts = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    texts += [variable["definition"] for variable in dashboard["templating"]["list"]]
    texts += [path.read_text(encoding="utf-8") for path in HERE.rglob("*.yaml")]
    return {name for text in texts for name in re.findall(r"\b(?:ntk|process)_[a-z_]+", text)}


def main() -> None:
    server = sys.argv[1]
    text = subprocess.run([server, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    unknown = settings() - set(re.findall(r"NTK_[A-Z_]+", text))
    if unknown:
        sys.exit(f"settings that `ntk-server serve --help` does not have: {sorted(unknown)}")
    with subprocess.Popen([server, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
                page = answer.read().decode()
        finally:
            process.terminate()
    # A family is declared even before its first sample.
    families = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    families |= {f"{name}_{part}" for name in families for part in ("bucket", "sum", "count")}
    unknown = {name for name in metrics() - families if not name.startswith("ntk_server")}
    if unknown:
        sys.exit(f"metrics that the server does not have: {sorted(unknown)}")
    print(f"{len(settings())} settings and {len(metrics())} metrics are the server's")


main()
