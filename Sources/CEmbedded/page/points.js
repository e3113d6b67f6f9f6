// Training points that are dragged, and moved by the keyboard.

import { svg } from "./svg.js";
import { short } from "./scale.js";
import { limits, point } from "./state.js";

const held = (value, [low, high]) => Number(Math.min(high, Math.max(low, value)).toFixed(2));
const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Points {
  #store; #plot; #scales; #say; #last = { time: 0 }; #drawn = new Map();

  constructor(store, plot, say) {
    this.#store = store;
    this.#plot = plot;
    this.#say = say;
    this.layer = svg("g", { role: "group", "aria-label": "Training points" });
    plot.over.append(this.layer);
  }

  // Elements stay with their points, so that focus and drags do.
  draw(points, scales) {
    this.#scales = scales;
    for (const [id, element] of this.#drawn) if (!points.some((each) => each.id === id)) { element.remove(); this.#drawn.delete(id); }
    points.forEach((each, index) => {
      let element = this.#drawn.get(each.id);
      if (!element) {
        element = this.#element(each.id);
        this.#drawn.set(each.id, element);
        this.layer.append(element);
      }
      element.setAttribute("transform", `translate(${scales.x(each.x).toFixed(1)} ${scales.y(each.y).toFixed(1)})`);
      element.setAttribute("aria-label", `Training point ${index + 1} of ${points.length}`);
      element.setAttribute("aria-valuenow", each.y);
      element.setAttribute("aria-valuetext", `x ${each.x}, y ${each.y}`);
    });
  }

  add(x, y) {
    const made = point(held(x, limits.x), held(y, limits.y));
    this.#set([...this.#points, made]);
    this.#say(`Point added at x ${short(made.x)}, y ${short(made.y)}.`);
    this.#drawn.get(made.id)?.focus({ preventScroll: true });
  }

  // The point that was touched last, else the last of all.
  removeChosen() {
    const chosen = this.#points.find((each) => each.id === this.chosen) ?? this.#points.at(-1);
    if (chosen) this.#remove(chosen.id);
  }

  // What a click in the plot means.
  clicked(event) {
    const box = this.#plot.root.getBoundingClientRect();
    this.add(this.#scales.x.invert(event.clientX - box.left), this.#scales.y.invert(event.clientY - box.top));
    this.#last = { time: 0 };
  }

  get #points() { return this.#store.state.points; }

  #set(points) { this.#store.set({ points, dataset: "own" }); }

  #move(id, x, y) {
    this.#set(this.#points.map((each) => each.id === id ? { id, x: held(x, limits.x), y: held(y, limits.y) } : each));
  }

  #remove(id) {
    const index = this.#points.findIndex((each) => each.id === id);
    const had = document.activeElement === this.#drawn.get(id);
    this.#set(this.#points.filter((each) => each.id !== id));
    this.#say(`Point removed; ${this.#points.length} left.`);
    const next = this.#points[Math.min(index, this.#points.length - 1)];
    if (had) (next ? this.#drawn.get(next.id) : document.getElementById("add")).focus({ preventScroll: true });
  }

  #element(id) {
    const element = svg("g", {
      class: "point", tabindex: "0", role: "slider", "aria-valuemin": limits.y[0], "aria-valuemax": limits.y[1], "aria-orientation": "vertical",
      "aria-keyshortcuts": "Delete",
    }, svg("circle", { class: "halo", r: 16 }), svg("circle", { class: "dot", r: 6.5 }), svg("circle", { class: "ring", r: 11 }));
    let grip;
    element.addEventListener("focus", () => { this.chosen = id; });
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      element.focus({ preventScroll: true });
      // A second press at once, on the same point, removes it.
      if (this.#last.id === id && event.timeStamp - this.#last.time < 350) { this.#remove(id); return; }
      this.#last = { id, time: event.timeStamp };
      const { x, y } = this.#points.find((each) => each.id === id);
      grip = { x: this.#scales.x(x) - event.clientX, y: this.#scales.y(y) - event.clientY, from: [event.clientX, event.clientY] };
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
      if (!grip) return;
      if (Math.hypot(event.clientX - grip.from[0], event.clientY - grip.from[1]) > 3) this.#last = { time: 0 };
      this.#move(id, this.#scales.x.invert(event.clientX + grip.x), this.#scales.y.invert(event.clientY + grip.y));
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => { grip = undefined; });
    element.addEventListener("click", (event) => event.stopPropagation());
    element.addEventListener("keydown", (event) => this.#key(event, id));
    return element;
  }

  #key(event, id) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.#remove(id);
    } else if (moves[event.key]) {
      event.preventDefault();
      const [dx, dy] = moves[event.key], step = event.shiftKey ? 0.5 : 0.05;
      const { x, y } = this.#points.find((each) => each.id === id);
      this.#move(id, x + dx * step, y + dy * step);
    }
  }
}
