// Elements, of HTML and of SVG, without strings of markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const svg = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

export const html = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

// The path through points of the plane; a gap where one is not finite.
export function path(points) {
  let pen = "M", text = "";
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) { pen = "M"; continue; }
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return text;
}

// The outline of what lies between two curves over the same x.
export const area = (upper, lower) => `${path(upper)}${path([...lower].reverse()).replace("M", "L")}Z`;
