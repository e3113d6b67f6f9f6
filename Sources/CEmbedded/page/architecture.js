// Architectures as the server reads them, from the settings, and the same of finite width.

import { weighted } from "./layers.js";

const round = (value) => Number(value.toFixed(4));

function activation({ activation, expression }) {
  return activation === "elementwise" ? { type: "elementwise", expression } : activation;
}

const layer = (activation) => typeof activation === "string" ? { type: activation } : activation;

export function architecture(state) {
  if (state.family === "custom") return state.custom;
  const w_std = round(state.w_std), b_std = round(state.b_std);
  if (state.family === "mlp") return { type: "mlp", depth: state.depth, activation: activation(state), w_std, b_std };
  const dense = { type: "dense", w_std, b_std };
  const block = { type: "residual", layers: [dense, layer(activation(state)), dense] };
  return { type: "serial", layers: [dense, { type: "repeat", layer: block, count: state.depth }, { type: "dense" }] };
}

// `value` with every layer of weights that wide, its parameters as in the infinite limit ("ntk").
function widened(value, width) {
  if (Array.isArray(value)) return value.map((part) => widened(part, width));
  if (value === null || typeof value !== "object") return value;
  const parts = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, widened(part, width)]));
  return weighted.has(parts.type) ? { ...parts, width, parameterization: "ntk" } : parts;
}

// The shorthand, layer by layer.
function written({ depth, activation = "relu", last_w_std, outputs, type, ...dense }) {
  const hidden = Array.from({ length: depth }, () => [{ type: "dense", ...dense }, layer(activation)]).flat();
  const readout = last_w_std === undefined ? { ...dense } : { ...dense, w_std: last_w_std };
  return { type: "serial", layers: [...hidden, { type: "dense", ...readout }] };
}

// The network of that width, with one output.
export function finite(architecture, width) {
  const network = widened(architecture.type === "mlp" ? written(architecture) : architecture, width);
  const last = network.type === "serial" ? network.layers?.at(-1) : network;
  if (weighted.has(last?.type)) last.width = 1;
  return network;
}
