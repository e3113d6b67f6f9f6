"""axe-core finds nothing, in either theme, on a phone, with everything open."""
import pytest
from axe_playwright_python.sync_playwright import Axe

from test_page import PHONE, VIEWS

WIDE = {"viewport": {"width": 1280, "height": 900}}


def violations(page) -> list[str]:
    # What is in order is not listed node by node, which takes most of the time.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:4]]}" for each in found]


@pytest.mark.parametrize(
    "visit", [WIDE | {"color_scheme": "light"}, WIDE | {"color_scheme": "dark"}, PHONE | {"color_scheme": "light"}], indirect=True,
    ids=["light", "dark", "phone"])
def test_the_page(visit):
    page = visit.open()
    visit.settle(*VIEWS)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("#numbers, .as-numbers tbody tr").first.wait_for()
    assert violations(page) == []


def test_the_page_with_a_fault(visit):
    page = visit.open()
    page.locator("#family").select_option("custom")
    page.locator("#architecture").fill('{"type": "no_such_layer"}')
    visit.settle()
    page.locator("#editor-error mark, #editor-error button").first.wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("visit", [WIDE | {"color_scheme": "light"}, WIDE | {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"])
def test_the_reference(visit):
    page = visit.open("/docs")
    page.locator("#schema-MLP").wait_for()
    assert violations(page) == []
