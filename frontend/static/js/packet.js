// <offline-packet>: the tasks of a packet one at a time, kept on this device for days without a connection.

import { outboxOf } from "./outbox.js";
import { store } from "./outbox.js";

class OfflinePacket extends HTMLElement {
  connectedCallback() {
    this.forms = [...this.querySelectorAll("answer-form")];
    this.tasks = this.forms.map((form) => form.closest("[data-task]"));
    this.outbox = outboxOf(this.dataset.owner);
    this.outbox.addEventListener("change", () => this.count());
    this.addEventListener("answer-sent", (event) => this.onDone(event));
    this.addEventListener("answer-kept", (event) => this.onDone(event));
    for (const [name, step] of [["back", -1], ["on", 1]]) {
      this.find(name).addEventListener("click", () => this.show(this.place + step));
    }
    for (const part of this.querySelectorAll("[data-live]")) part.hidden = false;
    this.begin();
    this.keep();
  }

  find(name) {
    return this.querySelector(`[data-${name}]`);
  }

  async begin() {
    await this.count();
    this.show(this.nextOpen(0));
  }

  /** Show one task, or after the last the words that all is done. */
  show(place) {
    this.place = Math.max(0, Math.min(place, this.tasks.length));
    for (const [index, task] of this.tasks.entries()) task.hidden = index !== this.place;
    this.find("done").hidden = this.place < this.tasks.length;
    this.find("back").disabled = this.place === 0;
    this.find("on").disabled = this.place === this.tasks.length;
    this.tell();
  }

  nextOpen(from) {
    const found = this.states.findIndex((state, index) => index >= from && !state);
    return found < 0 ? this.tasks.length : found;
  }

  /** An answer is on its way: the next task that has none, as if it had arrived. */
  async onDone(event) {
    event.preventDefault();
    const place = this.forms.indexOf(event.target);
    await this.count();
    if (place === this.place && event.target.isSending !== undefined) {
      this.show(this.nextOpen(place + 1));
      scrollTo(0, 0);
    }
  }

  async count() {
    this.states = await Promise.all(
      this.forms.map(async ({ id_: { value } }) => (await this.outbox.stateOf(value)) || this.outbox.stateOf(`skip-${value}`)),
    );
    this.tell();
  }

  async tell() {
    const done = this.states.filter(Boolean).length;
    this.querySelector("progress").value = done;
    const words = this.find("count").dataset.words;
    this.find("count").textContent = words.replace("{done}", done).replace("{all}", this.tasks.length);
    const state = this.states[this.place];
    const sent = state === "sent" && (await this.outbox.wasSent(this.forms[this.place].id_.value));
    this.find("fate").textContent = sent?.said || (state ? this.dataset[state] : "");
    this.find("fate").hidden = !state;
  }

  /** Keep this page and all it is made of, so that it opens without a connection. */
  async keep() {
    const { owner, until, title } = this.dataset;
    const url = location.pathname;
    try {
      await navigator.storage?.persist?.();
      const cache = await caches.open("packets");
      const parts = performance.getEntriesByType("resource").map(({ name }) => name);
      const statics = parts.filter((name) => new URL(name).pathname.startsWith("/static/"));
      await cache.addAll([...new Set(statics)]);
      // Opened from what was kept, the page is there already; fetching it anew might bring another one.
      if (navigator.onLine) await cache.add(new Request(url, { headers: { Accept: "text/html" } }));
      await store("packets", "put", { url, owner, until, title });
      this.find("kept").hidden = false;
    } catch {
      this.find("unkept").hidden = false;
    }
  }
}

customElements.define("offline-packet", OfflinePacket);
