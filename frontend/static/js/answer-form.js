// <answer-form>: keeps what is typed, adds the row of letters, and sends the form through the outbox.
// Without this file the form inside is an ordinary one, so everything here is a convenience.
// Whoever holds the form may prevent its events: `answer-sent` (the server has it; else the next page comes) and
// `answer-kept` (it waits in the outbox).

import { Drafts } from "./drafts.js";
import { showKeys } from "./keys.js";
import { outboxOf } from "./outbox.js";

class AnswerForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.areas = [...this.form.querySelectorAll("textarea, [name=spans]")];
    this.id_ = this.form.elements.namedItem("client_id");
    this.drafts = new Drafts(this.dataset.owner);
    this.outbox = outboxOf(this.dataset.owner);
    this.drafts.tidy();
    this.restore();
    this.form.addEventListener("submit", (event) => this.onSubmit(event));
    this.form.addEventListener("input", () => this.onInput());
    this.outbox.addEventListener("settled", ({ detail }) => this.onSettled(detail));
    for (const row of this.form.querySelectorAll(".keys")) showKeys(row);
  }

  /** Put back what was typed before, with the id it may have been sent under; first of all what still waits. */
  async restore() {
    const draft = this.drafts.read(this.dataset.key);
    if (draft) this.fill(draft.fields);
    const kept = (await this.outbox.all()).find(({ about }) => about === this.dataset.key);
    if (kept) this.fill(kept.fields);
    if (kept?.state === "waiting") this.wait(kept.id, true);
    else if (kept) this.refuse({ message: kept.message });
    else if (draft) this.say("saved");
  }

  fill(fields) {
    for (const field of this.form.elements) {
      const values = fields.filter(([name]) => name === field.name).map(([, value]) => value);
      if (!values.length) continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
      else if (this.areas.includes(field)) {
        [field.value] = values;
        field.dispatchEvent(new Event("change"));
      } else if (field === this.id_) [field.value] = values;
      const folded = field.closest("details");
      if (folded && (field.checked || (this.areas.includes(field) && field.value !== field.defaultValue))) folded.open = true;
    }
  }

  onInput() {
    if (this.waitingId) this.outbox.drop(this.waitingId);
    this.waitingId = null;
    // After a refusal the page holds text that is stored nowhere, so leaving it as it is must not forget it.
    const isStored = !("unsent" in this.dataset);
    if (isStored && this.areas.every((area) => area.value === area.defaultValue)) {
      this.drafts.drop(this.dataset.key);
      this.say("");
    } else this.say(this.drafts.keep(this.dataset.key, fieldsOf(new FormData(this.form))) ? "saved" : "");
  }

  onSubmit(event) {
    const button = event.submitter;
    if (button?.hasAttribute("data-plain")) return;
    event.preventDefault();
    if (!this.isSending) this.send(new FormData(this.form, button), button);
  }

  async send(body, button) {
    // A skip is no answer: it has a place of its own in the outbox, and what was typed stays.
    const isSkip = button?.hasAttribute("formaction");
    const fields = fieldsOf(body);
    const id = `${isSkip ? "skip-" : ""}${this.id_?.value ?? this.dataset.key}`;
    const action = isSkip ? button.formAction : this.form.action;
    const words = this.areas.map(({ value }) => value).filter(Boolean).join("\n");
    const token = body.get("csrfmiddlewaretoken");
    this.isSending = true;
    this.refuse(null);
    this.say("sending");
    if (!isSkip) this.drafts.keep(this.dataset.key, fields);
    const isKept = await this.outbox.put({ id, action, fields, words, about: this.dataset.key, isSkip });
    const reply = await this.outbox.deliver(id, token);
    this.isSending = false;
    if (reply.next || reply.refused) return;
    if (reply.signedOut) {
      const back = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
      this.refuse({ message: this.dataset.signedOut, go: { url: back, text: this.dataset.signIn } });
    }
    this.wait(id, isKept);
  }

  wait(id, isKept) {
    this.waitingId = id;
    this.say(isKept ? "waiting" : "unkept");
    this.dispatchEvent(new CustomEvent("answer-kept", { bubbles: true }));
  }

  /** The server has answered, at once or after a while. */
  onSettled({ id, reply }) {
    const own = this.id_?.value ?? this.dataset.key;
    if (id !== own && id !== `skip-${own}`) return;
    this.waitingId = null;
    if (reply.next) {
      if (id === own) this.drafts.drop(this.dataset.key);
      this.say("sent");
      const event = new CustomEvent("answer-sent", { bubbles: true, cancelable: true });
      if (this.dispatchEvent(event)) location.assign(reply.next);
    } else {
      // Somebody looks at it here, so it need not wait elsewhere to be looked at.
      if (this.isSending) this.outbox.drop(id);
      this.say("");
      this.refuse(reply.refused);
    }
  }

  say(state) {
    this.querySelector("[data-state]").textContent = state ? this.dataset[state] : "";
  }

  refuse(refused) {
    const box = this.querySelector("[data-refusal]");
    const [words, way] = [box.firstElementChild, box.lastElementChild];
    box.hidden = !refused;
    words.textContent = refused?.message ?? "";
    way.hidden = !refused?.go;
    if (refused?.go) {
      way.firstElementChild.href = refused.go.url;
      way.firstElementChild.textContent = refused.go.text;
    }
    if (refused) box.scrollIntoView({ block: "nearest" });
  }
}

function fieldsOf(body) {
  return [...body].filter(([name]) => name !== "csrfmiddlewaretoken");
}

customElements.define("answer-form", AnswerForm);
