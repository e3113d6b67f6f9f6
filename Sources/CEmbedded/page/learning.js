// A learning curve from the variances of the data alone, with a target that can be dragged.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { log, short } from "./scale.js";
import { shape } from "./state.js";
import { html, path, svg } from "./svg.js";
import { View } from "./view.js";

const sizes = Array.from({ length: 25 }, (_, i) => Math.round(10 * 10 ** (i / 6)));
const components = 100;
// A linear function of two components, a square and a product.
const target_coefficients = [
  { components: [0], coefficient: 0.6 }, { components: [3], coefficient: 0.5 }, { components: [0, 1], coefficient: 0.5 },
  { components: [2, 2], coefficient: 0.37 },
];

// With mean square 1 a component.
function variances(decay) {
  const plain = Array.from({ length: components }, (_, i) => (i + 1) ** -decay);
  const sum = plain.reduce((all, each) => all + each, 0);
  return plain.map((each) => Number((each * components / sum).toPrecision(6)));
}

export function learning(store) {
  const view = new View("learning", { ask, draw, numbers, delay: 60 });
  const plot = new Plot(view.place, { label: "Test error by number of samples", xLabel: "training examples", yLabel: "mean squared error" });
  plot.margin.left = 58;
  const facts = document.getElementById("learning-facts");
  const decay = document.getElementById("learning-decay"), target = document.getElementById("learning-target");
  const told = (input, text) => { input.parentElement.querySelector("output").textContent = text; };
  const wanted = () => Number((10 ** target.valueAsNumber).toPrecision(3));

  async function ask(state, send) {
    const target_error = wanted();
    const answer = await send("/v1/learning-curves", {
      method: "hermite", kernel: { architecture: architecture(state), kind: state.kind }, covariance_eigenvalues: variances(decay.valueAsNumber),
      target_coefficients, sample_sizes: sizes, ridge: state.ridge, target_error,
    });
    return { ...answer, target_error, kind: state.kind };
  }

  let scale;
  function draw({ curve, required_samples, effective_dimension, target_error, kind }) {
    const x = log([sizes[0], sizes.at(-1)], plot.across), y = log([1e-3, 3], plot.up);
    scale = y;
    plot.axes(x, y);
    const [left, right] = plot.across, at = y(target_error);
    const line = curve.filter(({ test_error }) => test_error > 0).map(({ samples, test_error }) => [x(samples), y(test_error)]);
    const inside = required_samples && required_samples >= sizes[0] && required_samples <= sizes.at(-1);
    plot.marks.replaceChildren(
      plot.clip("learning-clip"), svg("path", { class: `curve ${kind}`, d: path(line) }),
      ...(inside ? [svg("line", { class: "limit", x1: x(required_samples), x2: x(required_samples), y1: at, y2: plot.up[0] })] : []),
      svg("line", { class: "target", x1: left, x2: right, y1: at, y2: at }), svg("line", { class: "handle", x1: left, x2: right, y1: at, y2: at }));
    facts.replaceChildren(
      html("span", {}, `examples for an error of ${short(target_error)} `, html("b", {}, required_samples ? short(required_samples, 4) : "more than any")),
      html("span", {}, "effective dimension of the data ", html("b", {}, short(effective_dimension))));
    plot.describe(`Test error from ${short(curve[0].test_error)} at ${sizes[0]} examples to ${short(curve.at(-1).test_error)} at ${sizes.at(-1)}`);
  }

  function changed() {
    told(decay, short(decay.valueAsNumber));
    told(target, short(wanted()));
    view.refresh(store.state);
  }
  for (const input of [decay, target]) input.addEventListener("input", changed);

  const follow = (event) => {
    if (!scale) return;
    const error = scale.invert(event.clientY - plot.root.getBoundingClientRect().top);
    target.value = String(Math.log10(Math.max(error, 1e-3)));
    changed();
  };
  plot.root.addEventListener("pointerdown", (event) => {
    if (!event.target.classList.contains("handle")) return;
    plot.root.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  plot.root.addEventListener("pointermove", (event) => { if (plot.root.hasPointerCapture(event.pointerId)) follow(event); });

  plot.onresize = () => view.redraw();
  store.watch([...shape, "kind", "ridge"], changed);
  return view;
}

const numbers = ({ curve }) => ({
  columns: ["examples", "predicted error", "κ", "learned modes"],
  rows: curve.map(({ samples, test_error, kappa, learned_modes }) => [samples, test_error, kappa, learned_modes]),
});
