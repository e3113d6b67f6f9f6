"""The page at /: it loads from its server alone, follows a drag and the keyboard, and tells faults where they are."""
import json
import re
from urllib.parse import urlsplit

import pytest

VIEWS = ["predictions", "training", "kernel", "spectrum", "influence", "finite", "convergence", "learning"]


def curves(page) -> list[str]:
    return [path.get_attribute("d") for path in page.locator("#predictions .curve").all()]


def centre(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_loads_without_a_complaint_and_from_its_server_alone(visit):
    page = visit.open()
    visit.settle(*VIEWS)
    assert page.title().startswith("NTK Server")
    for view in VIEWS:
        assert page.locator(f"#{view} > .error").is_hidden()
        assert page.locator(f"#{view} .curve, #{view} .mark, #{view} canvas").count() >= 1, f"{view} shows nothing"
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(visit.origin).netloc}
    assert page.context.cookies() == []


def test_a_drag_changes_the_posterior(visit):
    page = visit.open()
    before, point = curves(page), page.locator(".point").nth(2)
    value = point.get_attribute("aria-valuetext")
    x, y = centre(point)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y - 60, steps=8)
    page.mouse.up()
    visit.settle()
    assert point.get_attribute("aria-valuetext") != value
    after = curves(page)
    assert len(before) == len(after) == 2
    assert all(old != new for old, new in zip(before, after))
    assert page.locator(".point").count() == 6
    assert visit.complaints == []


def test_a_target_is_dragged_along_the_learning_curve(visit):
    page = visit.open()
    visit.settle("learning")
    before = page.locator("#learning-facts b").first.text_content()
    x, y = centre(page.locator("#learning .handle"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 40, steps=5)
    page.mouse.up()
    visit.settle("learning")
    after = page.locator("#learning-facts b").first.text_content()
    assert float(after) < float(before)
    assert visit.complaints == []


def test_finite_width_is_predicted_beside_the_samples(visit):
    page = visit.open()
    visit.settle("finite", "convergence")
    assert page.locator("#finite .bar").count() == 2 * 11
    assert page.locator("#convergence .predicted").count() == 1
    assert visit.complaints == []


def test_a_click_adds_and_a_double_click_removes(visit):
    page = visit.open()
    box = page.locator("#predictions .hit").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.47, box["y"] + box["height"] * 0.9)
    assert page.locator(".point").count() == 7
    page.wait_for_timeout(400)
    page.mouse.dblclick(*centre(page.locator(".point").nth(6)))
    assert page.locator(".point").count() == 6
    visit.settle()
    assert visit.complaints == []


def test_depth_activation_ridge_and_time_change_it(visit):
    page = visit.open()
    seen = [curves(page)]
    for setting in (
        lambda: page.locator("#depth").fill("5"), lambda: page.locator("#activation").select_option("erf"),
        lambda: page.locator("#ridge").fill("-0.5"), lambda: page.locator("#time").fill("0.5"), lambda: page.locator("#b_std").fill("1"),
        lambda: page.locator("#family").select_option("residual"),
    ):
        setting()
        visit.settle()
        seen.append(curves(page))
        assert seen[-1] != seen[-2]
    assert page.locator("#ntk-name").inner_text() == "NTK ensemble at t = 3.16"
    assert visit.complaints == []


def test_the_keyboard_does_all_that_the_mouse_does(visit):
    page = visit.open()
    page.locator("#show-ntk").focus()
    page.keyboard.press("Tab")
    focused = page.locator(".point:focus")
    assert focused.get_attribute("aria-label") == "Training point 1 of 6"
    assert focused.locator(".ring").evaluate("ring => getComputedStyle(ring).stroke") != "none", "the focus cannot be seen"
    before = curves(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    assert focused.get_attribute("aria-valuetext") == "x -1.9, y -0.55"
    visit.settle()
    assert curves(page) != before
    page.keyboard.press("Delete")
    assert page.locator(".point").count() == 5
    assert page.locator("#live").inner_text() == "Point removed; 5 left."
    assert focused.get_attribute("aria-label") == "Training point 1 of 5", "the focus is lost"
    page.locator("#add").focus()
    page.keyboard.press("Enter")
    assert page.locator(".point").count() == 6
    assert page.locator(".point:focus").count() == 1
    for _ in range(6):
        page.keyboard.press("Backspace")
    assert page.locator(".point").count() == 0
    assert page.evaluate("() => document.activeElement.id") == "add"
    visit.settle()
    assert page.locator("#predictions > .error").is_hidden()
    page.locator("#probe").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#probe-values").inner_text().startswith("x = 0.05")
    assert visit.complaints == []


def test_a_fault_of_the_architecture_is_marked_where_the_server_points(visit):
    page = visit.open()
    page.locator("#family").select_option("custom")
    text = page.locator("#architecture")
    text.fill('{"type": "serial", "layers": [\n  {"type": "dense"},\n  {"type": "relu"},\n  {"type": "relu"}]}')
    visit.settle()
    error = page.locator("#editor-error").inner_text()
    assert "line 4" in error and "/layers/2" in error and "an activation must follow" in error
    assert page.locator("#editor-marks mark").inner_text() == '{"type": "relu"}'
    page.locator("#editor-error button").click()
    start, end = text.evaluate("area => [area.selectionStart, area.selectionEnd]")
    assert text.input_value()[start:end] == '{"type": "relu"}'
    text.fill('{"type": "serial", "layers": [{"type": "dense", "b_std": 0.3}, {"type": "erf"}, {"type": "dense"}]}')
    visit.settle()
    assert page.locator("#editor-error").is_hidden() and page.locator("#predictions > .error").is_hidden()
    text.fill('{"type": ')
    assert "not JSON" in page.locator("#editor-error").inner_text()
    # The browser itself notes that an answer was a refusal, and nothing else was wrong.
    assert all("422" in complaint for complaint in visit.complaints)


def test_a_key_is_asked_for_and_kept_in_memory_only(visit):
    problem = {"type": "/problems/unauthorized", "title": "A key is needed", "status": 401, "detail": "no key came"}
    sent = []

    def guard(route):
        sent.append(route.request.headers.get("authorization"))
        if sent[-1] == "Bearer s3cret":
            route.continue_()
        else:
            route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(problem))

    visit.intercept("**/v1/**", guard)
    page = visit.open()
    assert page.locator("#key-form").is_visible()
    assert "API key" in page.locator("#predictions > .error").inner_text()
    page.locator("#key").fill("s3cret")
    page.keyboard.press("Enter")
    visit.settle()
    assert page.locator("#key-form").is_hidden() and page.locator("#predictions > .error").is_hidden()
    assert "Bearer s3cret" in sent
    page.locator("#predictions .as-curl summary").click()
    command = page.locator("#predictions .as-curl pre").inner_text()
    assert "$NTK_API_KEY" in command and "s3cret" not in command
    assert "s3cret" not in json.dumps(page.evaluate("() => [{...localStorage}, {...sessionStorage}, location.href]"))


def test_a_server_that_is_gone_is_told_kindly(visit):
    page = visit.open()
    visit.intercept("**/v1/**", lambda route: route.abort())
    page.locator("#depth").fill("4")
    visit.settle()
    assert page.locator("#predictions > .error").inner_text() == "The server does not answer. Is it still running?"
    assert page.locator(".point").count() == 6


def test_an_overtaken_request_that_does_not_end_is_cancelled(visit):
    page = visit.open()
    held = []
    visit.intercept("**/v1/predictions", held.append)
    page.locator("#depth").fill("3")
    page.wait_for_timeout(500)
    page.locator("#depth").fill("4")
    page.wait_for_timeout(500)
    assert len(held) == 2, "it is let come to its end first"
    # Where nothing new is wanted for some seconds there is no drag any more.
    page.wait_for_timeout(6_000)
    assert len(held) == 4
    for route in held[2:]:
        route.continue_()
    page.unroute("**/v1/predictions")
    visit.settle()
    assert any(url.endswith("/v1/predictions") for url in visit.cancelled)
    assert '"depth":4' in page.locator("#predictions .as-curl pre").text_content()
    assert not [complaint for complaint in visit.complaints if complaint.startswith("error")]


@pytest.mark.parametrize("visit", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(visit):
    page = visit.open()
    paper = lambda: sum(map(int, re.findall(r"\d+", page.evaluate("() => getComputedStyle(document.body).backgroundColor"))[:3]))
    is_dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert (paper() < 200) == is_dark
    page.locator("#theme").click()
    assert paper() > 600 and page.locator("#theme").inner_text() == "Theme: light"
    page.locator("#theme").click()
    assert paper() < 200
    page.reload()
    assert paper() < 200, "the choice is forgotten"


PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])
def test_it_fits_a_phone(visit):
    page = visit.open()
    visit.settle(*VIEWS)
    for summary in page.locator(".view summary").all():
        summary.click()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    page.locator("#predictions").scroll_into_view_if_needed()
    box = page.locator("#predictions .hit").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.47, box["y"] + box["height"] * 0.9)
    assert page.locator(".point").count() == 7
    assert visit.complaints == []


def test_the_address_holds_the_picture(visit):
    page = visit.open()
    page.locator("#depth").fill("3")
    page.locator("#time").fill("1")
    page.locator(".point").first.focus()
    page.keyboard.press("ArrowUp")
    visit.settle()
    page.wait_for_timeout(500)
    address, before = page.url, curves(page)
    page.goto("about:blank")
    page.goto(address)
    visit.settle()
    assert curves(page) == before
    assert page.locator("output[for=depth]").inner_text() == "3" and page.locator(".point").first.get_attribute("aria-valuetext") == "x -2.4, y -0.55"
    # What is none of the page's words is as if it were not there.
    page.goto("about:blank")
    page.goto(visit.origin + "/#depth=1e9&points=1,2;x&family=custom&custom=%7B&__proto__=1&width=7&activation=<b>&time=NaN&b_std=")
    visit.settle()
    assert page.locator("output[for=depth]").inner_text() == "2" and page.locator(".point").count() == 6
    assert visit.complaints == []


def test_a_drag_is_followed_however_slow_the_answers_are(visit):
    page = visit.open()
    before = curves(page)
    in_flight, most, asked = set(), 0, []

    def slowly(route):
        nonlocal most
        body = route.request.post_data
        in_flight.add(body)
        most = max(most, len(in_flight))
        asked.append(json.loads(body))
        page.wait_for_timeout(600)
        in_flight.discard(body)
        route.continue_()

    visit.intercept("**/v1/predictions", slowly)
    # Changes come faster than answers, all of the time.
    drawn = page.evaluate("""async () => {
        const slider = document.querySelector('#b_std'), drawn = new Set();
        for (let step = 0; step < 100; step++) {
            slider.value = 0.2 + step / 100;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await new Promise((done) => setTimeout(done, 40));
            drawn.add(document.querySelector('#predictions .curve').getAttribute('d'));
        }
        return drawn.size;
    }""")
    visit.settle()
    assert drawn > 1, "nothing was drawn while the slider moved"
    assert visit.cancelled == [], "a run was given up"
    # Both kernels of one run, and no second run beside it.
    assert most <= 2 and len(asked) < 60
    assert curves(page) != before
    assert asked[-1]["kernel"]["architecture"]["b_std"] == pytest.approx(1.2), "the newest is not what was asked at last"
