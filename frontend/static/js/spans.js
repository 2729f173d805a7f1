// Arithmetic of spans, without a page. Offsets are UTF-16 units here and code points on the wire: Ruler.read and
// Ruler.write alone turn one into the other.

/** @typedef {{start: number, end: number}} Piece */
/** @typedef {Piece & {id: number, label: string, suggested_by: string, offered: boolean}} Span */

// A letter after one of these belongs to the letter before, however old the browser.
const JOINS = /[\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u1039\u17d2\u1a60]\u200d?$/;

// Without Intl.Segmenter, about the same: a sign or a flag's two with all that hangs on it, but jamo come apart.
const ABOUT = {
  grapheme: /\r\n|(?:\p{RI}{2}|.)(?:[\p{M}\u200c\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]|\u200d\p{Extended_Pictographic}?)*/gsu,
  word: /[\p{L}\p{M}\p{N}\u200c\u200d'’]+/gu,
};

const EDITED = "+edited";
let lastId = 0;

/** @returns {Span} */
const named = (span) => ({ suggested_by: "", offered: false, ...span, id: (lastId += 1) });
const inOrder = (one, other) => one.start - other.start || other.end - one.end;
export const twin = (list, { start, end, label }) =>
  list.find((one) => one.start === start && one.end === end && one.label === label);
export const holds = (outer, inner) => outer.start <= inner.start && outer.end >= inner.end;

export class Ruler {
  constructor(text, language) {
    this.text = text;
    this.clusters = graphemes(text, language);
    this.letters = this.clusters.filter((piece) => this.quote(piece).trim());
    this.words = words(text, language).map((word) => this.trim(word));
  }

  quote({ start, end }) {
    return this.text.slice(start, end);
  }

  /** @returns {Span[]} */
  read(json, offered) {
    const units = [0];
    for (const character of this.text) units.push(units.at(-1) + character.length);
    return JSON.parse(json || "[]").flatMap((span) => {
      const piece = this.trim({ start: units[span.start], end: units[span.end] });
      return piece ? named({ ...span, ...piece, offered }) : [];
    });
  }

  write(spans) {
    const points = (unit) => [...this.text.slice(0, unit)].length;
    const wire = ({ start, end, label, suggested_by }) => ({ start: points(start), end: points(end), label, suggested_by });
    return JSON.stringify(spans.map(wire));
  }

  /** Widen a piece to whole clusters, without spaces at its ends. */
  trim({ start, end }) {
    const touched = this.letters.filter((piece) => piece.end > start && piece.start < end);
    return touched.length ? { start: touched[0].start, end: touched.at(-1).end } : undefined;
  }

  /** Move the "start" or "end" of a piece to the next (1) or last (-1) of some stops. */
  step({ start, end }, edge, by, stops) {
    const moved = { start, end };
    const places = stops.map((stop) => stop[edge]).filter((place) => (place - moved[edge]) * by > 0);
    moved[edge] = places.at(by > 0 ? 0 : -1);
    return moved.start < moved.end ? moved : undefined;
  }

  next({ start, end }, by, pieces) {
    return by > 0 ? pieces.find((piece) => piece.start >= end) : pieces.filter((piece) => piece.end <= start).at(-1);
  }

  /** The word around a piece, or the piece itself between words. */
  wordAround(piece) {
    return this.words.find((word) => holds(word, piece)) ?? piece;
  }

  /** Every place with the same letters, which begins or ends with a word where this piece does. */
  alikeTo({ start, end }) {
    const fold = (from) => this.text.slice(from, from + end - start).toLowerCase();
    const like = (edge, place) => (this.words.some((word) => word[edge] === place) ? this.words : this.letters);
    const ends = like("end", end).map((piece) => piece.end);
    return like("start", start)
      .map((piece) => ({ start: piece.start, end: piece.start + end - start }))
      .filter((place) => fold(place.start) === fold(start) && ends.includes(place.end));
  }
}

/** An answer while it is made. Each act returns what came of it in a word, and of which span. */
export class Labelling {
  /** @param {Span[]} spans @param {Span[]} offers */
  constructor(spans, offers) {
    const isEdit = (span, offer) =>
      span.suggested_by === offer.suggested_by + EDITED && span.start < offer.end && offer.start < span.end;
    const open = offers.filter((offer) => !twin(spans, offer) && !spans.some((span) => isEdit(span, offer)));
    this.states = [[...spans, ...open].sort(inOrder)];
    this.at = 0;
  }

  get all() {
    return this.states[this.at];
  }

  get spans() {
    return this.all.filter(({ offered }) => !offered);
  }

  /** Give a label to one place or several; a suggestion that says the same is thereby accepted. */
  add(about, places, word) {
    const wanted = places.map(({ start, end }) => ({ start, end, label: about.label }));
    const fresh = wanted.filter((place) => !twin(this.spans, place));
    if (!fresh.length) return ["already", about];
    const accepted = this.all.map((one) => (twin(fresh, one) ? { ...one, offered: false } : one));
    const more = fresh.filter((place) => !twin(this.all, place)).map(named);
    return this.become([...accepted, ...more], word, { ...about, count: fresh.length });
  }

  /** Change label or edges. What began as a suggestion says so; an open one is thereby accepted. */
  edit(span, change) {
    const by = span.suggested_by.replace(EDITED, "");
    const next = { ...span, ...change, offered: false, suggested_by: by && by + EDITED };
    const other = twin(this.all, next);
    if (other && (other === span || !other.offered)) return this.add(next, [next], "accept");
    return this.become(this.all.filter((one) => one !== other).map((one) => (one === span ? next : one)), "changed", next);
  }

  remove(span) {
    return this.become(this.all.filter((one) => one !== span), span.offered ? "dismissed" : "removed", span);
  }

  become(all, word, about) {
    this.at += 1;
    this.states.splice(this.at, Infinity, all.sort(inOrder));
    return [word, about];
  }

  /** Undo (-1), or do again (1). */
  travel(by) {
    if (!this.states[this.at + by]) return [];
    this.at += by;
    return [by < 0 ? "undone" : "redone"];
  }
}

/** @returns {Piece[]} */
function graphemes(text, language) {
  const pieces = [];
  for (const piece of cut(text, language, "grapheme")) {
    const isJoined = JOINS.test(text.slice(0, piece.start).slice(-2)) && /^\p{L}/u.test(text.slice(piece.start));
    if (isJoined && pieces.length) pieces.at(-1).end = piece.end;
    else pieces.push(piece);
  }
  return pieces;
}

/** Emoji are words, punctuation is not. @returns {Piece[]} */
function words(text, language) {
  return cut(text, language, "word").filter(({ start, end }) => /[^\s\p{P}\p{Cf}]/u.test(text.slice(start, end)));
}

function cut(text, language, granularity) {
  const found = Intl.Segmenter
    ? [...new Intl.Segmenter(language, { granularity }).segment(text)]
    : Array.from(text.matchAll(ABOUT[granularity]), ({ index, 0: segment }) => ({ index, segment }));
  return found.map(({ index, segment }) => ({ start: index, end: index + segment.length }));
}
