// <span-annotator>: choose words by mouse, touch or keys, and label them. The answer goes into the hidden field; who
// else writes there (a draft) dispatches `change`.

import { Labelling } from "./spans.js";
import { Marks } from "./span-marks.js";
import { Ruler } from "./spans.js";
import { holds } from "./spans.js";
import { twin } from "./spans.js";

class SpanAnnotator extends HTMLElement {
  connectedCallback() {
    [this.text, this.dock, this.list] = ["text", "dock", "list"].map((name) => this.find(name));
    this.field = this.querySelector("[name=spans]");
    this.palette = [...this.dock.querySelectorAll("[data-label]")];
    this.lastLabel = this.palette[0].dataset.label;
    this.colours = new Map(this.palette.map(({ dataset }) => [dataset.label, dataset.colour]));
    this.ruler = new Ruler(this.text.textContent, this.text.lang);
    this.marks = new Marks(this.text, this.colours);
    this.read();
    this.listen();
    // Screen readers then let arrow keys through.
    Object.assign(this.text, { tabIndex: 0, role: "application", ariaLabel: this.dataset.name });
    // Last of all, in case something fails, the plain rows make way.
    for (const part of this.querySelectorAll("[data-live]")) part.hidden = false;
    for (const part of this.querySelectorAll("[data-plain]")) part.hidden = part.disabled = true;
  }

  find(name) {
    return this.querySelector(`[data-${name}]`);
  }

  read() {
    const offers = this.ruler.read(this.find("suggestions").textContent, true);
    this.labelling = new Labelling(this.ruler.read(this.field.value, false), offers);
    this.from = this.caret = this.ruler.letters[0];
    this.choose();
    this.draw();
  }

  listen() {
    this.addEventListener("pointerdown", ({ pointerType }) => (this.pointer = pointerType));
    this.addEventListener("focusin", ({ target }) => this.enter(target));
    this.addEventListener("click", (event) => this.onClick(event));
    this.addEventListener("keydown", (event) => this.onKey(event));
    this.field.addEventListener("change", () => this.read());
    document.addEventListener("selectionchange", () => this.onSelection());
    document.fonts.addEventListener("loadingdone", () => this.draw());
    new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(this.text);
  }

  /** Choose a piece or nothing; keys go on from there. */
  choose(piece, from, caret) {
    this.hold(undefined, piece, from, caret);
    this.say(piece ? "picked" : "start", piece);
  }

  hold(span, piece = span, from = piece, caret = piece) {
    this.held = span;
    this.picked = piece;
    this.firstTap = undefined;
    this.from = from ?? this.from;
    this.caret = caret ?? this.caret;
  }

  /** Hold the span whose row or mark this is. */
  enter(element) {
    const row = element.closest("[data-id]");
    const span = row && this.labelling.all.find(({ id }) => id === Number(row.dataset.id));
    if (row && span !== this.held) {
      this.hold(span);
      this.draw();
    }
    return row;
  }

  /** A drag, a long press, a reading tool. */
  onSelection() {
    const native = getSelection();
    const node = this.text.firstChild;
    if (native.isCollapsed || !native.containsNode(node, true)) return;
    const { startContainer, startOffset, endContainer, endOffset } = native.getRangeAt(0);
    const start = startContainer === node ? startOffset : 0;
    const end = endContainer === node ? endOffset : node.length;
    this.choose(this.ruler.trim({ start, end }));
    this.draw();
  }

  onClick(event) {
    const { target } = event;
    const row = this.enter(target);
    const button = target.closest("button");
    if (target === this.text) this.onTap(event);
    else if (button) this.press(button, row);
    else if (row === target) this.text.focus({ preventScroll: true });
    this.draw();
  }

  /** A finger's second tap reaches on from the first. */
  onTap({ clientX, clientY }) {
    if (!getSelection().isCollapsed) return;
    const word = this.marks.wordAt(clientX, clientY, this.ruler);
    const from = this.firstTap;
    this.choose(word && from ? hull(from, word) : word, from ?? word);
    if (this.pointer !== "mouse" && !from) this.firstTap = word;
  }

  /** Do what a button says, to the span held or the innermost around what is chosen. */
  press({ dataset }, row) {
    const { labelling, held, list } = this;
    const span = held ?? labelling.spans.filter((one) => holds(one, this.picked ?? this.caret)).at(-1);
    const place = [...list.children].indexOf(row);
    if (dataset.label) this.label(dataset.label);
    else if (dataset.edge) this.move(dataset);
    else if (dataset.travel) this.settle(labelling.travel(Number(dataset.travel)));
    else if (!span) this.say("nothing");
    else if (dataset.do === "remove") this.settle(labelling.remove(span));
    else this.settle(labelling.add(span, dataset.do === "same" ? this.ruler.alikeTo(span) : [span], dataset.do));
    if (dataset.do === "same" && span) {
      const detail = { word: this.ruler.quote(span), label: span.label };
      this.dispatchEvent(new CustomEvent("span-annotator:same-word", { bubbles: true, detail }));
    }
    if (!row || (row.isConnected && dataset.do !== "accept")) return;
    // What was pressed is gone: on to the next suggestion, or to the row in its place.
    const next = held.offered && list.querySelector(".offered [data-do=accept]");
    (next || list.children[place]?.querySelector("summary") || this.text).focus();
  }

  label(label) {
    this.lastLabel = label;
    const { held, labelling, ruler } = this;
    const piece = ruler.trim(this.picked ?? ruler.wordAround(this.caret));
    if (piece) this.settle(held ? labelling.edit(held, { label }) : labelling.add({ ...piece, label }, [piece], "added"));
    else this.say("nothing");
  }

  move({ edge, by, unit }) {
    const piece = this.picked && this.ruler.step(this.picked, edge, Number(by), this.ruler[unit]);
    if (piece && this.held) this.settle(this.labelling.edit(this.held, piece));
    else if (piece) this.choose(piece);
  }

  settle([word, about]) {
    const value = this.ruler.write(this.labelling.spans);
    if (value !== this.field.value) {
      this.field.value = value;
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    getSelection().removeAllRanges();
    this.hold(about && twin(this.labelling.all, about));
    this.draw();
    if (word) this.say(word, about);
  }

  onKey(event) {
    const { target } = event;
    const button = this.buttonFor(event);
    if (button) this.press(button, this.enter(target));
    else if (target !== this.text || !this.onTextKey(event)) return;
    event.preventDefault();
    this.draw();
    if (target === this.text) this.querySelector(".span-caret")?.scrollIntoView({ block: "nearest" });
  }

  /** The button with this key, also on the keyboard of another script. */
  buttonFor({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
    const before = ctrlKey || metaKey ? `control+${shiftKey ? "shift+" : ""}` : "";
    const names = altKey ? [] : [key, code.replace(/^(Key|Digit)/, "")].map((name) => before + name.toLowerCase());
    const has = (name) => ({ dataset }) => dataset.hotkey.split(" ").includes(name);
    return names.flatMap((name) => [...this.dock.querySelectorAll("[data-hotkey]")].filter(has(name)))[0];
  }

  onTextKey(event) {
    const { from, ruler } = this;
    if (event.key === "Enter") this.label(this.lastLabel);
    else if (event.key === "Escape") this.choose();
    else if (event.key === " ") this.choose(ruler.wordAround(this.caret));
    else {
      // By the direction of the paragraph, as a browser's own caret goes.
      const by = { ArrowLeft: -this.marks.side, ArrowRight: this.marks.side }[event.key];
      const piece = by
        ? ruler.next(this.caret, by, event.ctrlKey || event.altKey ? ruler.words : ruler.clusters)
        : { Home: ruler.clusters[0], End: ruler.clusters.at(-1) }[event.key];
      if (!piece) return false;
      if (event.shiftKey) this.choose(hull(from, piece), from, piece);
      else this.choose(ruler.words.includes(piece) ? piece : undefined, piece, piece);
      this.find("voice").textContent = ruler.quote(piece);
    }
    return true;
  }

  draw() {
    const { held, labelling, picked } = this;
    this.marks.draw(labelling.all, held, { "span-picked": picked, "span-caret": this.caret });
    this.drawList();
    for (const button of this.palette) button.ariaPressed = button.dataset.label === held?.label;
    for (const button of this.dock.querySelectorAll("[data-travel]")) {
      button.ariaDisabled = !labelling.states[labelling.at + Number(button.dataset.travel)];
    }
    this.dock.className = `span-dock ${picked ? "picked" : ""} ${held ? "held" : ""}`;
    if (document.activeElement.checkVisibility?.() === false) this.text.focus();
  }

  /** Rows that stay are left in place: somebody may be in one. */
  drawList() {
    const { list, labelling, held } = this;
    const rows = new Map([...list.children].map((row) => [Number(row.dataset.id), row]));
    for (const [id, row] of rows) if (!labelling.all.some((span) => span.id === id)) row.remove();
    labelling.all.forEach((span, place) => {
      const row = rows.get(span.id) ?? this.find("row").content.firstElementChild.cloneNode(true);
      if (list.children[place] !== row) list.insertBefore(row, list.children[place]);
      row.dataset.id = span.id;
      row.className = this.marks.dress(row.querySelector("b"), span, held);
      row.querySelector("q").textContent = this.ruler.quote(span);
      row.querySelector("small").textContent = span.suggested_by;
    });
  }

  say(word, about) {
    const known = { ...about, words: about && this.ruler.quote(about) };
    this.find("status").textContent = this.dataset[word].replace(/{(\w+)}/g, (_, name) => known[name]);
  }
}

function hull(one, other) {
  return { start: Math.min(one.start, other.start), end: Math.max(one.end, other.end) };
}

customElements.define("span-annotator", SpanAnnotator);
