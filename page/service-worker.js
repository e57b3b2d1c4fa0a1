// @ts-nocheck: the types of a service worker and of a page contradict each other
// Keeps the page, or the site, for when there is no network. The build puts in the files and a name that their content has.
// by its scope: the page and the site around it, or two of them on one server, are kept apart
const OURS = `acronym-circuit ${self.registration.scope} `;
const CACHE = `${OURS}VERSION`;
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
  const ours = (/** @type {string} */ name) => name.startsWith(OURS) && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(ours).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// the network first, so that a new version is seen at once; what it can't give comes from the cache, where all that was seen is kept
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(answer(event));
});

async function answer(event) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(cache.put(event.request, response.clone()).catch(() => {})); // no room: it is not kept
    return response;
  } catch {
    return (await cache.match(event.request, { ignoreSearch: true })) ?? Response.error();
  }
}
