// A plot that fills its place: margins, axes, and layers to draw on. It is drawn anew when its place changes.

import { svg } from "./svg.js";

export class Plot {
  margin = { top: 10, right: 12, bottom: 42, left: 50 };

  constructor(host, { label, xLabel, yLabel, role = "img" }) {
    this.host = host;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.frame = svg("g", { "aria-hidden": "true" });
    this.marks = svg("g");
    this.over = svg("g");
    this.root = svg("svg", { role, "aria-label": label }, this.frame, this.marks, this.over);
    host.append(this.root);
    this.resize();
    new ResizeObserver(() => {
      if (this.resize()) this.onresize?.();
    }).observe(host);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === this.width && height === this.height) return false;
    this.width = width;
    this.height = height;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return width > 0;
  }

  get across() { return [this.margin.left, this.width - this.margin.right]; }
  get up() { return [this.height - this.margin.bottom, this.margin.top]; }

  describe(text) { this.root.setAttribute("aria-label", text); }

  // Nothing drawn yet, and why.
  clear(text) {
    this.frame.replaceChildren();
    this.marks.replaceChildren();
    this.describe(text);
  }

  // Grid, ticks and labels of two scales.
  axes(x, y) {
    const [left, right] = this.across, [bottom, top] = this.up;
    const parts = [];
    for (const tick of x.ticks(Math.max(3, Math.round((right - left) / 90)))) {
      const at = x(tick);
      parts.push(svg("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }));
      parts.push(svg("text", { class: "tick", x: at, y: bottom + 17, "text-anchor": "middle" }, x.text(tick)));
    }
    for (const tick of y.ticks(Math.max(3, Math.round((bottom - top) / 55)))) {
      const at = y(tick);
      parts.push(svg("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }));
      parts.push(svg("text", { class: "tick", x: left - 7, y: at + 4, "text-anchor": "end" }, y.text(tick)));
    }
    parts.push(svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
    parts.push(svg("text", { class: "axis-label", x: (left + right) / 2, y: this.height - 5, "text-anchor": "middle" }, this.xLabel));
    const middle = (top + bottom) / 2;
    parts.push(svg("text", { class: "axis-label", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, this.yLabel));
    this.frame.replaceChildren(...parts);
  }

  // Clips what is drawn to the frame: for curves that may leave it.
  clip(name) {
    const [left, right] = this.across, [bottom, top] = this.up;
    const area = svg("clipPath", { id: name }, svg("rect", { x: left, y: top, width: Math.max(0, right - left), height: bottom - top }));
    this.marks.setAttribute("clip-path", `url(#${name})`);
    return area;
  }
}
