// Eigenvalues of the kernel among the training points.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { data } from "./predictions.js";
import { aroundLog, linear, log, short } from "./scale.js";
import { shape } from "./state.js";
import { html, svg } from "./svg.js";
import { View } from "./view.js";

export function spectrum(store) {
  const view = new View("spectrum", { ask, draw, numbers, delay: 60 });
  const plot = new Plot(view.place, { label: "Eigenvalues", xLabel: "mode", yLabel: "eigenvalue" });
  plot.margin.left = 58;
  const facts = document.getElementById("spectrum-facts");

  async function ask(state, send) {
    if (!state.points.length) return null;
    const { x_train: x, y_train: y } = data(state);
    const answer = await send("/v1/spectra", { kernel: { architecture: architecture(state), kind: state.kind }, x, y, ridge: state.ridge });
    return { ...answer, kind: state.kind, ridge: state.ridge };
  }

  function draw(answer) {
    facts.replaceChildren();
    plot.clear("No training points");
    if (!answer) return;
    const { kind, ridge, eigenvalues } = answer, n = eigenvalues.length;
    const floor = eigenvalues[0] * 1e-16;
    const x = linear([0.4, n + 0.6], plot.across), y = log(aroundLog([...eigenvalues.filter((value) => value > floor), ridge]), plot.up);
    x.ticks = () => Array.from({ length: n }, (_, i) => i + 1).filter((i) => (i - 1) % Math.ceil(n / 12) === 0);
    plot.axes(x, y);
    const [left, right] = plot.across, [bottom] = plot.up;
    const stems = eigenvalues.flatMap((value, i) => value <= floor ? [] : [
      svg("line", { class: `mark stem ${kind}`, x1: x(i + 1), x2: x(i + 1), y1: bottom, y2: y(value) }),
      svg("circle", { class: `mark ${kind}`, cx: x(i + 1), cy: y(value), r: 4.5 }),
    ]);
    plot.marks.replaceChildren(
      ...stems, svg("line", { class: "limit", x1: left, x2: right, y1: y(ridge), y2: y(ridge) }),
      svg("text", { class: "note", x: right - 4, y: y(ridge) - 6, "text-anchor": "end" }, `ridge λ = ${short(ridge)}`));
    const fact = (name, value) => html("span", {}, `${name} `, html("b", {}, value));
    facts.append(
      fact("condition", short(answer.condition_number)), fact("effective dimension", short(answer.effective_dimension)),
      fact("alignment with y", short(answer.alignment)));
    plot.describe(`${n} eigenvalues from ${short(eigenvalues[0])} down to ${short(eigenvalues.at(-1))}`);
  }

  plot.onresize = () => view.redraw();
  store.watch([...shape, "kind", "points", "ridge"], (state) => view.refresh(state));
  return view;
}

const numbers = (answer) => ({
  columns: ["mode", "eigenvalue", "half-life", "coefficient of y"],
  rows: answer ? answer.eigenvalues.map((value, i) => [i + 1, value, answer.half_lives[i], answer.coefficients[i]]) : [],
});
