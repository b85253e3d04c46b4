// Calls of the gateway. `Unreachable` is no answer at all; `Refused` is one that says why not.

export class Unreachable extends Error {}

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new Unreachable("The gateway does not answer.");
  }
  const document = await response.json().catch(() => null);
  if (response.ok && document) return document;
  throw new Refused(response.status, document?.error?.message ?? `The gateway answered with ${response.status}.`);
}

const chat = (id) => `/web/chats/${encodeURIComponent(id)}`;

export const agents = () => call("GET", "/web/agents");
export const chats = (query, before) =>
  call("GET", `/web/chats?q=${encodeURIComponent(query)}${before ? `&before=${before}` : ""}`);
export const send = (id, message) => call("POST", `${chat(id)}/messages`, message);
export const stop = (id) => call("POST", `${chat(id)}/stop`);
export const signIn = (key) => call("POST", "/web/sign-in", { key });
export const signOut = () => call("DELETE", "/web/sign-in");
export const eventsAddress = (id, after) => `${chat(id)}/events?after=${after}`;

/** An id that nobody else makes. `crypto.randomUUID` is closed to pages without https. */
export function makeId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
