// The commands that give the same answers as the page's requests.

import { hasKey } from "./api.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const authorization = () => hasKey() ? ` -H "Authorization: Bearer $NTK_API_KEY"` : "";

// A request as the page sent it.
export const command = (path, text) => `curl -s${authorization()} -H 'Content-Type: application/json' -d ${quoted(text)} ${location.origin}${path}`;

// A request in parts, each a file or JSON.
export const fileCommand = (path, parts) => {
  const form = parts.map(([name, value]) => `-F ${quoted(value instanceof File ? `${name}=@${value.name}` : `${name}=${value};type=application/json`)}`);
  return `curl -s${authorization()} ${form.join(" ")} ${location.origin}${path}`;
};

// Requests that differ in one number: `text` has the placeholder where it stands.
export const loop = (name, values, path, text) => {
  const body = quoted(text).replaceAll(JSON.stringify(placeholder(name)), `'$${name}'`);
  return `for ${name} in ${values.join(" ")}; do\n  curl -s${authorization()} -H 'Content-Type: application/json' -d ${body} ${location.origin}${path}\n  echo\ndone`;
};

export const placeholder = (name) => `@${name}@`;

export const recorded = (requests) =>
  requests.map(({ note, line }) => (note ? `# ${note}\n${line}` : line)).join("\n\n");

export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // No clipboard without a secure context: select the command, so that it can be copied by hand.
    getSelection().selectAllChildren(button.nextElementSibling);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}
