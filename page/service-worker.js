// @ts-nocheck: the types of a service worker and of a page contradict each other
// Keeps the page for when there is no network. The build puts in the files and a name that their content has.
const CACHE = "acronym-circuit VERSION";
const FILES = "FILES";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const ours = (/** @type {string} */ name) => name.startsWith("acronym-circuit ") && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(ours).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// the network first, so that a new version is seen at once; what it can't give comes from the cache
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(
    fetch(event.request).catch(async () => {
      const kept = await caches.match(event.request, { ignoreSearch: true });
      return kept ?? Response.error();
    }),
  );
});
