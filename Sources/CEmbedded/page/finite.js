// Networks of finite width, drawn from seeds, over the band of infinitely wide ones.

import { architecture, finite as narrowed } from "./architecture.js";
import { Plot } from "./axes.js";
import { data } from "./predictions.js";
import { around, grid, linear, short } from "./scale.js";
import { shape } from "./state.js";
import { area, path, svg } from "./svg.js";
import { View } from "./view.js";

const xs = grid(-3, 3, 61), x_test = xs.map((x) => [x]);
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const steps = 100;

// Where the edge of the band lies for one network and the next of that width, to the first order in 1/width: [x, low, high].
async function spread(network, width, send) {
  const x1 = xs.filter((_, i) => i % 6 === 0).map((x) => [x]);
  try {
    const { widths: [{ nngp }] } = await send("/v1/finite-width", { architecture: network, x1, kinds: ["nngp"], widths: [width] },
      "The variance of networks of that width, and how it spreads from one to the next");
    const edge = (variance) => 2 * Math.sqrt(Math.max(variance, 0));
    return x1.map(([x], i) => {
      const mean = nngp.mean[i][i], deviation = nngp.standard_deviation[i][i];
      return [x, edge(mean - deviation), edge(mean + deviation)];
    });
  } catch (error) {
    // Of residual and other networks the order is not known.
    if (error.status === 422) return [];
    throw error;
  }
}

// Before training: f(x) of each network, and the prior.
async function untrained(state, send) {
  const network = architecture(state);
  const band = send("/v1/kernels", { architecture: network, x1: x_test, kinds: ["nngp"], diagonal: true }, "Infinitely wide networks: their variance; the mean is 0");
  const bars = spread(network, state.width, send);
  const draws = send.each("seed", seeds, "/v1/network-outputs",
    (seed) => ({ network: { architecture: narrowed(network, state.width), initialization: { seed } }, x: x_test }), `Eight networks of width ${state.width}`);
  const [{ nngp: variance }, finite, answers] = await Promise.all([band, bars, draws]);
  return { mean: xs.map(() => 0), variance, bars: finite, draws: answers.map((answer) => answer?.outputs.map(([value]) => value)) };
}

// After some steps of gradient descent, all with one learning rate: a quarter of the largest, for the kernels of narrow networks scatter.
async function trained(state, send) {
  const network = architecture(state), train = data(state), kernel = { architecture: network, kind: "ntk" };
  const { max_learning_rate: most } = await send("/v1/dynamics", { kernel, ...train, times: [0] }, "The largest stable learning rate; a quarter of it is used");
  const learning_rate = Number((0.25 * most).toPrecision(2));
  const band = send("/v1/dynamics",
    { kernel, ...train, x_test, times: [steps], optimizer: { type: "gradient_descent", learning_rate }, covariance: "diagonal" }, "Infinitely wide networks");
  const draws = send.each("seed", seeds, "/v1/trainings",
    (seed) => ({ network: { architecture: narrowed(network, state.width), initialization: { seed } }, ...train, x_test, steps: [steps], learning_rate }),
    `Eight networks of width ${state.width}, trained`);
  const [{ mean: [mean], variance: [variance] }, answers] = await Promise.all([band, draws]);
  return { mean, variance, learning_rate, draws: answers.map((answer) => answer?.test_outputs[0].map((value) => [value].flat()[0])) };
}

export function finite(store) {
  const ask = async (state, send) => ({ width: state.width, ...await (state.trained && state.points.length ? trained : untrained)(state, send) });
  const view = new View("finite", { ask, draw, numbers, delay: 250 });
  const plot = new Plot(view.place, { label: "Networks of finite width", xLabel: "input x", yLabel: "output f(x)" });
  const note = document.getElementById("finite-note");

  function draw({ mean, variance, bars = [], draws, learning_rate, width }, { points }) {
    const x = linear([-3, 3], plot.across);
    const edge = (sign) => mean.map((value, i) => value + sign * 2 * Math.sqrt(Math.max(variance[i], 0)));
    const y = linear(around([...edge(1), ...edge(-1), ...(learning_rate ? points.map((each) => each.y) : [])], 0.15), plot.up);
    plot.axes(x, y);
    const line = (values) => values.map((value, i) => [x(xs[i]), y(value)]);
    const kind = learning_rate ? "ntk" : "nngp";
    const there = draws.filter((values) => values);
    plot.marks.replaceChildren(
      plot.clip("finite-clip"),
      svg("path", { class: `band ${kind}`, d: area(line(edge(1)), line(edge(-1))) }),
      svg("path", { class: `curve ${kind}`, d: path(line(mean)) }),
      ...there.map((values) => svg("path", { class: "draw", d: path(line(values)) })),
      ...bars.flatMap(([at, low, high]) => [1, -1].map((sign) =>
        svg("line", { class: "mark finite stem bar", x1: x(at), x2: x(at), y1: y(sign * low), y2: y(sign * high) }))),
      ...(learning_rate ? points.map((each) => svg("circle", { class: "still", cx: x(each.x), cy: y(each.y), r: 5 })) : []));
    const lost = seeds.length - there.length;
    note.textContent = (learning_rate ? `After ${steps} steps of gradient descent with learning rate ${short(learning_rate)}.` : "At initialization." + (bars.length ? " Bars: where the edges of the band lie from one network of this width to the next." : ""))
      + (lost ? ` ${lost} of ${seeds.length} diverged and are not drawn.` : "");
    plot.describe(`${there.length} networks of width ${width} over the band of infinitely wide ones`);
  }

  plot.onresize = () => view.redraw();
  // Without training the points do not matter.
  store.watch([...shape, "width", "trained"], (state) => view.refresh(state));
  store.watch(["points"], (state) => { if (state.trained) view.refresh(state); });
  return view;
}

function numbers({ mean, variance, draws }) {
  return {
    columns: ["x", "infinite mean", "infinite variance", ...seeds.map((seed) => `seed ${seed}`)],
    rows: xs.map((x, i) => [x, mean[i], variance[i], ...draws.map((values) => values?.[i])]),
  };
}
