"""A page whose name is made to lead to this machine: to the browser the server is then the page's own origin."""
import os

from playwright.sync_api import sync_playwright


def test_a_page_of_another_name_reads_and_changes_nothing(server):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"])
        page = browser.new_page()
        ask = """async ([method, path, body]) => (await fetch(path, {method, body, headers: {"Content-Type": "application/json"}})).status"""
        requests = [
            ("GET", "/v1/regressors", None), ("GET", "/livez", None), ("DELETE", "/v1/jobs/none", None),
            ("POST", "/v1/kernels", '{"architecture":{"type":"dense"},"x1":[[1]]}')]
        statuses = {}
        for host in ("evil.example", "localhost"):
            opened = page.goto(f"http://{host}:{server.port}/docs")
            statuses[host] = [opened.status, *(page.evaluate(ask, [*request]) for request in requests)]
        browser.close()
    assert statuses == {"evil.example": [421] * 5, "localhost": [200, 200, 200, 404, 200]}
