// The kernel over the range as a heat map.

import { architecture } from "./architecture.js";
import { Plot } from "./axes.js";
import { cividis } from "./colours.js";
import { grid, linear, short } from "./scale.js";
import { shape } from "./state.js";
import { html, svg } from "./svg.js";
import { View } from "./view.js";

const xs = grid(-3, 3, 61);

export function kernel(store) {
  const view = new View("kernel", { ask, draw, numbers, delay: 60 });
  const canvas = html("canvas", { width: xs.length, height: xs.length, "aria-hidden": "true" });
  view.place.append(canvas);
  const plot = new Plot(view.place, { label: "The kernel as a heat map", xLabel: "x", yLabel: "x′" });
  plot.margin = { top: 10, right: 78, bottom: 42, left: 46 };

  async function ask(state, send) {
    const answer = await send("/v1/kernels", { architecture: architecture(state), x1: xs.map((x) => [x]), kinds: [state.kind] });
    return { kind: state.kind, values: answer[state.kind] };
  }

  function draw({ kind, values }, { points }) {
    const all = values.flat(), low = Math.min(...all), high = Math.max(...all);
    paint(values, low, high);
    // Each sample is the middle of its cell, so the picture is half a cell wider than the range on each side.
    const half = 6 / (xs.length - 1) / 2;
    // Square, with room for the colours beside it.
    const side = Math.min(plot.width - plot.margin.left - 78, plot.height - plot.margin.top - 42);
    plot.margin.right = plot.width - plot.margin.left - side;
    const x = linear([-3 - half, 3 + half], plot.across), y = linear([-3 - half, 3 + half], plot.up);
    const [left, right] = plot.across, [bottom, top] = plot.up;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    plot.axes(x, y);
    plot.frame.querySelectorAll(".grid").forEach((line) => line.remove());
    const rugs = points.flatMap((each) => [
      svg("line", { class: "rug", x1: x(each.x), x2: x(each.x), y1: bottom, y2: bottom + 6, stroke: "currentColor", "stroke-width": 2 }),
      svg("line", { class: "rug", y1: y(each.x), y2: y(each.x), x1: left - 6, x2: left, stroke: "currentColor", "stroke-width": 2 }),
    ]);
    plot.marks.replaceChildren(...rugs, ...bar(low, high, kind));
    plot.describe(`Heat map of the ${kind.toUpperCase()} kernel, from ${short(low)} to ${short(high)}`);
  }

  function paint(values, low, high) {
    const context = canvas.getContext("2d"), size = xs.length, image = context.createImageData(size, size);
    values.forEach((row, i) => row.forEach((value, j) => {
      const [r, g, b] = cividis(high > low ? (value - low) / (high - low) : 0.5);
      image.data.set([r, g, b, 255], 4 * ((size - 1 - i) * size + j));
    }));
    context.putImageData(image, 0, 0);
  }

  // The colours with their values.
  function bar(low, high, kind) {
    const [, right] = plot.across, [bottom, top] = plot.up, steps = 40;
    const scale = linear(high > low ? [low, high] : [low - 1, high + 1], [bottom, top]);
    const cells = Array.from({ length: steps }, (_, i) => {
      const [r, g, b] = cividis((i + 0.5) / steps), height = (bottom - top) / steps;
      return svg("rect", { x: right + 14, width: 13, y: bottom - (i + 1) * height, height: height + 0.5, fill: `rgb(${r} ${g} ${b})` });
    });
    const ticks = scale.ticks(5).map((value) => svg("text", { class: "tick", x: right + 32, y: scale(value) + 4 }, scale.text(value)));
    return [...cells, ...ticks, svg("title", {}, `k of the ${kind.toUpperCase()}`)];
  }

  plot.onresize = () => view.redraw();
  store.watch(["points"], () => view.redraw());
  store.watch([...shape, "kind"], (state) => view.refresh(state));
  return view;
}

const numbers = ({ values }) => ({ columns: ["x \\ x′", ...xs], rows: values.map((row, i) => [xs[i], ...row]) });
