// The layers that the server has, by GET /v1/layers.

async function listed() {
  try {
    return (await (await fetch("/v1/layers")).json()).layers;
  } catch {
    // The views tell that the server does not answer.
    return [];
  }
}

const layers = await listed();
const isComplete = ({ fields }) => fields.every(({ required }) => !required);

// Activations that a name says, without parameters.
export const activations = layers.filter((layer) => layer.group === "activation" && isComplete(layer)).map(({ type }) => type);

// Layers whose weights have a width and a parameterization.
export const weighted = new Set(
  layers.filter(({ group, fields }) => group === "linear" && fields.some(({ name }) => name === "parameterization")).map(({ type }) => type));
