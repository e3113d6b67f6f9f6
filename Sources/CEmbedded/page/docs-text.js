// The Markdown that the descriptions use: paragraphs, lists, indented code, **bold**, `code`.

import { html } from "./svg.js";

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) return html("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? html("b", {}, part.slice(2, -2)) : part;
  });
}

// Elements for a description.
export function prose(text = "") {
  return text.trimEnd().split(/\n\s*\n/).flatMap((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => line.startsWith("    "))) {
      const code = lines.map((line) => line.slice(4)).join("\n");
      return [html("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Code" }, code)];
    }
    if (lines[0].startsWith("- ")) {
      const items = block.split(/\n?^- /m).filter(Boolean);
      return [html("ul", {}, ...items.map((item) => html("li", {}, ...inline(item.replaceAll(/\s+/g, " ")))))];
    }
    return block.trim() ? [html("p", {}, ...inline(block.trim()))] : [];
  });
}

// The same inside a line.
export const phrase = (text = "") => inline(text.replaceAll(/\s+/g, " ").trim());
