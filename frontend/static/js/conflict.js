// Keys for deciding conflicts, and one click that begins one's own answer with somebody's. Without this module every
// part of the page is a plain form.

// Beside each other on most keyboards, and no letter of a button.
const REASONS = "qwrtyu";

class ConflictDesk extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.editor = this.querySelector("#editor");
    this.reasons = [...this.querySelectorAll("[name=stock]")];
    this.reasons.forEach((radio, place) => {
      radio.closest("label").querySelector("kbd").dataset.key = REASONS[place];
    });
    const told = this.querySelector(".keys-told");
    if (told) told.hidden = false;
    for (const link of this.querySelectorAll("[data-begin]")) link.addEventListener("click", (event) => this.begin(event, link));
    this.form.addEventListener("change", () => this.showKept());
    this.showKept();
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || !this.isConnected) return;
    // The annotator has keys of its own, and whoever types is not deciding.
    const types = target.closest("textarea, select, span-annotator, input:not([type=checkbox], [type=radio])");
    if (key === "Escape" && types) target.blur();
    else if (!types && this.press(event)) event.preventDefault();
  }

  /** Do what a key says; also on the keyboard of another script. */
  press({ key, code, shiftKey }) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1];
    const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace(/^Key/, "").toLowerCase();
    const place = REASONS.indexOf(letter);
    if (digit && shiftKey) return this.click(`[data-begin="${digit}"]`);
    if (digit) return this.click(`[data-number="${digit}"]`);
    if (letter === "e") return this.open();
    // Not among the reasons: it leads to one's own words.
    if (letter === "o") return this.focusOn("#id_reason");
    if (letter === "x") return this.focusOn("#id_remark");
    if (letter.length === 1 && place >= 0) return this.click(`[name=stock][value="${place}"]`);
    return letter.length === 1 && this.click(`[data-press="${letter}"]`);
  }

  click(selector) {
    const found = document.querySelector(selector);
    found?.click();
    return Boolean(found);
  }

  focusOn(selector) {
    const found = document.querySelector(selector);
    found?.focus();
    return Boolean(found);
  }

  open() {
    if (!this.editor) return false;
    this.editor.open = true;
    this.editor.querySelector("textarea, [data-text], input:not([type=hidden], [hidden])")?.focus();
    return true;
  }

  begin(event, { dataset }) {
    const text = this.editor.querySelector("textarea");
    const spans = this.editor.querySelector("span-annotator [name=spans]");
    // Other kinds are filled in by the server.
    if (!text && !(spans && dataset.spans)) return;
    event.preventDefault();
    if (text) text.value = dataset.text;
    else {
      spans.value = dataset.spans;
      spans.dispatchEvent(new Event("change"));
    }
    this.open();
  }

  /** Fragments that are ticked stand out in the lanes. */
  showKept() {
    for (const bar of this.ownerDocument.querySelectorAll("label.bar")) {
      bar.classList.toggle("kept", Boolean(document.getElementById(bar.htmlFor)?.checked));
    }
  }
}

customElements.define("conflict-desk", ConflictDesk);
