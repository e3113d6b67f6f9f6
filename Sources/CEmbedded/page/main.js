// The page at /: the state, the settings, the views.

import { controls } from "./controls.js";
import { convergence } from "./convergence.js";
import { Editor } from "./editor.js";
import { finite } from "./finite.js";
import { influence } from "./influence.js";
import { kernel } from "./kernel.js";
import { keyForm } from "./key.js";
import { learning } from "./learning.js";
import { keep, read } from "./link.js";
import { own } from "./own.js";
import { predictions } from "./predictions.js";
import { spectrum } from "./spectrum.js";
import { initial, Store } from "./state.js";
import { training } from "./training.js";

const store = new Store({ ...initial, ...read(location.hash) });
const live = document.getElementById("live");
const say = (text) => { live.textContent = text; };

const { view: main, points } = predictions(store, say);
controls(store, points);
const views = [
  main, training(store), kernel(store), spectrum(store), influence(store), finite(store), convergence(store), learning(store),
];
own();
const editor = new Editor(store);
keep(store);

// A fault of the architecture is told once, beside the architecture; the first plot tells it before there are points, too.
main.onfault = (refusal) => {
  const told = editor.fault(refusal, "/kernel/architecture") || (refusal && editor.fault(refusal, "/architecture"));
  if (told) main.error.textContent = "The architecture is not valid: the error is shown beside its JSON.";
};

keyForm(() => {
  for (const view of views) view.refresh(store.state);
});

fetch("/version").then((answer) => answer.json()).then(({ version }) => {
  document.getElementById("version").textContent = version;
}).catch(() => { /* Without it the page works as well. */ });
