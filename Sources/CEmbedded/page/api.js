// Requests to the server that served the page.

// The server's refusal: its problem details (RFC 9457), or that it could not be reached.
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `status ${status}`);
    this.status = status;
    this.faults = problem.errors ?? [];
  }
}

// In memory only: gone with the tab.
let key = "";
export const hasKey = () => key !== "";
export const useKey = (value) => { key = value; };

// Called when the server wants a key.
export const wanted = new EventTarget();

// Any request, with the key; its body is JSON, or a form whose type the browser writes.
export async function send(method, path, text, signal) {
  const headers = typeof text === "string" ? { "Content-Type": "application/json" } : {};
  if (key) headers.Authorization = `Bearer ${key}`;
  try {
    const response = await fetch(path, { method, headers, body: text, signal });
    if (response.status === 401) wanted.dispatchEvent(new Event("key"));
    return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { detail: "The server does not answer. Is it still running?" });
  }
}

// A request that computes: its answer, or a Refusal.
export async function post(path, text, signal) {
  const response = await send("POST", path, text, signal);
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem);
}
