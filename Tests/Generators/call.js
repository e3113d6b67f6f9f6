// Calls a server with a client that openapi-generator made in TypeScript: call.js DIRECTORY-OF-THE-COMPILED-CLIENT URL
const [directory, url] = process.argv.slice(2);
const { Configuration, KernelsApi } = require(`${directory}/index.js`);

async function main() {
  const kernelRequest = {
    architecture: { type: "mlp", depth: 1, activation: "erf", bStd: 0.1 },
    x1: [[1, 0.5], [2, 3]],
    kinds: ["ntk", "nngp"],
  };
  const answer = await new KernelsApi(new Configuration({ basePath: url })).computeKernels({ kernelRequest });
  const plain = await fetch(`${url}/v1/kernels`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...kernelRequest, architecture: { type: "mlp", depth: 1, activation: "erf", b_std: 0.1 } }),
  });
  const expected = await plain.json();
  for (const kind of ["ntk", "nngp"]) {
    if (JSON.stringify(answer[kind]) !== JSON.stringify(expected[kind])) throw new Error(`${JSON.stringify(answer)} in place of ${JSON.stringify(expected)}`);
  }
  console.log("TypeScript: the kernel is that of a plain request");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
