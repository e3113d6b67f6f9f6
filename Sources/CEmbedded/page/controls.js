// The settings: each a field of the state, both ways.

import { architecture } from "./architecture.js";
import { activations } from "./layers.js";
import { short } from "./scale.js";
import { datasets, point } from "./state.js";
import { html } from "./svg.js";
import { times } from "./training.js";

const id = (name) => document.getElementById(name);

// A slider's place, and what it stands for. The time's last place is the end of training.
const sliders = {
  depth: { read: Number, place: (value) => value, text: String },
  w_std: { read: Number, place: (value) => value, text: (value) => value.toFixed(2) },
  b_std: { read: Number, place: (value) => value, text: (value) => value.toFixed(2) },
  ridge: { read: (place) => Number((10 ** Number(place)).toPrecision(3)), place: Math.log10, text: short },
  time: {
    read: (place) => times[Math.round((Number(place) + 2) * 4)] ?? Infinity,
    place: (value) => value === Infinity ? 5.25 : times.indexOf(value) / 4 - 2,
    text: short,
  },
  width: { read: (place) => 2 ** Number(place), place: Math.log2, text: String },
  probe: { read: (place) => Number(Number(place).toFixed(4)), place: (value) => value, text: null },
};

export function controls(store, points) {
  for (const [name, { read, place, text }] of Object.entries(sliders)) {
    const input = id(name), output = text && document.querySelector(`output[for="${name}"]`);
    input.addEventListener("input", () => store.set({ [name]: read(input.value) }));
    store.watch([name], (state) => {
      input.value = place(state[name]);
      if (!text) return;
      output.textContent = text(state[name]);
      input.setAttribute("aria-valuetext", state[name] === Infinity ? "to convergence" : text(state[name]));
    });
  }
  choices(store);
  data(store, points);
}

function choices(store) {
  const activation = id("activation");
  activation.append(...[...activations, "elementwise"].map((name) => html("option", { value: name }, name === "elementwise" ? "your own function…" : name)));
  for (const name of ["activation", "expression", "dataset"]) {
    id(name).addEventListener("input", (event) => store.set({ [name]: event.target.value }));
    store.watch([name], (state) => { if (id(name).value !== state[name]) id(name).value = state[name]; });
  }
  id("family").addEventListener("input", ({ target: { value: family } }) => {
    // One's own begins with what is there.
    store.set(family === "custom" ? { custom: architecture(store.state), family } : { family });
    if (family === "custom") id("editor").open = true;
  });
  store.watch(["family", "activation"], (state) => {
    id("family").value = state.family;
    id("shape").disabled = state.family === "custom";
    id("expression-field").hidden = state.activation !== "elementwise";
  });
  for (const name of ["nngp", "ntk"]) {
    const box = id(`show-${name}`);
    box.addEventListener("input", () => store.set({ [name]: box.checked }));
    store.watch([name], (state) => { box.checked = state[name]; });
  }
  for (const [name, value] of [["kind", (state) => state.kind], ["trained", (state) => state.trained ? "yes" : "no"]]) {
    for (const radio of document.querySelectorAll(`input[name="${name}"]`)) {
      radio.addEventListener("input", () => store.set({ [name]: name === "trained" ? radio.value === "yes" : radio.value }));
      store.watch([name], (state) => { radio.checked = radio.value === value(state); });
    }
  }
  store.watch(["time"], ({ time }) => {
    id("ntk-name").textContent = time === Infinity ? "NTK ensemble" : `NTK ensemble at t = ${short(time)}`;
    id("time-note").textContent = time === Infinity
      ? "Trained to convergence; the ridge regularizes instead of early stopping."
      : "Gradient flow until time t on the mean squared error, without a ridge; the NNGP posterior has the ridge.";
  });
}

function data(store, points) {
  store.watch(["dataset"], ({ dataset }) => {
    if (datasets[dataset]) store.set({ points: datasets[dataset].map(([x, y]) => point(x, y)) });
  });
  id("add").addEventListener("click", () => points.add(store.state.probe, 0));
  id("remove").addEventListener("click", () => points.removeChosen());
  store.watch(["points"], (state) => { id("remove").disabled = !state.points.length; });
}
