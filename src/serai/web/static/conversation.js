// One chat as the gateway tells it: messages by id, drafts put together by offset. It survives lost connections: the
// stream goes on after the last revision that was seen, and tells drafts whole before it lets them grow.

import { eventsAddress } from "./api.js";

export class Conversation {
  /** `changed(what)` is called with "messages" or "drafts"; `connected(yes)` when the stream comes or goes. */
  constructor(id, { changed, connected, refused }) {
    this.id = id;
    this.messages = new Map();
    this.drafts = new Map();
    this.revision = 0;
    this.tell = { changed, connected, refused };
    this.source = null;
    this.timer = 0;
  }

  open() {
    if (this.source) return;
    const source = (this.source = new EventSource(eventsAddress(this.id, this.revision)));
    source.addEventListener("open", () => this.tell.connected(true));
    source.addEventListener("message", (event) => this.takeMessage(JSON.parse(event.data)));
    source.addEventListener("drafts", (event) => this.takeDrafts(JSON.parse(event.data)));
    source.addEventListener("delta", (event) => this.takeDelta(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      this.tell.connected(false);
      if (source.readyState !== EventSource.CLOSED) return;
      // The gateway answered, and not with a stream: it is starting, or we may not listen any more.
      this.close();
      this.tell.refused();
      this.timer = setTimeout(() => this.open(), 2000);
    });
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** A message on its way: shown at the end until the gateway tells of it. */
  put(message) {
    this.messages.set(message.id, { n: Infinity, revision: 0, answers: [], agent: null, ...message });
    this.tell.changed("messages");
  }

  takeMessage(message) {
    this.revision = Math.max(this.revision, message.revision);
    const known = this.messages.get(message.id);
    if (known && known.revision > message.revision) return;
    this.messages.set(message.id, message);
    this.tell.changed("messages", known ? null : message);
  }

  takeDrafts(drafts) {
    this.drafts = new Map(drafts.map((draft) => [draft.answers, draft]));
    this.tell.changed("drafts");
  }

  takeDelta({ answers, at, text }) {
    const draft = this.drafts.get(answers);
    if (!draft || at > draft.text.length) return;
    draft.text = draft.text.slice(0, at) + text;
    this.tell.changed("drafts");
  }

  ordered() {
    return [...this.messages.values()].sort((one, other) => one.n - other.n || one.created_at - other.created_at);
  }

  /** Drafts whose answer is not there yet. */
  openDrafts() {
    const answered = new Set([...this.messages.values()].flatMap((message) => (message.agent ? message.answers : [])));
    return [...this.drafts.values()].filter((draft) => !answered.has(draft.answers));
  }

  get running() {
    return [...this.messages.values()].some((message) => !message.agent && message.state === "running");
  }
}
