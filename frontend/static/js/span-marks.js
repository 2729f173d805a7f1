// Draws spans over a text, and finds what stands where. The text stays one node, as an element's edge would pull
// joined letters apart: tints are custom highlights, the rest a layer.

const APART_PX = 3;
// A tap this near to a word means the word: fingers are wide.
const REACH_PX = 24;

export class Marks {
  /** @param {HTMLElement} text in a positioned parent @param {Map} colours by label */
  constructor(text, colours) {
    this.text = text;
    this.colours = colours;
    this.layer = document.createElement("div");
    this.layer.className = "span-marks";
    this.layer.ariaHidden = true;
    text.after(this.layer);
  }

  /** 1 where lines begin on the left, else -1. */
  get side() {
    return getComputedStyle(this.text).direction === "rtl" ? -1 : 1;
  }

  range({ start, end }) {
    const range = new Range();
    range.setStart(this.text.firstChild, start);
    range.setEnd(this.text.firstChild, end);
    return range;
  }

  /** Where a piece stands on the layer: a box for each line and direction. */
  boxes(piece) {
    const home = this.layer.getBoundingClientRect();
    const boxes = [...this.range(piece).getClientRects()].filter(({ width }) => width);
    return boxes.map(({ x, y, width, height }) => new DOMRect(x - home.x, y - home.y, width, height));
  }

  draw(spans, held, pieces) {
    // Folded away.
    if (!this.text.offsetParent) return;
    this.layer.replaceChildren();
    const length = ({ span }) => span.end - span.start;
    const marks = spans.map((span) => {
      const tag = this.put("b");
      this.dress(tag, span, held);
      tag.dataset.id = span.id;
      return { span, tag };
    });
    // The shortest nearest to the text: a span then lies above the one it is nested in.
    this.stack(marks.sort((one, other) => length(one) - length(other)));
    for (const { span, tag, x, lane } of marks) {
      const boxes = this.boxes(span);
      for (const box of boxes) place(this.put("i", `span-bar ${tag.className}`), box, box.x, lane);
      place(tag, boxes[0], x, lane);
    }
    for (const [name, piece] of Object.entries(pieces)) {
      for (const box of piece ? this.boxes(piece) : []) place(this.put("i", name), box, box.x);
    }
    for (const colour of this.colours.values()) {
      const own = spans.filter(({ label, offered }) => !offered && this.colours.get(label) === colour);
      CSS.highlights?.set(`span-${colour}`, new Highlight(...own.map((span) => this.range(span))));
    }
  }

  dress(tag, span, held) {
    const kind = `${span.offered ? "offered" : ""} ${span === held ? "current" : ""}`;
    tag.className = `label-${this.colours.get(span.label)} ${kind}`;
    tag.textContent = span.label;
    return kind;
  }

  put(name, className = "") {
    const element = document.createElement(name);
    element.className = className;
    return this.layer.appendChild(element);
  }

  /** Give each mark the first lane where it touches no other, and the lines room for the lanes. */
  stack(marks) {
    const { side } = this;
    const room = this.layer.clientWidth;
    marks.forEach((mark, index) => {
      const boxes = this.boxes(mark.span);
      const width = mark.tag.offsetWidth;
      const first = boxes.filter((box) => touch(box, boxes[0])).sort((one, other) => side * (one.x - other.x))[0];
      mark.x = Math.max(0, Math.min(side > 0 ? first.x : first.right - width, room - width));
      mark.reach = [...boxes, new DOMRect(mark.x, first.y, width, first.height)];
      const meets = (other) => mark.reach.some((box) => other.reach.some((its) => touch(box, its, APART_PX)));
      const taken = marks.slice(0, index).filter(meets).map(({ lane }) => lane);
      mark.lane = 0;
      while (taken.includes(mark.lane)) mark.lane += 1;
    });
    const [{ height }] = this.boxes({ start: 0, end: this.text.firstChild.length });
    this.text.style.setProperty("--glyphs", `${height}px`);
    this.text.style.setProperty("--lanes", Math.max(1, ...marks.map(({ lane }) => lane + 1)));
  }

  /** The word, or else the sign, at a point of the window. */
  wordAt(x, y, ruler) {
    const home = this.layer.getBoundingClientRect();
    const out = (at, from, to) => Math.max(from - at, 0, at - to);
    const far = (box) => out(x - home.x, box.left, box.right) + out(y - home.y, box.top, box.bottom);
    const away = (piece) => Math.min(...this.boxes(piece).map(far));
    const near = ruler.letters.filter((piece) => away(piece) < REACH_PX).sort((one, other) => away(one) - away(other));
    return near.length ? ruler.wordAround(near[0]) : undefined;
  }
}

/** Whether two boxes stand on one line, and so near. */
function touch(one, other, apart = Infinity) {
  const isOneLine = Math.abs(one.y - other.y) < one.height / 2;
  return isOneLine && one.left < other.right + apart && other.left < one.right + apart;
}

function place({ style }, { y, width, height }, x, lane) {
  style.cssText = `--x:${x}px;--y:${y}px;--w:${width}px;--h:${height}px;--lane:${lane}`;
}
