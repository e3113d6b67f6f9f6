// The architecture as JSON: written from the settings, or by hand; a fault is marked where the server's pointer says.

import { architecture } from "./architecture.js";
import { place } from "./pointer.js";
import { shape } from "./state.js";
import { html } from "./svg.js";

const flat = (value) => {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flat).join(", ")}]`;
  return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${flat(part)}`).join(", ")}}`;
};

// JSON with what fits a line on a line.
export function pretty(value, indent = "") {
  const line = flat(value);
  if (value === null || typeof value !== "object" || indent.length + line.length <= 44) return line;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((part) => pretty(part, deeper))
    : Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${pretty(part, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}

export class Editor {
  #text = document.getElementById("architecture");
  #marks = document.getElementById("editor-marks");
  #error = document.getElementById("editor-error");

  constructor(store) {
    this.#text.addEventListener("input", () => {
      try {
        const custom = JSON.parse(this.#text.value);
        if (custom === null || typeof custom !== "object") throw new Error("an object {…} expected");
        this.#show(null);
        store.set({ family: "custom", custom });
      } catch (error) {
        this.#show({ detail: `This is not JSON yet: ${error.message}` });
      }
    });
    this.#text.addEventListener("scroll", () => this.#follow());
    store.watch(shape, (state) => {
      // What is written by hand is not written over.
      if (state.family === "custom" && this.#text.value) return;
      this.#text.value = pretty(architecture(state));
      this.#show(null);
    });
  }

  // A refusal of a request whose architecture stands at `prefix`.
  fault(refusal, prefix) {
    const fault = refusal?.faults.find(({ pointer }) => pointer === prefix || pointer.startsWith(`${prefix}/`));
    if (refusal && !fault) return false;
    if (fault) document.getElementById("editor").open = true;
    this.#show(fault ? { detail: fault.detail, pointer: fault.pointer.slice(prefix.length) } : null);
    return Boolean(fault);
  }

  #show(fault) {
    this.#error.hidden = !fault;
    this.#text.setAttribute("aria-invalid", fault ? "true" : "false");
    if (fault) this.#text.setAttribute("aria-describedby", "editor-error"); else this.#text.removeAttribute("aria-describedby");
    this.#marks.replaceChildren();
    this.#error.replaceChildren();
    if (!fault) return;
    if (fault.pointer === undefined) {
      this.#error.append(fault.detail);
      return;
    }
    const text = this.#text.value, [start, end] = place(text, fault.pointer);
    this.#marks.append(text.slice(0, start), html("mark", {}, text.slice(start, end)), text.slice(end));
    this.#follow();
    const line = text.slice(0, start).split("\n").length;
    const button = html("button", { type: "button", class: "plain" }, `line ${line}`);
    button.addEventListener("click", () => {
      this.#text.focus();
      this.#text.setSelectionRange(start, end);
    });
    this.#error.append(button, html("code", {}, fault.pointer || "/"), ` ${fault.detail}`);
  }

  // The marks lie behind the text and move with it.
  #follow() {
    this.#marks.scrollTop = this.#text.scrollTop;
    this.#marks.scrollLeft = this.#text.scrollLeft;
  }
}
