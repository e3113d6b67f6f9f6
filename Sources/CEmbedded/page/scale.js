// From numbers to pixels and back, with ticks at round numbers.

export function linear([low, high], [start, end]) {
  const scale = (value) => start + (value - low) / (high - low) * (end - start);
  scale.invert = (pixel) => low + (pixel - start) / (end - start) * (high - low);
  scale.domain = [low, high];
  scale.range = [start, end];
  scale.ticks = (count) => {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.75);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
    return ticks.map((value) => Math.abs(value) < step * 1e-9 ? 0 : Number(value.toPrecision(12)));
  };
  scale.text = short;
  return scale;
}

export function log([low, high], range) {
  const inner = linear([Math.log10(low), Math.log10(high)], range);
  const scale = (value) => inner(Math.log10(value));
  scale.invert = (pixel) => 10 ** inner.invert(pixel);
  scale.domain = [low, high];
  scale.range = range;
  scale.ticks = (count) => {
    const [from, to] = inner.domain, step = Math.max(1, Math.ceil((to - from) / count));
    const ticks = [];
    for (let k = Math.ceil(from - 1e-9); k <= to + 1e-9; k += step) ticks.push(10 ** k);
    if (ticks.length > 1) return ticks.map((value) => Number(value.toPrecision(12)));
    const fine = [1, 2, 3, 5, 7].flatMap((m) => [m * 10 ** Math.floor(from), m * 10 ** Math.ceil(from)]);
    return [...new Set(fine)].filter((value) => value >= low && value <= high).sort((a, b) => a - b);
  };
  scale.text = short;
  return scale;
}

const superscripts = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

// A number in a few digits, with a true minus sign and a power of ten where one is needed.
export function short(value, digits = 3) {
  if (value === null || value === undefined) return "none";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e4 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = `10${[...String(Number(exponent))].map((c) => superscripts[c]).join("")}`;
    const factor = String(Number(mantissa)).replace("-", "−");
    return factor === "1" ? power : factor === "−1" ? `−${power}` : `${factor}·${power}`;
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

// A range somewhat wider than that of the values.
export function around(values, margin = 0.06) {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite), high = Math.max(...finite);
  const room = (high - low || Math.abs(high) || 1) * margin;
  return [low - room, high + room];
}

// A range on a logarithmic axis somewhat wider than that of the values above 0.
export function aroundLog(values) {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (!positive.length) return [0.1, 10];
  return [Math.min(...positive) / 1.6, Math.max(...positive) * 1.6];
}

// `count` numbers from `low` to `high`, in few digits, so that a command with them stays readable.
export const grid = (low, high, count) =>
  Array.from({ length: count }, (_, i) => Number((low + (high - low) * i / (count - 1)).toFixed(4)));
