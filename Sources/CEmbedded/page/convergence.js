// The distance of finite networks' tangent kernels from the infinite one, by width.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { data } from "./predictions.js";
import { aroundLog, log, short } from "./scale.js";
import { shape } from "./state.js";
import { html, path, svg } from "./svg.js";
import { View } from "./view.js";

const widths = [8, 16, 32, 64, 128, 256, 512];

export function convergence(store) {
  const view = new View("convergence", { ask, draw, numbers, delay: 300 });
  const plot = new Plot(view.place, { label: "Distance from the infinite kernel by width", xLabel: "width", yLabel: "relative distance" });
  plot.margin.left = 58;
  const facts = document.getElementById("convergence-facts");

  async function ask(state, send) {
    const x = state.points.length ? data(state).x_train : [[-1], [0.5], [2]];
    return send("/v1/convergence", { architecture: architecture(state), x, widths, samples: 16, seed: 1 });
  }

  function draw({ widths: all, rate }, { width }) {
    const errors = all.map(({ relative_error }) => relative_error);
    const x = log([6.5, 640], plot.across);
    x.ticks = () => widths;
    const y = log(aroundLog(errors.flatMap(({ mean, standard_error: spread }) => [mean + spread, Math.max(mean - spread, mean / 2)])), plot.up);
    plot.axes(x, y);
    // Through the geometric middle of the measurements, with the slope of theory.
    const middle = Math.exp(errors.reduce((sum, { mean }, i) => sum + Math.log(mean * Math.sqrt(all[i].width)), 0) / all.length);
    const slope = widths.map((each) => [x(each), y(middle / Math.sqrt(each))]);
    const marks = errors.flatMap(({ mean, standard_error: spread }, i) => {
      const at = x(all[i].width);
      return [
        svg("line", { class: "mark finite stem", x1: at, x2: at, y1: y(mean + spread), y2: y(Math.max(mean - spread, mean / 2)) }),
        svg("circle", { class: "mark finite", cx: at, cy: y(mean), r: all[i].width === width ? 7 : 4.5 }),
      ];
    });
    const predicted = all.filter((each) => each.predicted).map(({ width: each, predicted: { relative_error } }) => [x(each), y(relative_error)]);
    plot.marks.replaceChildren(plot.clip("convergence-clip"), svg("path", { class: "limit", d: path(slope) }),
      ...(predicted.length ? [svg("path", { class: "curve ntk predicted", d: path(predicted) })] : []),
      svg("text", { class: "note", x: plot.across[1] - 6, y: plot.margin.top + 14, "text-anchor": "end" }, predicted.length ? "dashed: predicted, dotted: ∝ 1/√width" : "dotted: ∝ 1/√width"), ...marks);
    facts.replaceChildren(html("span", {}, "measured exponent ", html("b", {}, short(rate))), html("span", {}, "theory ", html("b", {}, "−0.5")),
      html("span", {}, "16 networks per width"));
    plot.describe(`Relative distance from ${short(errors[0].mean)} at width ${all[0].width} to ${short(errors.at(-1).mean)} at width ${all.at(-1).width}; exponent ${short(rate)}`);
  }

  plot.onresize = () => view.redraw();
  store.watch(["width"], () => view.redraw());
  store.watch([...shape, "points"], (state) => view.refresh(state));
  return view;
}

const numbers = ({ widths: all }) => ({
  columns: ["width", "distance", "standard error", "mean Θ̂(x, x)", "standard error", "infinite", "predicted distance", "predicted mean", "predicted deviation"],
  rows: all.map(({ width, relative_error, diagonal, predicted }) => [width, relative_error.mean, relative_error.standard_error, diagonal.mean,
    diagonal.standard_error, diagonal.infinite, predicted?.relative_error, predicted?.diagonal.mean, predicted?.diagonal.standard_deviation]),
});
