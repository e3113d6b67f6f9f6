// The reference at /docs, from the server's own description of itself.

import { operation } from "./docs-operation.js";
import { members } from "./docs-schema.js";
import { prose } from "./docs-text.js";
import { keyForm } from "./key.js";
import { html } from "./svg.js";

const reference = document.getElementById("reference");
const contents = document.getElementById("contents");
const filter = document.getElementById("filter");
const found = document.getElementById("found");
// What the filter looks through: {section, link, words}.
const entries = [];

function entry(section, label, id, words) {
  const link = html("a", { href: `#${id}` }, ...label);
  entries.push({ section, link, words: words.toLowerCase() });
  return link;
}

function group(title, id, text, pairs) {
  const links = html("ul", {}, ...pairs.map(([, link]) => html("li", {}, link)));
  contents.append(html("div", { class: "group" }, html("h2", {}, html("a", { href: `#${id}` }, title)), links));
  reference.append(html("section", { class: "group", id }, html("h2", {}, title), ...prose(text), ...pairs.map(([section]) => section)));
}

function build(description) {
  document.getElementById("version").textContent = description.info.version;
  reference.replaceChildren(html("section", { id: "about" }, html("h1", {}, description.info.title), html("p", { class: "summary" }, description.info.summary),
    ...prose(description.info.description), html("p", {}, "The document itself: ", html("a", { href: "/openapi.json" }, "/openapi.json"), ", ", html("a", { href: "/openapi.yaml" }, "/openapi.yaml"), ".")));
  const methods = ["get", "post", "put", "patch", "delete"];
  const all = Object.entries(description.paths).flatMap(([path, item]) => methods.filter((method) => item[method]).map((method) => ({ path, method, node: item[method] })));
  for (const { name, description: text } of description.tags) {
    group(name[0].toUpperCase() + name.slice(1), `tag-${name}`, text, all.filter(({ node }) => node.tags.includes(name)).map(({ path, method, node }) => {
      const section = operation(description, path, method, node);
      const label = [html("span", { class: `method ${method}` }, method.toUpperCase()), " ", path];
      return [section, entry(section, label, node.operationId, `${method} ${path} ${node.operationId} ${node.summary} ${node.description ?? ""}`)];
    }));
  }
  group("Schemas", "schemas", "The types of requests and answers.", Object.entries(description.components.schemas).map(([name, schema]) => {
    const id = `schema-${name}`;
    const section = html("section", { class: "schema", id }, html("h3", {}, name, " ", html("a", { class: "anchor", href: `#${id}`, "aria-label": `Link to ${name}` }, "#")),
      ...prose(schema.description), ...members(schema));
    return [section, entry(section, [name], id, `${name} ${schema.description ?? ""} ${schema.properties?.type?.const ?? ""}`)];
  }));
}

function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { section, link, words: text } of entries) {
    const fits = words.every((word) => text.includes(word));
    section.hidden = link.parentElement.hidden = !fits;
    count += fits;
  }
  for (const box of document.querySelectorAll(".group")) box.hidden = words.length > 0 && !box.querySelector("section:not([hidden]), li:not([hidden])");
  document.getElementById("about").hidden = words.length > 0;
  found.textContent = words.length ? `${count} of ${entries.length}` : "";
}

// A deep link works although what it points to has just been made, or is filtered out.
function go() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) {
    filter.value = "";
    narrow();
  }
  target.scrollIntoView();
}

filter.addEventListener("input", () => {
  narrow();
  scrollTo(0, 0);
});
addEventListener("hashchange", go);
keyForm(() => {});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  filter.focus();
});

try {
  build(await (await fetch("/openapi.json")).json());
  go();
} catch (error) {
  reference.replaceChildren(html("p", { class: "error", role: "alert" }, `The description of the interface could not be read: ${error.message}`));
}
