"""A page whose name is made to lead to this machine: to the browser the server is then the page's own origin."""

ASK = """async ([method, path, body]) => (await fetch(path, {method, body, headers: {"Content-Type": "application/json"}})).status"""


def test_a_page_of_another_name_reads_and_changes_nothing(server, launch):
    browser = launch("--host-resolver-rules=MAP evil.example 127.0.0.1")
    try:
        page = browser.new_page()
        requests = [
            ("GET", "/v1/regressors", None), ("GET", "/livez", None), ("DELETE", "/v1/jobs/none", None),
            ("POST", "/v1/kernels", '{"architecture":{"type":"dense"},"x1":[[1]]}')]
        statuses = {}
        for host in ("evil.example", "localhost"):
            opened = page.goto(f"http://{host}:{server.port}/docs")
            statuses[host] = [opened.status, *(page.evaluate(ASK, [*request]) for request in requests)]
    finally:
        browser.close()
    assert statuses == {"evil.example": [421] * 5, "localhost": [200, 200, 200, 404, 200]}
