// The state in the page's address, so that a picture can be passed on. What an address says is checked as anything from outside.

import { activations } from "./layers.js";
import { datasets, initial, limits, point } from "./state.js";

const within = (low, high, whole = false) => (text) => {
  const value = Number(text);
  return text !== "" && value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
};
const among = (...names) => (text) => (names.includes(text) ? text : undefined);
const flag = (text) => ({ true: true, false: false })[text];

function points(text) {
  const pairs = text.split(";").filter(Boolean).map((pair) => pair.split(","));
  const x = within(...limits.x), y = within(...limits.y);
  const read = pairs.slice(0, 200).map(([a = "", b = ""]) => [x(a), y(b)]);
  return read.every(([a, b]) => a !== undefined && b !== undefined) ? read.map(([a, b]) => point(a, b)) : undefined;
}

function custom(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

const readers = {
  family: among("mlp", "residual", "custom"), custom, activation: among(...activations, "elementwise"), expression: (text) => text.slice(0, 1000),
  depth: within(1, 12, true), w_std: within(0.5, 3), b_std: within(0, 1.5), ridge: within(1e-6, 1), time: within(0.01, 1e5),
  dataset: among(...Object.keys(datasets), "own"), points, kind: among("ntk", "nngp"), width: among("8", "16", "32", "64", "128", "256", "512"),
  trained: flag, nngp: flag, ntk: flag,
};

export function read(hash) {
  const state = {};
  for (const [name, text] of new URLSearchParams(hash.slice(1))) {
    const value = Object.hasOwn(readers, name) ? readers[name](text) : undefined;
    if (value !== undefined) state[name] = name === "width" ? Number(value) : value;
  }
  // Each needs the other.
  if (state.family === "custom" && !state.custom) delete state.family;
  if (state.points) state.dataset = "own"; else if (state.dataset === "own") delete state.dataset;
  return state;
}

function written(state) {
  const parameters = new URLSearchParams();
  for (const name of Object.keys(readers)) {
    const value = state[name];
    if (value === initial[name] || (name === "custom" && state.family !== "custom") || (name === "points" && state.dataset !== "own")) continue;
    parameters.set(name, name === "points" ? value.map(({ x, y }) => `${x},${y}`).join(";") : name === "custom" ? JSON.stringify(value) : value);
  }
  return parameters.toString();
}

// Keeps the address true.
export function keep(store) {
  let timer;
  let first = true;
  store.watch(Object.keys(readers), (state) => {
    clearTimeout(timer);
    if (first) { first = false; return; }
    timer = setTimeout(() => history.replaceState(null, "", `#${written(state)}`), 400);
  });
}
