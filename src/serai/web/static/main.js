// The page put together.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { byId, element } from "./dom.js";
import { Log } from "./log.js";
import { fetched } from "./pictures.js";
import { Side } from "./side.js";

const IDEAS = ["What can you do?", "Help me plan my week", "Explain a hard idea simply"];
const PATIENCE = 1200; // before a lost connection is worth a word
const TRIES = [400, 1000, 2000, 4000];

let conversation = null;
let painting = 0;
let lost = 0;

const log = new Log(again, (text) => submit({ text, images: [], agent: byId("agent").value || null }));
const composer = new Composer({ submit, stop });
const side = new Side(failed);

async function start() {
  try {
    const known = await api.agents();
    document.body.dataset.state = "ready";
    byId("door").hidden = true;
    byId("name").textContent = known.name;
    byId("leave").hidden = known.name === "local";
    composer.offer(known);
    welcome(known);
  } catch (error) {
    failed(error);
    if (error instanceof api.Unreachable) setTimeout(start, 2000);
    return;
  }
  away(false);
  await open();
}

function welcome({ data, default: standard }) {
  const able = data.some((agent) => !agent.refusal);
  byId("greeting").textContent = able ? "What are we working on?" : "No agent can answer yet";
  const reason = sentence((data.find((agent) => agent.id === standard) ?? data[0])?.refusal);
  byId("hint").textContent = able ? "" : reason || "This key may not use any agent of this gateway.";
  byId("ideas").hidden = !able;
  byId("ideas").replaceChildren(
    ...IDEAS.map((text) => element("li", {}, element("button", { type: "button", textContent: text, onclick: () => composer.write(text) }))),
  );
}

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.` : "");

/** Opens the chat that the address names, else an empty one. */
async function open() {
  const id = /^#([A-Za-z0-9_-]{8,64})$/.exec(location.hash)?.[1] ?? null;
  if (conversation && conversation.id === id) return side.refresh(id);
  conversation?.close();
  conversation = null;
  log.clear();
  const rows = await side.refresh(id);
  if (id) {
    join(id);
    conversation.open();
  }
  title(rows?.find((row) => row.id === id)?.title);
  paint();
  side.open(false);
  if (!matchMedia("(pointer: coarse)").matches) composer.focus(); // on a phone the keyboard would cover the chat
}

function join(id) {
  conversation = new Conversation(id, {
    changed: (what, news) => {
      if (news) told(news);
      paint();
    },
    connected: (yes) => away(!yes),
    refused: async () => {
      try {
        await api.agents();
      } catch (error) {
        return failed(error);
      }
      return undefined;
    },
  });
}

function paint() {
  if (painting) return;
  painting = requestAnimationFrame(() => {
    painting = 0;
    byId("welcome").hidden = Boolean(conversation?.messages.size);
    byId("messages").hidden = !conversation?.messages.size;
    composer.running(Boolean(conversation?.running));
    if (conversation) log.show(conversation);
  });
}

/** A message came: it is read out where it is an answer to something that was asked on this page. */
const mine = new Set();
function told(message) {
  if (!message.agent || !message.answers.some((id) => mine.has(id))) return;
  byId("announce").textContent = `${message.agent}: ${message.text.slice(0, 1500)}`;
}

async function submit({ text, images, agent }) {
  const message = { id: api.makeId(), text, agent, images };
  if (!conversation) {
    join(api.makeId());
    history.pushState(null, "", `#${conversation.id}`);
    title(text.trim().split("\n")[0] || images[0]?.name);
  }
  await deliver(conversation, message);
}

/** Sends a message until the gateway has it: the same id again is the same message. */
async function deliver(chat, message) {
  mine.add(message.id);
  const { agent, images, ...own } = message;
  const shown = { ...own, images: images.map(({ name, data }) => ({ name, url: data })), created_at: Date.now() / 1000 };
  chat.put({ ...shown, state: "sending", whole: message });
  log.toEnd();
  for (const wait of [...TRIES, null]) {
    try {
      const kept = await api.send(chat.id, message);
      chat.takeMessage({ ...kept, revision: 0 });
      chat.open();
      side.refresh(chat.id);
      return;
    } catch (error) {
      const passing = error instanceof api.Unreachable || error.status === 503;
      if (error.status === 401) failed(error);
      if (!passing || wait === null) return chat.put({ ...shown, state: "unsent", error: error.message, whole: message });
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

/** Sends something again: what never arrived under its own id, what failed as a new message. */
async function again(message) {
  composer.focus();
  if (message.whole && message.state === "unsent") return deliver(conversation, message.whole);
  try {
    const images = await Promise.all((message.images ?? []).map(fetched));
    await submit({ text: message.text, images, agent: byId("agent").value || null });
  } catch (error) {
    composer.note(error.message);
  }
}

async function stop() {
  if (conversation) await api.stop(conversation.id).catch(failed);
}

function title(text) {
  byId("title").textContent = text || "New chat";
  document.title = text ? `${text} · Serai` : "Serai";
}

/** Says after a moment that the connection is gone, and takes it back at once when it is there again. */
function away(yes) {
  if (!yes) {
    clearTimeout(lost);
    lost = 0;
    byId("banner").hidden = true;
  } else if (!lost) {
    lost = setTimeout(() => {
      byId("banner").textContent = "The gateway cannot be reached. Reconnecting…";
      byId("banner").hidden = false;
    }, PATIENCE);
  }
}

function failed(error) {
  if (error.status === 401) return door();
  if (error instanceof api.Unreachable) return away(true);
  return composer.note(error.message);
}

function door() {
  conversation?.close();
  conversation = null;
  document.body.dataset.state = "door";
  byId("door").hidden = false;
  byId("key").focus();
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("wrong").textContent = "";
  try {
    await api.signIn(byId("key").value);
  } catch (error) {
    byId("wrong").textContent = error.message;
    byId("key").select();
    return;
  }
  byId("key").value = "";
  await start();
});

byId("leave").addEventListener("click", async () => {
  await api.signOut().catch(failed);
  location.replace("/");
});

for (const id of ["new", "new-small"]) {
  byId(id).addEventListener("click", () => {
    history.pushState(null, "", "/");
    open();
  });
}

const dark = () => getComputedStyle(document.documentElement).colorScheme === "dark"
  || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
const themed = () => byId("theme").setAttribute("aria-pressed", String(dark()));
byId("theme").addEventListener("click", () => {
  const theme = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // It lasts as long as the page, then.
  }
  themed();
});
themed();

// Agents may have come or gone while the page was out of sight.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || document.body.dataset.state !== "ready") return;
  const known = await api.agents().catch(failed);
  if (!known) return;
  composer.offer(known);
  welcome(known);
});

addEventListener("hashchange", open);
addEventListener("popstate", open);
start();
