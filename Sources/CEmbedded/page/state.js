// What the page shows, in one place; whoever shows a part of it is told when it changes.

export const initial = {
  family: "mlp", activation: "relu", expression: "x*tanh(log(1+exp(x)))", depth: 2, w_std: 1.4, b_std: 0.5, custom: null,
  ridge: 1e-3, time: Infinity, dataset: "wave", points: [],
  kind: "ntk", width: 64, trained: false, nngp: true, ntk: true, probe: 0,
};

// Where points may be.
export const limits = { x: [-3, 3], y: [-2.5, 2.5] };

export class Store {
  #listeners = [];

  constructor(state) { this.state = { ...state }; }

  set(changes) {
    const changed = Object.keys(changes).filter((name) => this.state[name] !== changes[name]);
    if (!changed.length) return;
    Object.assign(this.state, changes);
    for (const { names, call } of this.#listeners) if (changed.some((name) => names.includes(name))) call(this.state);
  }

  // Calls now, and whenever one of `names` changes.
  watch(names, call) {
    this.#listeners.push({ names, call });
    call(this.state);
  }
}

// Names of what an architecture is made from.
export const shape = ["family", "activation", "expression", "depth", "w_std", "b_std", "custom"];

export const datasets = {
  wave: [[-2.4, -0.6], [-1.6, -1.1], [-0.7, -0.5], [0.3, 0.6], [1.2, 1.1], [2.2, 0.7]],
  step: [[-2.5, -0.8], [-1.7, -0.8], [-0.9, -0.8], [-0.2, -0.8], [0.2, 0.8], [0.9, 0.8], [1.7, 0.8], [2.5, 0.8]],
  gap: [[-2.6, 0.4], [-2.2, 0.9], [-1.8, 0.6], [1.6, -0.7], [2, -0.2], [2.4, 0.5]],
  noise: [[-2.5, -1.1], [-2, -0.5], [-1.5, -1], [-1, -0.1], [-0.5, -0.5], [0, 0.3], [0.5, -0.2], [1, 0.6], [1.5, 0.2], [2, 1.1], [2.5, 0.7]],
  none: [],
};

let made = 0;
export const point = (x, y) => ({ id: ++made, x, y });
