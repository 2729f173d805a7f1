// <outbox-status>: how many of this person's answers wait in this browser, on every page; and it keeps them going.

import { outboxOf } from "./outbox.js";

const OWNER = "wordhearth:owner";

class OutboxStatus extends HTMLElement {
  connectedCallback() {
    this.outbox = outboxOf(this.dataset.owner);
    this.outbox.addEventListener("change", () => this.show());
    this.show();
    this.outbox.flush();
    this.forgetOthers();
    // After the page, which the person waits for.
    addEventListener("load", () => navigator.serviceWorker?.register("/service-worker.js"));
  }

  async show() {
    const all = await this.outbox.all();
    const link = this.firstElementChild;
    const count = (state) => all.filter((entry) => entry.state === state).length;
    const parts = [
      [count("waiting"), this.dataset.waiting],
      [count("attention"), this.dataset.attention],
    ];
    link.textContent = parts.filter(([number]) => number).map(([number, words]) => `${words} ${number}`).join(" · ");
    link.hidden = !all.length;
    link.classList.toggle("warn", count("attention") > 0);
  }

  /** Pages of somebody who used this browser before are not for this person. */
  forgetOthers() {
    const { owner } = this.dataset;
    try {
      if (localStorage.getItem(OWNER) === owner) return;
      localStorage.setItem(OWNER, owner);
    } catch {
      // Nothing is kept here, so there is nothing to forget.
    }
    window.caches?.delete("packets");
  }
}

customElements.define("outbox-status", OutboxStatus);
