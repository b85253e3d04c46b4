// Where people write: text, pictures, the agent.

import { byId, element } from "./dom.js";
import * as pictures from "./pictures.js";

export class Composer {
  /** `submit({text, images, agent})` sends; `stop()` ends what runs. */
  constructor({ submit, stop }) {
    this.say = byId("say");
    this.agent = byId("agent");
    this.images = [];
    this.submit = submit;
    this.listen();
    byId("stop").addEventListener("click", () => {
      stop();
      this.focus();
    });
    this.fit();
  }

  listen() {
    const form = byId("composer");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.say.addEventListener("input", () => this.fit());
    this.say.addEventListener("keydown", (event) => {
      const touch = matchMedia("(pointer: coarse)").matches;
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !touch) {
        event.preventDefault();
        this.send();
      }
    });
    this.say.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) event.preventDefault();
      this.add(files);
    });
    byId("attach").addEventListener("click", () => byId("files").click());
    byId("files").addEventListener("change", (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    });
    for (const kind of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        form.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.add([...event.dataTransfer.files]);
      });
    }
  }

  async add(files) {
    for (const file of files) {
      if (this.images.length >= pictures.MOST) return this.note(`A message takes ${pictures.MOST} pictures at most.`);
      try {
        this.images.push(await pictures.read(file));
      } catch (error) {
        this.note(error.message);
        continue;
      }
      this.note("");
    }
    if (files.length) this.showImages();
  }

  showImages() {
    pictures.show(byId("pictures"), this.images, (n) => {
      this.images.splice(n, 1);
      this.showImages();
      this.focus();
    });
    this.fit();
  }

  send() {
    const text = this.say.value;
    if (!text.trim() && !this.images.length) return;
    this.submit({ text, images: this.images, agent: this.agent.value || null });
    this.images = [];
    this.say.value = "";
    this.note("");
    this.showImages();
    this.focus();
  }

  write(text) {
    this.say.value = text;
    this.fit();
    this.focus();
  }

  focus() {
    this.say.focus();
  }

  /** The field grows with its text. */
  fit() {
    this.say.style.height = "auto";
    this.say.style.height = `${this.say.scrollHeight}px`;
    byId("send").disabled = !this.say.value.trim() && !this.images.length;
  }

  note(text) {
    byId("note").textContent = text;
  }

  running(yes) {
    byId("stop").hidden = !yes;
  }

  /** Fills the picker; one agent alone is no choice. */
  offer({ data, routed, default: standard }) {
    const options = data.map((agent) =>
      element("option", {
        value: agent.id,
        textContent: agent.refusal ? `${agent.id} (not available)` : agent.id,
        disabled: Boolean(agent.refusal),
      }),
    );
    if (routed) options.unshift(element("option", { value: "", textContent: `Automatic (${standard})` }));
    const picked = this.agent.value;
    this.agent.replaceChildren(...options);
    this.agent.value = options.some((option) => option.value === picked && picked && !option.disabled) ? picked : routed ? "" : standard;
    byId("picker").hidden = data.length < 2;
  }
}
