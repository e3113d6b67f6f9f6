// cividis (Nuñez, Anderton, Renslow 2018): even in lightness, and the same for red-green colour blindness.

const stops = [
  [0, 32, 77], [0, 48, 111], [60, 67, 109], [87, 86, 109], [109, 105, 112], [130, 125, 120], [154, 145, 120], [179, 167, 113], [205, 189, 102], [231, 212, 84], [255, 234, 70],
];

// [red, green, blue] of a number from 0 to 1.
export function cividis(t) {
  const place = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  return stops[i].map((from, c) => Math.round(from + (stops[i + 1][c] - from) * (place - i)));
}
