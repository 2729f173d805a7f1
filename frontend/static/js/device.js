// <device-page>: what this browser keeps for the person who used it last. It works without a connection.

import { outboxOf } from "./outbox.js";
import { store } from "./outbox.js";

class DevicePage extends HTMLElement {
  connectedCallback() {
    const owner = localStorage.getItem("wordhearth:owner");
    this.querySelector("[data-nobody]").hidden = Boolean(owner);
    if (!owner) return;
    this.outbox = outboxOf(owner);
    this.outbox.addEventListener("change", () => this.show());
    this.querySelector("[data-flush]").addEventListener("click", () => this.flush());
    this.showPackets(owner);
    this.show();
    this.outbox.flush();
  }

  async flush() {
    const said = this.querySelector("[data-state]");
    said.textContent = this.dataset.sending;
    await this.outbox.flush({ waits: true });
    const isLeft = (await this.outbox.all()).some(({ state }) => state === "waiting");
    said.textContent = isLeft ? (this.outbox.isSignedOut ? this.dataset.signedOut : this.dataset.unreachable) : this.dataset.sent;
  }

  async showPackets(owner) {
    const packets = await store("packets", "getAll").catch(() => []);
    const now = new Date().toISOString();
    const mine = packets.filter((packet) => packet.owner === owner);
    const kept = await Promise.all(mine.map(({ url }) => window.caches?.match(url, { ignoreVary: true })));
    const rows = mine.filter((_, index) => kept[index]).map(({ url, title, until }) => {
      const row = fromTemplate(this, "packet");
      Object.assign(row.querySelector("a"), { href: url, textContent: title });
      const time = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      row.querySelector("time").textContent = time.format(new Date(until));
      row.querySelector("[data-over]").hidden = until > now;
      return row;
    });
    this.querySelector("[data-packets]").replaceChildren(...rows);
    this.querySelector("[data-no-packets]").hidden = rows.length > 0;
  }

  async show() {
    const all = await this.outbox.all();
    for (const state of ["waiting", "attention"]) {
      const rows = all.filter((entry) => entry.state === state).map((entry) => this.row(entry));
      this.querySelector(`[data-list="${state}"]`).replaceChildren(...rows);
      this.querySelector(`[data-part="${state}"]`).hidden = !rows.length;
    }
    this.querySelector("[data-none]").hidden = all.length > 0;
  }

  row(entry) {
    const row = fromTemplate(this, "entry");
    row.querySelector("[data-words]").textContent = entry.words || this.dataset.noWords;
    row.querySelector("[data-message]").textContent = entry.message;
    const [again, discard] = row.querySelectorAll("button");
    again.hidden = entry.state === "waiting";
    again.addEventListener("click", () => this.outbox.again(entry));
    discard.addEventListener("click", () => confirm(this.dataset.sure) && this.outbox.drop(entry.id));
    return row;
  }
}

function fromTemplate(page, name) {
  return page.querySelector(`template[data-of="${name}"]`).content.firstElementChild.cloneNode(true);
}

customElements.define("device-page", DevicePage);
