// The outbox: what was sent waits here, in this browser, until the server has said yes. One is sent at a time, the
// oldest first, by one tab; what the server refuses for good steps aside, so that it blocks nothing and is not lost.

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 300000;
const PATIENCE_MS = 60000;
const KEPT_FOR_MS = 30 * 24 * 3600 * 1000;
const REFUSED = new Set([400, 404, 405, 409, 410, 413, 422]);

export class Outbox extends EventTarget {
  /** @param {string} owner whose words these are: others who sign in on this device never see or send them */
  constructor(owner) {
    super();
    this.owner = owner;
    this.pause = FIRST_PAUSE_MS;
    this.memory = new Map();
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel("wordhearth-outbox") : null;
    this.channel?.addEventListener("message", ({ data }) => this.tell(data));
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
  }

  /** Keep {id, action, fields, words, about} to be sent; returns whether it outlives this page. */
  async put(entry) {
    const kept = { ...entry, owner: this.owner, state: "waiting", message: "", at: Date.now() };
    try {
      await store("outbox", "put", kept);
      this.memory.delete(entry.id);
    } catch {
      this.memory.set(entry.id, kept);
    }
    this.announce({});
    return !this.memory.has(entry.id);
  }

  /** This person's entries, oldest first. */
  async all() {
    const kept = await store("outbox", "getAll").catch(() => []);
    const mine = [...kept, ...this.memory.values()].filter(({ owner }) => owner === this.owner);
    return mine.sort((one, other) => one.at - other.at);
  }

  /** What became of the entry with that id: "waiting", "attention", "sent", or "" when nothing is known of it. */
  async stateOf(id) {
    const entry = (await this.all()).find((one) => one.id === id);
    return entry?.state ?? ((await this.wasSent(id)) ? "sent" : "");
  }

  /** {said} by the server when it stored the entry with that id, or null. */
  async wasSent(id) {
    return (await store("sent", "get", id).catch(() => null)) ?? null;
  }

  async drop(id) {
    this.memory.delete(id);
    await store("outbox", "delete", id).catch(() => {});
    this.announce({});
  }

  /** Send one that stepped aside once more. */
  async again(entry) {
    await this.put(entry);
    return this.flush();
  }

  /** Send all that waits, and see what became of the one with that id: {next}, {refused}, {signedOut} or {}. */
  async deliver(id, token) {
    let outcome = {};
    const watch = ({ detail }) => detail.id === id && (outcome = detail.reply);
    this.addEventListener("settled", watch);
    await this.flush({ token, waits: true });
    this.removeEventListener("settled", watch);
    if (!outcome.next && !outcome.refused && this.isSignedOut) return { signedOut: true };
    return outcome;
  }

  /** Send what waits, unless another tab does so already (`waits`: then do it after that tab). */
  async flush({ token = "", waits = false } = {}) {
    clearTimeout(this.timer);
    const work = (lock) => (lock === null ? true : this.sendAll(token));
    const isDone = navigator.locks
      ? await navigator.locks.request("wordhearth-outbox", { ifAvailable: !waits }, work)
      : await work();
    const left = (await this.all()).some(({ state }) => state === "waiting");
    clearTimeout(this.timer);
    if (left) this.timer = setTimeout(() => this.flush(), this.pause);
    if (!isDone) this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
  }

  /** Under the lock: one after another until one gets no answer; whether all got one. */
  async sendAll(token) {
    this.isSignedOut = false;
    for (;;) {
      const entry = (await this.all()).find(({ state }) => state === "waiting");
      if (!entry) return true;
      let reply = token ? await post(entry, token) : { staleToken: true };
      if (reply.staleToken) {
        token = await freshToken(this.owner);
        reply = token ? await post(entry, token) : { signedOut: token === null };
      }
      this.isSignedOut = Boolean(reply.signedOut || reply.staleToken);
      if (!reply.next && !reply.refused) return false;
      await this.settle(entry, reply);
      this.pause = FIRST_PAUSE_MS;
    }
  }

  /** The server has answered: forget the entry, or set it aside with the reason. */
  async settle(entry, reply) {
    // Edited while it was under way: what waits now is another answer, and goes its own way.
    const now = (await this.all()).find(({ id }) => id === entry.id);
    if (now && now.at === entry.at) {
      if (reply.next) {
        await store("sent", "put", { id: entry.id, at: Date.now(), said: reply.said }).catch(() => {});
        this.memory.delete(entry.id);
        await store("outbox", "delete", entry.id).catch(() => {});
      } else {
        const aside = { ...entry, state: "attention", message: reply.refused.message };
        if (this.memory.has(entry.id)) this.memory.set(entry.id, aside);
        else await store("outbox", "put", aside);
      }
    }
    this.announce({ id: entry.id, reply });
  }

  /** Tell this tab and the others. */
  announce(news) {
    this.channel?.postMessage(news);
    this.tell(news);
  }

  tell(news) {
    if (news.id) this.dispatchEvent(new CustomEvent("settled", { detail: news }));
    this.dispatchEvent(new Event("change"));
  }
}

/** The outbox of the person that this page belongs to, one for the whole page. */
export function outboxOf(owner) {
  outboxes[owner] ??= new Outbox(owner);
  return outboxes[owner];
}
const outboxes = {};

/** One request to the database of this browser; rejects where there is none. */
export async function store(name, verb, ...values) {
  const database = await opened();
  return new Promise((resolve, reject) => {
    const mode = verb.startsWith("get") ? "readonly" : "readwrite";
    // Strict: a phone that dies in the next second has written it.
    const transaction = database.transaction(name, mode, { durability: "strict" });
    const request = transaction.objectStore(name)[verb](...values);
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

let opening;
function opened() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("wordhearth", 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of [["outbox", "id"], ["sent", "id"], ["packets", "url"]]) {
        request.result.createObjectStore(name, { keyPath });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).then(forgetOld);
  return opening;
}

/** What was sent is remembered for a month, so that a packet opened again knows. */
async function forgetOld(database) {
  const sent = database.transaction("sent", "readwrite").objectStore("sent");
  sent.getAll().onsuccess = ({ target }) => {
    for (const { id, at } of target.result) if (Date.now() - at > KEPT_FOR_MS) sent.delete(id);
  };
  return database;
}

/** Send once. What came of it: {next}, {refused}, {signedOut}, {staleToken}, or {} when nothing certain is known. */
async function post(entry, token) {
  const body = new FormData();
  for (const [name, value] of entry.fields) body.append(name, value);
  body.set("csrfmiddlewaretoken", token);
  body.set("sender", entry.owner);
  // Beyond this, the person has gone on to something else and nobody can be asked.
  if (Date.now() - entry.at > PATIENCE_MS) body.set("later", "1");
  let response;
  try {
    const signal = AbortSignal.timeout?.(PATIENCE_MS);
    response = await fetch(entry.action, { method: "POST", body, signal, headers: { Accept: "application/json" } });
  } catch {
    return {};
  }
  if (response.status === 401) return { signedOut: true };
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const reply = isJson ? await response.json().catch(() => ({})) : {};
  if (response.ok && reply.next) return reply;
  // A service's own no comes as JSON; a page with 403 is the one about a stale form.
  if (response.status === 403) return isJson ? { refused: reply } : { staleToken: true };
  if (REFUSED.has(response.status)) return { refused: isJson ? reply : { message: response.statusText } };
  return {};
}

/** A token for this session; null when somebody else or nobody is signed in, "" without a connection. */
async function freshToken(owner) {
  try {
    const response = await fetch("/online/", { cache: "no-store", headers: { Accept: "application/json" } });
    const { person, token } = await response.json();
    return person === owner ? token : null;
  } catch {
    return "";
  }
}
