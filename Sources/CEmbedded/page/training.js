// The training loss of the infinitely wide network over time.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { data } from "./predictions.js";
import { aroundLog, log, short } from "./scale.js";
import { shape } from "./state.js";
import { path, svg } from "./svg.js";
import { View } from "./view.js";

// A quarter of a decade apart, as the slider is.
export const times = Array.from({ length: 29 }, (_, i) => Number((10 ** (-2 + i / 4)).toPrecision(4)));

export function training(store) {
  const view = new View("training", { ask, draw, numbers, delay: 60 });
  const plot = new Plot(view.place, { label: "Training loss over time", xLabel: "training time t = learning rate × steps", yLabel: "loss" });
  plot.margin.left = 60;

  async function ask(state, send) {
    if (!state.points.length) return { times, train_loss: [] };
    return send("/v1/dynamics", { kernel: { architecture: architecture(state), kind: "ntk" }, ...data(state), times });
  }

  function draw({ train_loss }, { time }) {
    const x = log([times[0], times.at(-1)], plot.across);
    // The plot ends ten decades down: below is rounding.
    const floor = train_loss[0] * 1e-10;
    const losses = train_loss.map((loss) => Math.max(loss, floor * 1e-3));
    const y = log(aroundLog(losses.filter((loss) => loss >= floor)), plot.up);
    plot.axes(x, y);
    const parts = [plot.clip("training-clip"), svg("path", { class: "curve ntk", d: path(losses.map((loss, i) => [x(times[i]), y(loss)])) })];
    const i = times.indexOf(time);
    if (losses.length && i >= 0) parts.push(svg("circle", { class: "mark ntk", cx: x(time), cy: y(losses[i]), r: 5 }));
    plot.marks.replaceChildren(...parts);
    plot.describe(losses.length ? `Training loss falls from ${short(train_loss[0])} at time ${times[0]} to ${short(train_loss.at(-1))} at time ${short(times.at(-1))}` : "No training points");
  }

  plot.onresize = () => view.redraw();
  store.watch(["time"], () => view.redraw());
  store.watch([...shape, "points"], (state) => view.refresh(state));
  return view;
}

const numbers = ({ train_loss }) => ({ columns: ["t", "training loss"], rows: train_loss.map((loss, i) => [times[i], loss]) });
