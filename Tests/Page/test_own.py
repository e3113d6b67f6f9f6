"""A network from a file: its kernel, spectrum and shares are shown, and what is wrong with it is said."""
import pathlib

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "FiniteNetworksTests/Golden"


def give(visit, network: str, *points: str) -> None:
    page = visit.page
    page.locator("#own").scroll_into_view_if_needed()
    page.locator("#own-network").set_input_files(GOLDEN / network)
    page.locator("#own-points").set_input_files([GOLDEN / each for each in points])
    page.locator("#own[aria-busy]").wait_for(state="detached", timeout=120_000)


def test_a_file_and_its_points(visit):
    page = visit.open()
    give(visit, "resnet_cifar.onnx", "resnet_cifar.x0.npy")
    assert page.locator("#own-error").is_hidden(), page.locator("#own-error").inner_text()
    assert "11,267" in page.locator("#own-facts").inner_text()
    assert page.locator("#own-spectrum .mark.stem").count() == 5
    assert page.locator("#own-kernel canvas").evaluate("canvas => canvas.width") == 5
    shares = [float(text.removesuffix(" %")) for text in page.locator("#own-shares b").all_inner_texts()]
    assert len(shares) == 15 and abs(sum(shares) - 100) < 1
    assert shares[:-1] == sorted(shares[:-1], reverse=True)
    assert "network.onnx=@resnet_cifar.onnx" in page.locator("#own-commands").text_content()
    assert visit.complaints == []


def test_several_inputs_by_their_names(visit):
    page = visit.open()
    give(visit, "bert_masked.onnx", "bert_masked.x1.npy", "bert_masked.x0.npy")
    assert page.locator("#own-error").is_hidden(), page.locator("#own-error").inner_text()
    assert page.locator("#own-kernel canvas").evaluate("canvas => canvas.width") == 5
    assert visit.complaints == []


def test_points_that_do_not_fit_are_told(visit):
    page = visit.open()
    give(visit, "siren.onnx", "mnist_cnn.x0.npy")
    assert "shape" in page.locator("#own-error").inner_text()
    assert page.locator("#own-plots").is_hidden()
