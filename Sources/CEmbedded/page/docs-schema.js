// JSON Schemas as text and lists; a reference is a link to where the schema stands.

import { phrase } from "./docs-text.js";
import { html } from "./svg.js";

export const nameOf = (reference) => reference.split("/").at(-1);

const link = (reference) => html("a", { href: `#schema-${nameOf(reference)}` }, nameOf(reference));
const literal = (value) => html("code", {}, JSON.stringify(value));
const between = (parts, word) => parts.flatMap((part, i) => (i ? [word, ...part] : part));

// What a schema allows, in a line.
export function type(schema) {
  if (schema === true || schema === undefined) return ["anything"];
  if (schema.$ref) return [link(schema.$ref)];
  if ("const" in schema) return [literal(schema.const)];
  if (schema.enum) return between(schema.enum.map((value) => [literal(value)]), " | ");
  for (const word of ["oneOf", "anyOf"]) {
    // Where the ways differ in what must be there only, the line tells the rest.
    if (schema[word] && !schema.properties) return between(schema[word].map(type), " or ");
  }
  if (schema.allOf && !schema.type) return between(schema.allOf.map(type), " and ");
  const types = [schema.type ?? (schema.properties ? "object" : "anything")].flat();
  return between(types.map((name) => (name === "array" && schema.items ? ["array of ", ...type(schema.items)] : [name])), " or ");
}

const limits = {
  minimum: (value) => `≥ ${value}`, maximum: (value) => `≤ ${value}`, exclusiveMinimum: (value) => `> ${value}`, exclusiveMaximum: (value) => `< ${value}`,
  minItems: (value) => `at least ${value}`, maxItems: (value) => `at most ${value}`, pattern: (value) => `matches ${value}`,
};

function line(schema) {
  const words = Object.entries(limits).filter(([name]) => schema[name] !== undefined).map(([name, text]) => text(schema[name]));
  if (schema.default !== undefined) words.push(`default ${JSON.stringify(schema.default)}`);
  return [...type(schema), ...(words.length ? [`; ${words.join(", ")}`] : [])];
}

// The members of an object, those of inner objects within.
export function members(schema) {
  const parts = [];
  if (schema.allOf) parts.push(html("p", {}, "All of ", ...between(schema.allOf.map(type), ", "), schema.properties ? ", and:" : "."));
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    parts.push(html("dl", { class: "members" }, ...Object.entries(schema.properties).flatMap(([name, part]) => [
      html("dt", {}, html("code", {}, name), ...(required.has(name) ? [" ", html("span", { class: "required" }, "required")] : []), html("span", { class: "type" }, ...line(part))),
      html("dd", {}, ...(part.description ? [html("p", {}, ...phrase(part.description))] : []), ...inner(part)),
    ])));
    const ways = (schema.oneOf ?? schema.anyOf ?? []).filter((way) => way.required);
    if (ways.length) parts.push(html("p", {}, "Exactly one of ", ...between(ways.map((way) => [html("code", {}, way.required.join(" and "))]), ", "), "."));
  } else if (!schema.allOf) {
    parts.push(html("p", { class: "type" }, ...line(schema)));
  }
  return parts;
}

function inner(schema) {
  if (schema.properties) return members(schema);
  if (schema.items?.properties) return members(schema.items);
  return [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter((way) => way.properties).flatMap(members);
}
