// Unsent text, kept in this browser for one person, so that a reload loses nothing.

const ROOM = "wordhearth";
const KEPT_FOR_MS = 30 * 24 * 3600 * 1000;

export class Drafts {
  /** @param {string} owner whose drafts these are: others who sign in on this device never see them */
  constructor(owner, storage = safeStorage(), now = Date.now) {
    this.prefix = `${ROOM}:${owner}:`;
    this.storage = storage;
    this.now = now;
  }

  /** Store the fields of a form as [name, value]; returns whether they are safe. */
  keep(key, fields) {
    try {
      this.storage.setItem(this.prefix + key, JSON.stringify({ fields, at: this.now() }));
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

  /** Forget what is older than a month. */
  tidy() {
    if (!this.storage) return;
    for (const name of Object.keys(this.storage).filter((one) => one.startsWith(this.prefix))) {
      const key = name.slice(this.prefix.length);
      if (!(this.now() - this.read(key)?.at < KEPT_FOR_MS)) this.drop(key);
    }
  }
}

function safeStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
