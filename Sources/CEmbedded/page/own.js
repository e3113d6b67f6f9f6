// A network from an ONNX file and points from .npy files: its exact tangent kernel, the kernel's spectrum, and what each parameter adds to it.

import { post, Refusal } from "./api.js";
import { Plot } from "./axes.js";
import { cividis } from "./colours.js";
import { copy, fileCommand, recorded } from "./curl.js";
import { aroundLog, linear, log, short } from "./scale.js";
import { html, svg } from "./svg.js";

// Parameters that have a bar of their own.
const most = 14;

export function own() {
  const section = document.getElementById("own"), plots = document.getElementById("own-plots");
  const [facts, error, commands] = ["own-facts", "own-error", "own-commands"].map((id) => document.getElementById(id));
  const fields = { network: document.getElementById("own-network"), points: document.getElementById("own-points") };
  const files = { network: null, points: [] };
  let running, data, parts;

  function take(list) {
    for (const file of list) if (file.name.endsWith(".onnx")) files.network = file;
    const points = [...list].filter((file) => file.name.endsWith(".npy"));
    if (points.length) files.points = points;
    document.getElementById("own-network-name").textContent = files.network?.name ?? "none";
    document.getElementById("own-points-name").textContent = files.points.map((file) => file.name).join(", ") || "none";
    if (!files.network || !files.points.length) {
      facts.textContent = files.network ? "Now the points, as a .npy file for each input." : "Now the network, as an .onnx file.";
      return;
    }
    compute();
  }

  for (const field of Object.values(fields)) field.addEventListener("change", () => take(field.files));
  const drop = document.getElementById("own-drop");
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
  });
  drop.addEventListener("drop", (event) => take(event.dataTransfer.files));
  document.getElementById("own-copy").addEventListener("click", (event) => copy(commands.textContent, event.target));

  async function compute() {
    running?.abort();
    const controller = running = new AbortController(), { signal } = controller;
    const requests = [];
    // Each part is a file, or JSON.
    const send = (path, parts, note) => {
      const form = new FormData();
      for (const [name, value] of parts) form.append(name, value instanceof File ? value : new Blob([value], { type: "application/json" }));
      requests.push({ note, line: fileCommand(path, parts) });
      return post(path, form, signal);
    };
    section.setAttribute("aria-busy", "true");
    error.hidden = true;
    facts.textContent = "Reading the network …";
    try {
      const network = await send("/v1/networks", [["network.onnx", files.network]], "What the network is");
      facts.textContent = "Computing its kernel …";
      const request = JSON.stringify({ network: network.id, outputs: "mean", layerwise: true });
      const kernel = await send("/v1/empirical-kernels", [["request", request], ...points(network)], "Its kernel, and the share of each parameter");
      const text = JSON.stringify({ kernel: { matrices: { train_train: kernel.ntk } } });
      const spectrum = await post("/v1/spectra", text, signal);
      data = { network, kernel, spectrum };
      plots.hidden = false;
      draw();
    } catch (failure) {
      if (signal.aborted) return;
      if (!(failure instanceof Refusal)) throw failure;
      error.textContent = failure.message;
      error.hidden = false;
      facts.textContent = "";
    } finally {
      if (running === controller) section.removeAttribute("aria-busy");
    }
    commands.textContent = recorded(requests);
  }

  // A file for each input: by its name, or in the order of the inputs.
  function points({ inputs }) {
    const names = inputs.map(({ name }) => name);
    const rest = files.points.filter((file) => !names.some((name) => belongs(file, name)));
    return names.flatMap((name) => {
      const file = files.points.find((each) => belongs(each, name)) ?? rest.shift();
      return file ? [[names.length === 1 ? "x1" : `x1.${name}`, file]] : [];
    });
  }

  function draw() {
    if (!data) return;
    parts ??= { kernel: heat("own-kernel"), spectrum: stems("own-spectrum"), shares: bars("own-shares") };
    const { network, kernel, spectrum } = data;
    const fact = (name, value) => html("span", {}, `${name} `, html("b", {}, value));
    facts.replaceChildren(
      fact("parameters", network.parameter_count.toLocaleString("en")), fact("points", String(kernel.shape[0])),
      fact("condition", short(spectrum.condition_number)), fact("effective dimension", short(spectrum.effective_dimension)));
    for (const part of Object.values(parts)) part(data);
  }

  new ResizeObserver(() => draw()).observe(plots);
}

const belongs = (file, name) => file.name === `${name}.npy` || file.name.endsWith(`.${name}.npy`);

const trace = (matrix) => matrix.reduce((sum, row, i) => sum + row[i], 0);

function heat(id) {
  const place = document.getElementById(id), canvas = html("canvas", { "aria-hidden": "true" });
  place.append(canvas);
  const plot = new Plot(place, { label: "The kernel as a heat map", xLabel: "point", yLabel: "point" });
  return ({ kernel: { ntk } }) => {
    const n = ntk.length, all = ntk.flat(), low = Math.min(...all), high = Math.max(...all);
    Object.assign(canvas, { width: n, height: n });
    const image = canvas.getContext("2d").createImageData(n, n);
    ntk.forEach((row, i) => row.forEach((value, j) => {
      image.data.set([...cividis(high > low ? (value - low) / (high - low) : 0.5), 255], 4 * (i * n + j));
    }));
    canvas.getContext("2d").putImageData(image, 0, 0);
    plot.resize();
    const side = Math.min(plot.width - plot.margin.left - 12, plot.height - plot.margin.top - plot.margin.bottom);
    plot.margin.right = plot.width - plot.margin.left - side;
    const x = linear([-0.5, n - 0.5], plot.across), y = linear([n - 0.5, -0.5], plot.up);
    const [left, right] = plot.across, [bottom, top] = plot.up;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    x.ticks = y.ticks = () => Array.from({ length: n }, (_, i) => i).filter((i) => i % Math.ceil(n / 8) === 0);
    plot.axes(x, y);
    plot.frame.querySelectorAll(".grid").forEach((line) => line.remove());
    plot.describe(`Heat map of the kernel of ${n} points, from ${short(low)} to ${short(high)}`);
  };
}

function stems(id) {
  const plot = new Plot(document.getElementById(id), { label: "Eigenvalues", xLabel: "mode", yLabel: "eigenvalue" });
  plot.margin.left = 58;
  return ({ spectrum: { eigenvalues } }) => {
    plot.resize();
    const n = eigenvalues.length, floor = eigenvalues[0] * 1e-16;
    const x = linear([0.4, n + 0.6], plot.across), y = log(aroundLog(eigenvalues.filter((value) => value > floor)), plot.up);
    x.ticks = () => Array.from({ length: n }, (_, i) => i + 1).filter((i) => (i - 1) % Math.ceil(n / 8) === 0);
    plot.axes(x, y);
    plot.marks.replaceChildren(...eigenvalues.flatMap((value, i) => value <= floor ? [] : [
      svg("line", { class: "mark stem ntk", x1: x(i + 1), x2: x(i + 1), y1: plot.up[0], y2: y(value) }),
      svg("circle", { class: "mark ntk", cx: x(i + 1), cy: y(value), r: 4 }),
    ]));
    plot.describe(`${n} eigenvalues from ${short(eigenvalues[0])} down to ${short(eigenvalues.at(-1))}`);
  };
}

// The trace of each parameter's share, of the whole: the largest ones, and the others together.
function bars(id) {
  const list = document.getElementById(id);
  return ({ kernel: { ntk, layerwise, algorithms } }) => {
    const whole = trace(ntk);
    const all = Object.entries(layerwise).map(([name, share]) => ({ name, part: whole > 0 ? trace(share) / whole : 0 })).sort((a, b) => b.part - a.part);
    const rest = all.slice(most);
    if (rest.length) all.splice(most, rest.length, { name: `${rest.length} more`, part: rest.reduce((sum, { part }) => sum + part, 0) });
    list.replaceChildren(...all.map(({ name, part }) => {
      const bar = html("span", { class: "share-bar", "aria-hidden": "true" });
      bar.style.setProperty("--part", Math.max(part, 0));
      return html("li", { title: algorithms[name] ?? "" }, html("span", { class: "share-name" }, name), bar, html("b", {}, `${(100 * part).toFixed(1)} %`));
    }));
  };
}
