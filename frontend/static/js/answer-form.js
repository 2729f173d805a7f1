// <answer-form>: keeps what is typed, adds the row of letters, and sends the form again until it arrives.
// Without this file the form inside is an ordinary one, so everything here is a convenience.

import { Drafts } from "./drafts.js";

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60000;

class AnswerForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.areas = [...this.form.querySelectorAll("textarea")];
    this.drafts = new Drafts(this.dataset.owner);
    this.drafts.tidy();
    this.restore();
    this.form.addEventListener("submit", (event) => this.onSubmit(event));
    this.form.addEventListener("input", () => this.onInput());
    window.addEventListener("online", () => this.retry?.());
    for (const row of this.form.querySelectorAll(".keys")) showKeys(row);
    this.sendEarlier();
  }

  /** Put back what was typed before, with the id it may have been sent under. */
  restore() {
    const draft = this.drafts.read(this.dataset.key);
    if (!draft) return;
    for (const [name, value] of draft.fields) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof HTMLTextAreaElement) {
        field.value = value;
        const folded = field.closest("details");
        if (folded && value !== field.defaultValue) folded.open = true;
      } else if (name === "client_id") field.value = value;
    }
    this.say("saved");
  }

  onInput() {
    this.stopWaiting();
    // After a refusal the page holds text that is stored nowhere, so leaving it as it is must not forget it.
    const isStored = !("unsent" in this.dataset);
    if (isStored && this.areas.every((area) => area.value === area.defaultValue)) {
      this.drafts.drop(this.dataset.key);
      this.say("");
    } else this.say(this.keep(new FormData(this.form), false) ? "saved" : "");
  }

  onSubmit(event) {
    const button = event.submitter;
    // Skipping goes to another address, the plain way; the draft stays, in case the skip is undone.
    if (button?.hasAttribute("formaction")) return;
    event.preventDefault();
    if (this.isSending) return;
    this.stopWaiting();
    this.send(new FormData(this.form, button), FIRST_PAUSE_MS);
  }

  keep(body, pending) {
    const fields = [...body].filter(([name]) => name !== "csrfmiddlewaretoken");
    return this.drafts.keep(this.dataset.key, { action: this.form.action, fields, pending });
  }

  async send(body, pause) {
    const isKept = this.keep(body, true);
    this.isSending = true;
    this.refuse(null);
    this.say("sending");
    const reply = await post(this.form.action, body);
    this.isSending = false;
    if (reply.next) {
      this.drafts.drop(this.dataset.key);
      this.say("sent");
      location.assign(reply.next);
    } else if (reply.refused) {
      this.keep(body, false);
      this.say("");
      this.refuse(reply.refused);
    } else if (reply.signedOut) {
      this.say("");
      const back = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
      this.refuse({ message: this.dataset.signedOut, go: { url: back, text: this.dataset.signIn } });
    } else {
      this.say(isKept ? "waiting" : "unkept");
      this.retry = () => {
        this.stopWaiting();
        this.send(body, Math.min(2 * pause, LONGEST_PAUSE_MS));
      };
      this.timer = setTimeout(this.retry, pause);
    }
  }

  stopWaiting() {
    clearTimeout(this.timer);
    this.retry = null;
  }

  /** Answers that were sent from this device without a reply: offer them to the server once more. */
  async sendEarlier() {
    const token = this.form.elements.namedItem("csrfmiddlewaretoken").value;
    for (const [key, draft] of this.drafts.pending()) {
      if (key === this.dataset.key || new URL(draft.action).origin !== location.origin) continue;
      const body = new FormData();
      body.set("csrfmiddlewaretoken", token);
      for (const [name, value] of draft.fields) body.set(name, value);
      const reply = await post(draft.action, body);
      if (reply.next) {
        this.drafts.drop(key);
        this.append(notice("good", this.dataset.earlierSent));
      } else if (reply.refused) this.append(this.earlier(key, draft, reply.refused.message));
      else return;
    }
  }

  /** A notice with the text of an earlier answer, which stays until its author throws it away. */
  earlier(key, draft, message) {
    const texts = draft.fields.filter(([name]) => name === "text" || name === "fixed_text");
    const box = notice("warn", `${this.dataset.earlier} ${message}`);
    for (const [, text] of texts) box.append(element("p", "answer-text", text));
    const button = element("button", "button quiet", this.dataset.discard);
    button.addEventListener("click", () => {
      this.drafts.drop(key);
      box.remove();
    });
    box.append(button);
    return box;
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

/** Send once. What came of it: {next}, {refused}, {signedOut}, or {} when nothing certain is known. */
async function post(action, body) {
  let response;
  try {
    response = await fetch(action, { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    return {};
  }
  if (response.status >= 500) return {};
  // The forms themselves never redirect a request for JSON: this is the way to the sign-in page.
  if (response.redirected) return { signedOut: true };
  if (response.headers.get("Content-Type")?.startsWith("application/json")) {
    const reply = await response.json();
    return response.ok ? reply : { refused: reply };
  }
  // A page instead of JSON: the one about a stale form, which signing in again makes fresh.
  return response.status === 403 ? { signedOut: true } : { refused: { message: response.statusText } };
}

/** Make a row of letters write at the caret of its field. */
function showKeys(row) {
  const area = document.getElementById(row.dataset.for);
  row.hidden = false;
  // Keeping the focus in the field keeps the phone's keyboard open.
  row.addEventListener("pointerdown", (event) => event.preventDefault());
  row.addEventListener("click", (event) => {
    const letter = event.target.closest("[data-key]")?.dataset.key;
    if (!letter) return;
    area.focus();
    area.setRangeText(letter, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function notice(kind, text) {
  const box = element("div", `notice ${kind}`, "");
  box.append(element("p", "", text));
  return box;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

customElements.define("answer-form", AnswerForm);
