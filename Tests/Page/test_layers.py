"""The page's choices are those of GET /v1/layers."""
import json

import pytest


@pytest.fixture
def layers(server) -> list[dict]:
    return json.loads(server.send("GET", "/v1/layers").body)["layers"]


def names(page) -> list[str]:
    return page.locator("#activation option").evaluate_all("options => options.map((option) => option.value)")


def test_the_activations_are_the_servers(visit, layers):
    page = visit.open()
    complete = [layer["type"] for layer in layers if layer["group"] == "activation" and not any(field["required"] for field in layer["fields"])]
    assert "relu" in complete and "mish" in complete
    assert names(page) == [*complete, "elementwise"]
    assert page.locator("#activation").input_value() == "relu"
    assert visit.complaints == []


def test_an_activation_that_only_the_server_knows_is_offered(visit):
    layers = [{"type": name, "group": "activation", "fields": []} for name in ("relu", "made_up")]
    layers += [{"type": "monomial", "group": "activation", "fields": [{"name": "degree", "required": True}]}, {"type": "flatten", "group": "linear", "fields": []}]
    visit.intercept("**/v1/layers", lambda route: route.fulfill(json={"layers": layers}))
    page = visit.open()
    assert names(page) == ["relu", "made_up", "elementwise"]


def test_each_has_a_picture_or_says_why_not(visit):
    page = visit.open()
    shown = set()
    for name in names(page):
        page.locator("#activation").select_option(name)
        visit.settle()
        error = page.locator("#predictions > .error")
        if error.is_hidden():
            assert page.locator("#predictions .curve").count() == 2
            shown.add(name)
        else:
            assert error.inner_text() != ""
    assert {"relu", "gelu", "tanh", "erf", "sin", "mish", "elementwise"} <= shown
    assert all("422" in complaint for complaint in visit.complaints)


@pytest.mark.parametrize("answer", [lambda route: route.abort(), lambda route: route.fulfill(status=401, json={"status": 401})], ids=["none", "401"])
def test_a_server_that_does_not_tell_them_leaves_the_page_alive(visit, answer):
    visit.intercept("**/v1/layers", answer)
    page = visit.open()
    assert names(page) == ["relu", "elementwise"]
    assert page.locator("#predictions .point").count() == 6
    assert page.locator("#predictions .curve").count() == 2
