// One operation: what it does, what it takes, its examples as commands, and a way to try it here.

import { send as ask } from "./api.js";
import { command, copy } from "./curl.js";
import { members, nameOf, type } from "./docs-schema.js";
import { phrase, prose } from "./docs-text.js";
import { html } from "./svg.js";

export function operation(document, path, method, node) {
  const resolve = (part) => (part?.$ref ? part.$ref.split("/").slice(1).reduce((at, key) => at[key], document) : part);
  const id = node.operationId;
  const section = html("section", { class: "operation", id, "aria-labelledby": `${id}-title` },
    html("h3", { id: `${id}-title` }, html("span", { class: `method ${method}` }, method.toUpperCase()), " ", html("code", {}, path),
      " ", html("a", { class: "anchor", href: `#${id}`, "aria-label": `Link to ${node.summary}` }, "#")),
    html("p", { class: "summary" }, node.summary), ...prose(node.description));

  const parameters = [...(document.paths[path].parameters ?? []), ...(node.parameters ?? [])].map(resolve);
  if (parameters.length) {
    section.append(html("h4", {}, "Parameters"), html("dl", { class: "members" }, ...parameters.flatMap((each) => [
      html("dt", {}, html("code", {}, each.name), ` in ${each.in} `, html("span", { class: "type" }, ...type(each.schema))),
      html("dd", {}, html("p", {}, ...phrase(each.description))),
    ])));
  }

  const content = Object.entries(resolve(node.requestBody)?.content ?? {});
  for (const [mediaType, { schema }] of content) {
    section.append(html("h4", {}, `Request, ${mediaType}`), ...shape(schema));
  }

  section.append(html("h4", {}, "Answers"), html("dl", { class: "members" }, ...Object.entries(node.responses).flatMap(([status, response]) => {
    const answer = resolve(response), forms = Object.entries(answer.content ?? {});
    return [
      html("dt", {}, html("code", {}, status), " ", ...forms.flatMap(([mediaType, { schema }]) => [html("span", { class: "type" }, `${mediaType}: `, ...type(schema))])),
      html("dd", {}, html("p", {}, ...phrase(answer.description))),
    ];
  })));

  if (method === "get" || content.some(([mediaType]) => mediaType === "application/json")) section.append(...tryout(path, method, node, resolve));
  return section;

  function shape(schema) {
    if (!schema?.$ref) return members(schema ?? {});
    const full = resolve(schema);
    return [html("details", { open: "" }, html("summary", {}, nameOf(schema.$ref)), ...prose(full.description), ...members(full))];
  }
}

function tryout(path, method, node, resolve) {
  const examples = Object.entries(resolve(node.requestBody)?.content?.["application/json"]?.examples ?? {});
  const answers = Object.assign({}, ...Object.values(node.responses).flatMap((response) => Object.values(resolve(response).content ?? {}).map((form) => form.examples ?? {})));
  const id = node.operationId;
  const select = html("select", { id: `${id}-example`, "aria-label": "Example" }, ...examples.map(([key, { summary }]) => html("option", { value: key }, summary ?? key)));
  const body = html("textarea", { rows: "8", spellcheck: "false", "aria-label": "Request body", id: `${id}-body` });
  const target = html("input", { type: "text", value: path, spellcheck: "false", "aria-label": "Path", id: `${id}-path` });
  const code = html("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Command" });
  const button = html("button", { type: "button", class: "copy" }, "Copy");
  const send = html("button", { type: "button", class: "send" }, "Send");
  const status = html("p", { class: "quiet", role: "status" });
  const answer = html("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Answer" });

  const show = () => {
    code.textContent = method === "post" ? command(target.value, body.value) : `curl -s ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${location.origin}${target.value}`;
  };
  const choose = () => {
    const example = examples.find(([key]) => key === select.value)?.[1];
    if (example) body.value = compact(example.value);
    const expected = answers[select.value]?.value;
    answer.textContent = expected === undefined ? "" : compact(expected);
    status.textContent = expected === undefined ? "" : "The answer, as documented:";
    show();
  };
  select.addEventListener("change", choose);
  body.addEventListener("input", show);
  target.addEventListener("input", show);
  button.addEventListener("click", () => copy(code.textContent, button));
  send.addEventListener("click", async () => {
    status.textContent = "…";
    try {
      const response = await ask(method.toUpperCase(), target.value, method === "post" ? body.value : undefined);
      answer.textContent = await response.text();
      status.textContent = `${response.status} ${response.statusText}; ${response.headers.get("Server-Timing") ?? ""}`;
    } catch (error) {
      status.textContent = error.message;
    }
  });
  choose();
  return [html("h4", {}, "Try it"), html("div", { class: "try" }, ...(path.includes("{") ? [target] : []), ...(examples.length > 1 ? [select] : []),
    ...(method === "post" ? [body] : []), html("div", { class: "command" }, button, code), html("p", {}, send), status, answer)];
}

// JSON with one member a line at the top, and the rest of it in that line.
function compact(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value);
  return `{\n${Object.entries(value).map(([name, part]) => `  ${JSON.stringify(name)}: ${JSON.stringify(part)}`).join(",\n")}\n}`;
}
