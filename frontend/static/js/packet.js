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
    this.acts = [];
    this.addEventListener("span-annotator:same-word", (event) => this.onSameWord(event));
    this.addEventListener("input", (event) => this.onLabelling(event.target.closest("span-annotator")));
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

  /** A word labelled everywhere in one text is labelled in the others that have no answer yet; one act, one undo. */
  onSameWord({ target, detail: { word, label } }) {
    const open = this.tasks.filter((_, index) => !this.states[index]);
    const others = open.map((task) => task.querySelector("span-annotator")).filter((one) => one && one !== target);
    const reached = others.filter((one) => labelWord(one, word, label)).map((one) => ({ one, at: one.labelling.at }));
    this.acts.push({ target, at: target.labelling.at, reached, isDone: true });
    const fate = this.find("fate");
    fate.hidden = !reached.length;
    fate.textContent = this.dataset.sameWord.replace("{word}", word).replace("{count}", reached.length);
  }

  /** Where the act is undone or done again in its text, so it is in the others, unless somebody has gone on there. */
  onLabelling(annotator) {
    for (const act of this.acts.filter(({ target }) => target === annotator)) {
      const isDone = annotator.labelling.at >= act.at;
      if (isDone === act.isDone) continue;
      act.isDone = isDone;
      for (const { one, at } of act.reached) {
        if (one.labelling.at === (isDone ? at - 1 : at)) one.settle(one.labelling.travel(isDone ? 1 : -1));
      }
      this.find("fate").hidden = !isDone;
    }
  }

  /** Keep this page and all it is made of, so that it opens without a connection. */
  async keep() {
    const { owner, until, title } = this.dataset;
    const url = location.pathname;
    try {
      await navigator.storage?.persist?.();
      const cache = await caches.open("packets");
      const parts = performance.getEntriesByType("resource").filter(({ initiatorType }) => initiatorType !== "fetch");
      const pictures = [...this.querySelectorAll("img")].map(({ src }) => src);
      await cache.addAll([...new Set([...parts.map(({ name }) => name), ...pictures])]);
      // Opened from what was kept, the page is there already; fetching it anew might bring another one.
      if (navigator.onLine) await cache.add(new Request(url, { headers: { Accept: "text/html" } }));
      await store("packets", "put", { url, owner, until, title });
      this.find("kept").hidden = false;
    } catch {
      this.find("unkept").hidden = false;
    }
  }
}

/** Label a word wherever it stands in an annotator's text; whether it stands there. */
function labelWord(annotator, word, label) {
  const { ruler, labelling } = annotator;
  const isWhole = ({ start, end }) =>
    ruler.text.slice(start, end).toLowerCase() === word.toLowerCase() && ruler.words.some((one) => one.end === end);
  const place = ruler.words.map(({ start }) => ({ start, end: start + word.length })).find(isWhole);
  if (place) annotator.settle(labelling.add({ ...place, label }, ruler.alikeTo(place), "same"));
  return Boolean(place);
}

customElements.define("offline-packet", OfflinePacket);
