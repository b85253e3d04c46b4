// The conversation on the page: keeps elements of messages that did not change, so that reading is not disturbed.

import { byId, copyButton, element } from "./dom.js";
import { markdown } from "./markdown.js";

const NEAR = 80;

export class Log {
  /** `retry(message)` sends a person's message again, `say(text)` a new one. */
  constructor(retry, say) {
    this.retry = retry;
    this.say = say;
    this.list = byId("messages");
    this.box = byId("log");
    this.shown = new Map();
    this.latest = byId("latest");
    this.follows = true;
    this.box.addEventListener("scroll", () => {
      this.follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
      this.latest.hidden = this.follows;
    });
    this.latest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.follows && this.toEnd()).observe(this.list);
  }

  clear() {
    this.shown.clear();
    this.list.replaceChildren();
    this.follows = true;
    this.latest.hidden = true;
  }

  toEnd() {
    this.follows = true;
    this.latest.hidden = true;
    this.box.scrollTop = this.box.scrollHeight;
  }

  /** Shows the conversation as it is now. */
  show(conversation) {
    const messages = conversation.ordered();
    const wanted = [];
    for (const message of messages) {
      wanted.push([message.id, this.stamp(message, conversation), () => this.message(message, conversation)]);
    }
    for (const draft of conversation.openDrafts()) wanted.push([`draft ${draft.answers}`, null, () => null, draft]);
    this.reconcile(wanted);
    if (this.follows) this.toEnd();
  }

  reconcile(wanted) {
    const keep = new Set(wanted.map(([key]) => key));
    for (const [key, { node }] of this.shown) if (!keep.has(key)) this.shown.delete(key), node.remove();
    let before = this.list.firstChild;
    for (const [key, stamp, make, draft] of wanted) {
      let known = this.shown.get(key);
      if (!known || (!draft && known.stamp !== stamp)) {
        const node = draft ? draftElement() : make();
        if (known) {
          if (before === known.node) before = node;
          known.node.replaceWith(node);
        }
        known = { node, stamp };
        this.shown.set(key, known);
      }
      if (draft) showDraft(known.node, draft);
      if (known.node !== before) this.list.insertBefore(known.node, before);
      before = known.node.nextSibling;
    }
  }

  stamp(message, conversation) {
    const asked = question(message, conversation)?.state;
    return JSON.stringify([message.state, message.error, message.text, asked, choicesOf(message, conversation)]);
  }

  message(message, conversation) {
    if (!message.agent) return this.person(message);
    return this.answer(message, question(message, conversation), choicesOf(message, conversation));
  }

  person(message) {
    const photos = (message.images ?? []).map((image) =>
      element("img", { src: image.url, alt: image.name, loading: "lazy", onload: () => this.follows && this.toEnd() }),
    );
    const state = personState(message);
    return element(
      "li",
      { className: `message person${message.state === "unsent" ? " unsent" : ""}` },
      element("h2", { className: "unseen", textContent: "You" }),
      photos.length ? element("div", { className: "photos" }, ...photos) : null,
      message.text ? element("div", { className: "body", textContent: message.text, dir: "auto" }) : null,
      state ? element("p", { className: "state" }, state, ...this.again(message)) : null,
    );
  }

  again(message) {
    if (message.state !== "unsent" && message.state !== "cancelled") return [];
    return [" ", element("button", { type: "button", textContent: "Try again", onclick: () => this.retry(message) })];
  }

  answer(message, asked, choices) {
    const kind = asked?.state === "failed" ? " failed" : "";
    const retry = element("button", { type: "button", textContent: "Try again", onclick: () => this.retry(asked) });
    return element(
      "li",
      { className: `message agent${kind}` },
      element("h2", { className: "who", textContent: message.agent }),
      element("div", { className: "body text", dir: "auto" }, markdown(message.text)),
      choices.length ? this.choices(choices) : null,
      element(
        "div",
        { className: "actions" },
        kind === " failed" ? retry : null,
        copyButton(() => message.text, "Copy", "copy"),
      ),
    );
  }

  choices(choices) {
    const buttons = choices.map(({ label, sends }) =>
      element("button", { type: "button", textContent: label, onclick: () => this.say(sends) }),
    );
    return element("div", { className: "choices", role: "group", "aria-label": "Your answer" }, ...buttons);
  }
}

/** The buttons of a question that can still be answered: each stands for what could be typed. It is over once one of
    them was pressed, and also once nothing that was written before it is being answered any more: then it was answered
    in other words, or denied for want of an answer. */
function choicesOf(message, conversation) {
  const choices = message.buttons ?? [];
  if (!choices.length) return choices;
  const people = conversation.ordered().filter((one) => !one.agent);
  const waits = people.some((one) => one.n < message.n && one.state === "running");
  const said = new Set(people.map((one) => one.text));
  return waits && !choices.some((choice) => said.has(choice.sends)) ? choices : [];
}

function question(message, conversation) {
  return conversation.messages.get(message.answers.at(-1));
}

function personState(message) {
  if (message.state === "unsent") return message.error ?? "Not sent.";
  if (message.state === "cancelled") return "Stopped.";
  return message.state === "sending" ? "Sending…" : "";
}

function draftElement() {
  return element(
    "li",
    { className: "message agent draft" },
    element("h2", { className: "who" }),
    element("ul", { className: "doing", hidden: true }),
    element("div", { className: "body text", dir: "auto" }),
    element("span", { className: "dots", role: "img", "aria-label": "Working" }, element("i"), element("i"), element("i")),
  );
}

function showDraft(node, draft) {
  const [who, doing, body, dots] = node.children;
  who.textContent = draft.agent || "Answering";
  doing.hidden = draft.tools.length === 0;
  doing.replaceChildren(
    ...draft.tools.map((tool) => element("li", { textContent: tool.name.replaceAll("_", " "), "data-state": tool.state })),
  );
  if (node.text !== draft.text) body.replaceChildren(markdown(draft.text));
  node.text = draft.text;
  dots.hidden = draft.text !== "" && draft.tools.every((tool) => tool.state !== "running");
}

