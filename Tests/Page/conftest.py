"""Chromium without a window, on a server of its own.

Needs Debian's package chromium (or CHROMIUM, another path to one), and a built server as Tests/OpenAPI does.
"""
import importlib.util
import os
import pathlib
import sys
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Route, sync_playwright

# The server of the other tests, by the same fixture.
_path = pathlib.Path(__file__).resolve().parents[1] / "OpenAPI/conftest.py"
_spec = importlib.util.spec_from_file_location("server_fixture", _path)
_module = importlib.util.module_from_spec(_spec)
sys.modules["server_fixture"] = _module
_spec.loader.exec_module(_module)
server = _module.server


@dataclass
class Visit:
    """A page with what it did: everything it asked for and everything it complained of."""
    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.origin + path)
        if path == "/":
            self.settle()
        return self.page

    def settle(self, *views: str) -> None:
        """Until the views have answers and wait for none; each is brought into sight, for only then it asks."""
        for view in views or ("predictions",):
            section = self.page.locator(f"#{view}")
            section.scroll_into_view_if_needed()
            self.page.wait_for_timeout(400)  # Longer than any view waits before it asks.
            self.page.locator(f"#{view}[aria-busy]").wait_for(state="detached", timeout=120_000)

    def intercept(self, pattern: str, answer) -> None:
        def handle(route: Route) -> None:
            answer(route)
        self.page.route(pattern, handle)


@pytest.fixture(scope="session")
def playwright():
    """Of which a process can have one at a time."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def launch(playwright):
    """Start a browser with arguments."""
    def start(*arguments: str):
        # A container's root may have no user namespaces for the sandbox; what is opened is our own page.
        return playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", *arguments])
    return start


@pytest.fixture(scope="session")
def chromium(launch):
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium, server, request):
    options = {"viewport": {"width": 1280, "height": 900}} | getattr(request, "param", {})
    context = chromium.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    visit = Visit(page, f"http://{server.host}:{server.port}")
    page.on("console", lambda message: visit.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: visit.complaints.append(f"error: {error}"))
    page.on("request", lambda each: visit.requests.append(each.url))
    page.on("requestfailed", lambda each: visit.cancelled.append(each.url))
    yield visit
    context.close()
