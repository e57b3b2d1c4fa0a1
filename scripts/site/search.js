// @ts-nocheck: runs in a browser's page
// The index is pagefind's: parts of it are fetched as they are needed, all from the site's own folder.
const MOST = 30;
const field = document.getElementById("q");
const told = document.getElementById("found");
const list = document.getElementById("results");
let pagefind;

async function search(words) {
  if (!words.trim()) {
    list.replaceChildren();
    told.textContent = "";
    return;
  }
  pagefind ??= await import(new URL("../pagefind/pagefind.js", import.meta.url).href);
  const found = await pagefind.debouncedSearch(words, {}, 150);
  if (found === null) return; // a newer question is on its way
  const shown = await Promise.all(found.results.slice(0, MOST).map((result) => result.data()));
  if (field.value !== words) return;
  told.textContent =
    found.results.length === 0
      ? `Nothing is found for “${words}”.`
      : `${found.results.length} ${found.results.length === 1 ? "page" : "pages"}${found.results.length > MOST ? `, the first ${MOST} are shown` : ""}`;
  list.replaceChildren(...shown.map(entry));
}

function entry({ url, meta, excerpt }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = url;
  link.textContent = meta.title ?? url;
  const text = document.createElement("p");
  text.innerHTML = excerpt; // pagefind's own: escaped text of the site, with <mark>
  item.append(link, text);
  return item;
}

const ask = () =>
  search(field.value).catch((error) => {
    told.textContent = `Searching failed: ${error.message}`;
  });
field.value = new URLSearchParams(location.search).get("q") ?? "";
field.addEventListener("input", ask);
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  history.replaceState(null, "", `?q=${encodeURIComponent(field.value)}`);
  ask();
});
field.focus();
ask();
