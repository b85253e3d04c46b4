// The list of chats: grouped by day, searched on the gateway, a drawer on a phone.

import * as api from "./api.js";
import { byId, element } from "./dom.js";

const DAY = 24 * 3600 * 1000;

export class Side {
  constructor(failed) {
    this.failed = failed;
    this.current = null;
    this.asked = 0;
    let timer = 0;
    byId("find").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.refresh(), 150);
    });
    byId("open-side").addEventListener("click", () => this.open(true));
    byId("close-side").addEventListener("click", () => this.open(false));
    byId("veil").addEventListener("click", () => this.open(false));
    byId("side").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen) this.open(false);
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        this.open(true);
        byId("find").focus();
      }
    });
  }

  get isOpen() {
    return byId("side").classList.contains("open");
  }

  /** Opens or closes the drawer; on a wide screen there is nothing to open. */
  open(yes) {
    const narrow = matchMedia("(max-width: 760px)").matches;
    const was = this.isOpen;
    byId("side").classList.toggle("open", yes && narrow);
    byId("veil").hidden = !(yes && narrow);
    byId("open-side").setAttribute("aria-expanded", String(yes && narrow));
    document.querySelector(".main").inert = yes && narrow;
    if (yes && narrow) byId("new").focus();
    else if (was) byId("open-side").focus();
  }

  async refresh(current = this.current) {
    this.current = current;
    const turn = ++this.asked;
    const query = byId("find").value.trim();
    let page;
    try {
      page = await api.chats(query);
    } catch (error) {
      return this.failed(error);
    }
    if (turn === this.asked) this.show(page.data, query, page.next);
    return page.data;
  }

  /** More of what is listed. */
  async older(rows, query, next) {
    try {
      const page = await api.chats(query, next);
      this.show([...rows, ...page.data], query, page.next);
      byId("chats").querySelectorAll("a")[rows.length]?.focus();
    } catch (error) {
      this.failed(error);
    }
  }

  show(rows, query, next) {
    const parts = [];
    let last = "";
    for (const row of rows) {
      const group = day(row.updated_at * 1000);
      if (group !== last) parts.push(element("h2", { textContent: group }), element("ul"));
      last = group;
      const mark = row.id === this.current ? "page" : undefined;
      const link = element("a", { href: `#${row.id}`, textContent: row.title || "Chat", title: row.title, "aria-current": mark });
      parts.at(-1).append(element("li", {}, link));
    }
    if (!rows.length) parts.push(element("p", { textContent: query ? "No chat holds that." : "Your chats will be listed here." }));
    if (next) {
      const more = () => this.older(rows, query, next);
      parts.push(element("button", { type: "button", className: "older", textContent: "Older chats", onclick: more }));
    }
    byId("chats").replaceChildren(...parts);
  }
}

function day(at) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (at >= midnight) return "Today";
  if (at >= midnight - DAY) return "Yesterday";
  return at >= midnight - 7 * DAY ? "Last seven days" : "Earlier";
}
