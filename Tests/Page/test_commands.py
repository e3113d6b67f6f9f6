"""The command below a view gives the numbers that the view shows, to the last digit."""
import json
import subprocess

import pytest


def answers(command: str) -> list[dict]:
    """What the command prints: JSON values one after another."""
    text = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=120, check=True).stdout
    decoder, values = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


def shown(visit, view: str) -> tuple[str, list[list[float | None]]]:
    """The command and the numbers, as a reader gets them."""
    section = visit.page.locator(f"#{view}")
    for part in (".as-curl", ".as-numbers"):
        if section.locator(part).get_attribute("open") is None:
            section.locator(f"{part} summary").click()
    section.locator("tbody tr").first.wait_for()
    rows = [[float(cell) if cell else None for cell in row] for row in section.locator("tbody").evaluate(
        "body => [...body.rows].map(row => [...row.cells].map(cell => cell.textContent))")]
    return section.locator(".as-curl pre").inner_text(), rows


def columns(rows: list[list]) -> list[tuple]:
    return list(zip(*rows))


@pytest.mark.parametrize("time", ["5.25", "1.5"], ids=["to the end", "at a time"])
def test_predictions(visit, time):
    visit.open()
    visit.page.locator("#time").fill(time)
    visit.settle()
    command, rows = shown(visit, "predictions")
    nngp, ntk = answers(command)
    if time != "5.25":
        ntk = {"mean": ntk["mean"][0], "variance": ntk["variance"][0]}
    assert len(rows) == 121
    assert columns(rows)[1:] == [tuple(nngp["mean"]), tuple(nngp["variance"]), tuple(ntk["mean"]), tuple(ntk["variance"])]
    # The reading beside the slider is those numbers, too, in fewer digits.
    middle = next(row for row in rows if row[0] == 0)
    reading = visit.page.locator("#probe-values .nngp b").inner_text().replace("−", "-")
    assert float(reading) == float(f"{middle[1]:.3g}")


def test_the_prior_without_points(visit):
    visit.open()
    visit.page.locator("#dataset").select_option("none")
    visit.settle()
    command, rows = shown(visit, "predictions")
    [prior] = answers(command)
    assert columns(rows)[2] == tuple(prior["nngp"]) == columns(rows)[4]


def test_training_kernel_spectrum_and_convergence(visit):
    visit.open()
    visit.settle("training", "kernel", "spectrum", "convergence")
    command, rows = shown(visit, "training")
    [dynamics] = answers(command)
    assert columns(rows) == [tuple(dynamics["times"]), tuple(dynamics["train_loss"])]

    command, rows = shown(visit, "kernel")
    [kernel] = answers(command)
    assert [row[1:] for row in rows] == kernel["ntk"]

    command, rows = shown(visit, "spectrum")
    [spectrum] = answers(command)
    assert columns(rows)[1:] == [tuple(spectrum[name]) for name in ("eigenvalues", "half_lives", "coefficients")]

    command, rows = shown(visit, "convergence")
    [convergence] = answers(command)
    assert columns(rows)[:2] == [tuple(w["width"] for w in convergence["widths"]), tuple(w["relative_error"]["mean"] for w in convergence["widths"])]
    assert visit.complaints == []


def test_the_other_kernel(visit):
    visit.open()
    visit.page.locator("input[name=kind][value=nngp]").check()
    visit.settle("kernel", "spectrum")
    command, rows = shown(visit, "kernel")
    [kernel] = answers(command)
    assert [row[1:] for row in rows] == kernel["nngp"]


@pytest.mark.parametrize("trained", ["no", "yes"])
def test_finite_networks(visit, trained):
    visit.open()
    visit.page.locator(f"input[name=trained][value={trained}]").check()
    visit.page.locator("#width").fill("4")
    visit.settle("finite")
    command, rows = shown(visit, "finite")
    *infinite, draws = (answers(command)[:-8], answers(command)[-8:])
    if trained == "yes":
        expected = [answer["test_outputs"][0] for answer in draws]
        assert columns(rows)[1:3] == [tuple(infinite[0][1]["mean"][0]), tuple(infinite[0][1]["variance"][0])]
    else:
        expected = [[value for [value] in answer["outputs"]] for answer in draws]
        assert columns(rows)[2] == tuple(infinite[0][0]["nngp"])
    assert columns(rows)[3:] == [tuple(values) for values in expected]
    assert len({tuple(values) for values in expected}) == 8, "seeds that draw the same network"


@pytest.mark.parametrize("visit", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True, ids=["clipboard"])
def test_the_command_is_copied_and_quoted(visit):
    page = visit.open()
    page.locator("#family").select_option("custom")
    page.locator("#architecture").fill(json.dumps({"type": "serial", "layers": [{"type": "dense", "b_std": 0.5}, {"type": "it's"}]}))
    visit.settle()
    page.locator("#predictions .as-curl summary").click()
    page.locator("#predictions .copy").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.locator("#predictions .as-curl pre").text_content()
    assert [answer["status"] for answer in answers(copied)] == [422, 422]
