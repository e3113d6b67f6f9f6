// The field for an API key, shown once the server asks for one.

import { useKey, wanted } from "./api.js";

// Calls `retry` when a key has been given.
export function keyForm(retry) {
  const form = document.getElementById("key-form"), field = document.getElementById("key");
  wanted.addEventListener("key", () => {
    if (!form.hidden) return;
    form.hidden = false;
    field.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(field.value.trim());
    form.hidden = true;
    retry();
  });
}
