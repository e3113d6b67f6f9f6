// A view: what it asks the server, how its answers are drawn, the commands and the numbers below it.

import { post, Refusal } from "./api.js";
import { command, copy, loop, placeholder, recorded } from "./curl.js";
import { html } from "./svg.js";

export class View {
  #ask; #draw; #delay; #timer; #patience; #running; #again = false; #stale = false; #visible = false; #state; #table;
  onfault = () => {};

  // ask(state, post) gives what draw shows; `post` notes each request for the commands. numbers(data) gives {columns, rows}.
  constructor(id, { ask, draw, numbers, delay = 25 }) {
    this.section = document.getElementById(id);
    this.#ask = ask;
    this.#draw = draw;
    this.#delay = delay;
    this.#furnish(numbers);
    new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      if (this.#visible && this.#stale) this.#start();
    }, { rootMargin: "300px" }).observe(this.section);
  }

  get place() { return this.section.querySelector(".plot"); }

  // Asks anew, soon; while it cannot be seen it only notes that it should.
  refresh(state) {
    this.#state = state;
    this.#stale = true;
    // Not put off by what comes meanwhile: a drag has no end for as long as it goes on.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#visible) this.#start();
    }, this.#delay);
  }

  redraw() { if (this.data !== undefined) this.#draw(this.data, this.#state); }

  // One run at a time is let come to its end, so that a drag is followed however slow the answers are; then what is wanted by then is asked.
  // Where nothing new has been wanted for a while, a run that nobody waits for any more is cancelled.
  #start() {
    clearTimeout(this.#patience);
    if (this.#running) {
      this.#again = true;
      this.#patience = setTimeout(() => this.#running?.controller.abort(), 5000);
      return;
    }
    const run = { controller: new AbortController(), requests: [] };
    this.#running = run;
    this.#stale = this.#again = false;
    this.section.setAttribute("aria-busy", "true");
    this.#run(run, this.#state).finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#start();
        return;
      }
      this.section.removeAttribute("aria-busy");
    });
  }

  async #run(run, state) {
    const { signal } = run.controller;
    const send = async (path, body, note) => {
      const text = JSON.stringify(body);
      run.requests.push({ note, line: command(path, text) });
      return post(path, text, signal);
    };
    // One request for each value; those that the server cannot compute are undefined.
    send.each = (name, values, path, make, note) => {
      run.requests.push({ note, line: loop(name, values, path, JSON.stringify(make(placeholder(name)))) });
      return Promise.all(values.map((value) => post(path, JSON.stringify(make(value)), signal).catch((error) => {
        if (error.status === 422) return undefined;
        throw error;
      })));
    };
    try {
      const data = await this.#ask(state, send);
      if (signal.aborted) return;
      this.data = data;
      this.error.hidden = true;
      this.onfault(null);
      this.#draw(data, state);
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (!(error instanceof Refusal)) throw error;
      this.error.textContent = kindly(error);
      this.error.hidden = false;
      this.onfault(error);
    }
    this.commands.textContent = recorded(run.requests);
    this.#table();
  }

  #furnish(numbers) {
    this.error = html("p", { class: "error", role: "alert" });
    this.error.hidden = true;
    this.commands = html("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Commands" });
    const button = html("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", () => copy(this.commands.textContent, button));
    const shell = html("details", { class: "as-curl" }, html("summary", {}, "The same with curl"), html("div", { class: "command" }, button, this.commands));
    const box = html("div", { class: "numbers", tabindex: "0", role: "group", "aria-label": "Numbers" });
    const sheet = html("details", { class: "as-numbers" }, html("summary", {}, "The numbers"), box);
    this.#table = () => {
      if (sheet.open && this.data !== undefined) box.replaceChildren(table(numbers(this.data)));
    };
    sheet.addEventListener("toggle", () => this.#table());
    this.section.append(this.error, html("div", { class: "more" }, shell, sheet));
  }
}

function kindly(error) {
  if (error.status === 401) return "This server needs an API key: enter it at the top.";
  if (error.status === 429 || error.status === 503) return `The server is busy. ${error.message}`;
  return error.message;
}

function table({ columns, rows }) {
  const cells = (name, values) => values.map((value) => html(name, name === "th" ? { scope: "col" } : {}, value === null || value === undefined ? "" : String(value)));
  return html("table", {}, html("thead", {}, html("tr", {}, ...cells("th", columns))), html("tbody", {}, ...rows.map((row) => html("tr", {}, ...cells("td", row)))));
}
