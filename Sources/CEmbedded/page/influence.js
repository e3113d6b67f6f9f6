// Which training points made the prediction under the cursor: the weights of their targets.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { data } from "./predictions.js";
import { grid, linear, short } from "./scale.js";
import { shape } from "./state.js";
import { html, svg } from "./svg.js";
import { View } from "./view.js";

const xs = grid(-3, 3, 121);

export function influence(store) {
  const view = new View("influence", { ask, draw, numbers, delay: 60 });
  const plot = new Plot(view.place, { label: "Weights of the training points", xLabel: "input x", yLabel: "weight of its y" });
  const facts = document.getElementById("influence-facts");

  async function ask(state, send) {
    if (!state.points.length) return null;
    const answer = await send("/v1/attributions", {
      kernel: { architecture: architecture(state), kind: state.kind }, ...data(state), x_test: xs.map((x) => [x]), ridge: state.ridge, kind: "weights",
    }, "The weight of each training point's y in the prediction at each x");
    return { ...answer, kind: state.kind, points: state.points };
  }

  function draw(answer) {
    facts.replaceChildren();
    plot.clear("No training points");
    if (!answer) return;
    const { probe } = store.state, at = xs.indexOf(probe);
    const weights = answer.weights[at < 0 ? 60 : at];
    const most = Math.max(1, ...answer.weights.flat().map(Math.abs));
    const x = linear([-3, 3], plot.across), y = linear([-most, most], plot.up);
    plot.axes(x, y);
    const [bottom, top] = plot.up;
    plot.marks.replaceChildren(
      svg("line", { class: "limit", x1: plot.across[0], x2: plot.across[1], y1: y(0), y2: y(0) }),
      svg("line", { class: "probe-line", x1: x(probe), x2: x(probe), y1: top, y2: bottom }),
      ...answer.points.flatMap((point, i) => [
        svg("line", { class: `mark stem ${answer.kind}`, x1: x(point.x), x2: x(point.x), y1: y(0), y2: y(weights[i]) }),
        svg("circle", { class: `mark ${answer.kind}`, cx: x(point.x), cy: y(weights[i]), r: 4.5 }),
      ]));
    const order = weights.map((weight, i) => i).sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]));
    const [first] = order, { mean } = answer;
    const fact = (name, value) => html("span", {}, `${name} `, html("b", {}, value));
    facts.append(
      fact("prediction at x =", `${short(probe)}: ${short(mean[at < 0 ? 60 : at])}`),
      fact("most of it from the point at x =", `${short(answer.points[first].x)}, weight ${short(weights[first])}`));
    plot.describe(`Weights of ${weights.length} training points in the prediction at x = ${short(probe)}`);
  }

  plot.onresize = () => view.redraw();
  store.watch(["probe"], () => view.redraw());
  store.watch([...shape, "kind", "points", "ridge"], (state) => view.refresh(state));
  return view;
}

const numbers = (answer) => ({
  columns: ["x of the prediction", ...(answer ? answer.points.map(({ x }) => `point at ${short(x)}`) : [])],
  rows: answer ? answer.weights.map((row, i) => [xs[i], ...row]) : [],
});
