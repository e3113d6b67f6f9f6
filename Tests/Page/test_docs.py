"""The reference at /docs holds all of the document, finds it, and tries it."""
import json
import pathlib
from urllib.parse import urlsplit

import pytest
import yaml

DOCUMENT = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml").read_text(encoding="utf-8"))
OPERATIONS = [(path, method, node) for path, item in DOCUMENT["paths"].items() for method, node in item.items() if method in ("get", "post", "delete")]


def opened(visit, path: str = "/docs"):
    page = visit.open(path)
    page.locator("#schema-MLP").wait_for(state="attached")
    return page


def test_all_of_the_document_is_there(visit):
    page = opened(visit)
    for path, method, node in OPERATIONS:
        section = page.locator(f"section[id='{node['operationId']}']")
        assert section.locator("h3").inner_text().startswith(f"{method.upper()} {path}")
        assert node["summary"] in section.inner_text()
    for name in DOCUMENT["components"]["schemas"]:
        assert page.locator(f"#schema-{name}").count() == 1
    links = page.evaluate("() => [...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).map(a => a.hash)")
    assert links == [], "links that lead nowhere"
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(visit.origin).netloc}


def test_a_deep_link_leads_there(visit):
    page = opened(visit, "/docs#trainingDynamics")
    top = page.locator("#trainingDynamics").bounding_box()["y"]
    assert 0 <= top < 200
    page.locator("#trainingDynamics a[href='#schema-KernelSource']").first.click()
    assert 0 <= page.locator("#schema-KernelSource").bounding_box()["y"] < 800
    assert page.url.endswith("#schema-KernelSource")


def test_the_filter_narrows(visit):
    page = opened(visit)
    page.keyboard.press("/")
    page.keyboard.type("spectr")
    assert page.locator("#kernelSpectrum").is_visible() and page.locator("#schema-SpectrumRequest").is_visible()
    assert page.locator("#computeKernels").is_hidden() and page.locator("#schema-MLP").is_hidden()
    assert page.locator("#found").inner_text().endswith(f"of {len(OPERATIONS) + len(DOCUMENT['components']['schemas'])}")
    page.locator("#filter").fill("")
    assert page.locator("#computeKernels").is_visible()


def test_trying_an_example_gives_the_documented_answer(visit):
    page = opened(visit)
    box = page.locator("#computeKernels .try")
    documented = json.loads(box.locator("pre").last.inner_text())
    assert documented["shape"] == [3, 3]
    box.locator(".send").click()
    page.locator("#computeKernels .try [role=status]", has_text="200").wait_for()
    came = json.loads(box.locator("pre").last.inner_text())
    # The last digits are those of this machine's instruction set.
    assert [value for row in came["ntk"] for value in row] == pytest.approx([value for row in documented["ntk"] for value in row], rel=1e-12)
    box.locator("select").select_option("unknown_layer")
    assert "no_such_layer" in box.locator(".command pre").inner_text()
