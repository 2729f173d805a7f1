// Unsent text, kept in this browser for one person, so that a reload or a bad connection loses nothing.

const ROOM = "wordhearth";
const KEPT_FOR_MS = 30 * 24 * 3600 * 1000;

export class Drafts {
  /** @param {string} owner whose drafts these are: others who sign in on this device never see them */
  constructor(owner, storage = safeStorage(), now = Date.now) {
    this.prefix = `${ROOM}:${owner}:`;
    this.storage = storage;
    this.now = now;
  }

  /** Whether anything is kept at all: private windows may refuse. */
  get works() {
    return this.storage !== null;
  }

  /** Store a draft {action, fields, pending}; returns whether it is safe. */
  keep(key, draft) {
    try {
      this.storage.setItem(this.prefix + key, JSON.stringify({ ...draft, at: this.now() }));
      return true;
    } catch {
      return false;
    }
  }

  read(key) {
    try {
      return JSON.parse(this.storage.getItem(this.prefix + key));
    } catch {
      return null;
    }
  }

  drop(key) {
    this.storage?.removeItem(this.prefix + key);
  }

  /** [key, draft] of this person's drafts that were sent without an answer, oldest first. */
  pending() {
    return this.all().filter(([, draft]) => draft.pending).sort((one, other) => one[1].at - other[1].at);
  }

  /** Forget what is older than a month. */
  tidy() {
    for (const [key, draft] of this.all()) {
      if (this.now() - draft.at > KEPT_FOR_MS) this.drop(key);
    }
  }

  all() {
    if (!this.works) return [];
    return Object.keys(this.storage)
      .filter((name) => name.startsWith(this.prefix))
      .map((name) => name.slice(this.prefix.length))
      .map((key) => [key, this.read(key)])
      .filter(([, draft]) => draft);
  }
}

function safeStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
