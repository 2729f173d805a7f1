// Static files come from what is kept, pages from the network; without a connection, pages that were kept.
const SHELL = "shell-{{ version }}";
const PARTS = [{% for part in shell %}"{{ part|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const PATIENCE_MS = 8000;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(PARTS)));
});

addEventListener("activate", (event) => event.waitUntil(tidy().then(() => clients.claim())));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  // Whoever signs out may hand the phone on.
  if (request.method === "POST" && pathname.endsWith("/logout/")) event.waitUntil(caches.delete("packets"));
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/static/")) event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  else if (request.mode === "navigate") event.respondWith(page(request));
});

async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("shell-") && name !== SHELL).map((name) => caches.delete(name)));
}

function kept(request) {
  return caches.match(request, { ignoreSearch: true, ignoreVary: true });
}

async function page(request) {
  const copy = await kept(request);
  try {
    // Somebody who has a copy need not wait for a network that hardly answers.
    return await fetch(request, copy ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
  } catch {
    return copy ?? (await caches.match("{{ device|escapejs }}", { ignoreVary: true }));
  }
}
