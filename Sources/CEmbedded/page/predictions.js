// Training points, and the posteriors of the two kernels over the range.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { Points } from "./points.js";
import { grid, linear, short } from "./scale.js";
import { shape } from "./state.js";
import { area, html, path, svg } from "./svg.js";
import { View } from "./view.js";

const xs = grid(-3, 3, 121);
const column = (values) => values.map((value) => [value]);

// The data of a request with the state's points.
export const data = ({ points }) => ({ x_train: column(points.map(({ x }) => x)), y_train: points.map(({ y }) => y) });

async function ask(state, send) {
  const network = architecture(state), x_test = column(xs);
  if (!state.points.length) {
    const { nngp } = await send("/v1/kernels", { architecture: network, x1: x_test, kinds: ["nngp"], diagonal: true }, "No data: the variance of the prior; its mean is 0");
    const prior = { mean: xs.map(() => 0), variance: nngp };
    return { nngp: prior, ntk: prior, untrained: true };
  }
  const train = data(state);
  const regression = (kind, posterior) =>
    ({ kernel: { architecture: network, kind }, ...train, x_test, ridge: state.ridge, posterior, covariance: "diagonal" });
  const nngp = send("/v1/predictions", regression("nngp", "gp"), "NNGP posterior");
  const ntk = state.time === Infinity
    ? send("/v1/predictions", regression("ntk", "ensemble"), "NTK ensemble, trained to convergence")
    : send("/v1/dynamics", { kernel: { architecture: network, kind: "ntk" }, ...train, x_test, times: [state.time], covariance: "diagonal" }, "NTK ensemble at time t")
      .then(({ mean, variance }) => ({ mean: mean[0], variance: variance[0] }));
  const answers = await Promise.all([nngp, ntk]);
  return { nngp: answers[0], ntk: answers[1] };
}

const deviation = (variance) => 2 * Math.sqrt(Math.max(variance, 0));

export function predictions(store, say) {
  const view = new View("predictions", { ask, draw, numbers });
  const plot = new Plot(view.place, { label: "Training points and predictions", xLabel: "input x", yLabel: "output f(x)", role: "group" });
  const hit = svg("rect", { class: "hit" });
  const line = svg("line", { class: "probe-line", "aria-hidden": "true" });
  plot.over.append(hit, line);
  const points = new Points(store, plot, say);
  const output = document.getElementById("probe-values");
  let scales;

  function frame() {
    scales = { x: linear([-3, 3], plot.across), y: linear([-2.5, 2.5], plot.up) };
    plot.axes(scales.x, scales.y);
    const [left, right] = plot.across, [bottom, top] = plot.up;
    for (const [name, value] of Object.entries({ x: left, y: top, width: Math.max(0, right - left), height: bottom - top })) hit.setAttribute(name, value);
    points.draw(store.state.points, scales);
    probe();
  }

  function draw(answer, state) {
    const parts = [plot.clip("predictions-clip")];
    for (const name of ["nngp", "ntk"].filter((each) => state[each])) {
      const { mean, variance } = answer[name];
      const along = (sign) => xs.map((x, i) => [scales.x(x), scales.y(mean[i] + sign * deviation(variance[i]))]);
      const upper = along(1), lower = along(-1);
      parts.push(svg("path", { class: `band ${name}`, d: area(upper, lower) }));
      parts.push(svg("path", { class: `edge ${name}`, d: path(upper) }), svg("path", { class: `edge ${name}`, d: path(lower) }));
      parts.push(svg("path", { class: `curve ${name}`, d: path(along(0)) }));
    }
    plot.marks.replaceChildren(...parts);
    probe();
  }

  function probe() {
    const { state } = store;
    const at = scales.x(state.probe), [bottom, top] = plot.up;
    for (const [name, value] of Object.entries({ x1: at, x2: at, y1: top, y2: bottom })) line.setAttribute(name, value);
    if (!view.data) return;
    const i = xs.indexOf(state.probe);
    const reading = (name) => html("span", { class: name },
      `${name.toUpperCase()} `, html("b", {}, short(view.data[name].mean[i])), ` ± ${short(deviation(view.data[name].variance[i]))}`);
    const shown = ["nngp", "ntk"].filter((name) => state[name]).flatMap((name) => [reading(name), "   "]);
    output.replaceChildren(`x = ${short(state.probe)}:  `, ...shown);
  }

  hit.addEventListener("click", (event) => points.clicked(event));
  hit.addEventListener("pointermove", (event) => {
    const x = scales.x.invert(event.clientX - plot.root.getBoundingClientRect().left);
    store.set({ probe: xs.reduce((best, each) => Math.abs(each - x) < Math.abs(best - x) ? each : best) });
  });
  plot.onresize = () => { frame(); view.redraw(); };
  store.watch(["points"], ({ points: all }) => { if (scales) points.draw(all, scales); });
  store.watch(["probe"], () => { if (scales) probe(); });
  store.watch(["nngp", "ntk"], () => view.redraw());
  if (plot.width) frame();
  store.watch([...shape, "points", "ridge", "time"], (state) => view.refresh(state));
  return { view, points };
}

function numbers({ nngp, ntk }) {
  return {
    columns: ["x", "NNGP mean", "NNGP variance", "NTK mean", "NTK variance"],
    rows: xs.map((x, i) => [x, nngp.mean[i], nngp.variance[i], ntk.mean[i], ntk.variance[i]]),
  };
}
