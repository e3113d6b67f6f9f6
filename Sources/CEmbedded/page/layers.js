// The layers that the server has, by GET /v1/layers.

// Without an answer those that the page begins with.
const few = [
  { type: "relu", group: "activation", fields: [] },
  { type: "dense", group: "linear", fields: [{ name: "parameterization", required: false }] },
];

async function listed() {
  try {
    const response = await fetch("/v1/layers");
    return response.ok ? (await response.json()).layers : few;
  } catch {
    return few;
  }
}

const layers = await listed();
const isComplete = ({ fields }) => fields.every(({ required }) => !required);

// Activations that a name says, without parameters.
export const activations = layers.filter((layer) => layer.group === "activation" && isComplete(layer)).map(({ type }) => type);

// Layers whose weights have a width and a parameterization.
export const weighted = new Set(
  layers.filter(({ group, fields }) => group === "linear" && fields.some(({ name }) => name === "parameterization")).map(({ type }) => type));
