// @ts-nocheck: runs in a browser's page
// The index is pagefind's: parts of it are fetched as they are needed, all from the site's own folder.
const MOST = 20;
const field = document.getElementById("q");
const told = document.getElementById("found");
const PARTS = ["text", "API"];
let pagefind;
let asked = 0;

async function search(words) {
  const question = ++asked;
  pagefind ??= await import(new URL("../pagefind/pagefind.js", import.meta.url).href);
  const counts = [];
  for (const part of PARTS) {
    const { results } = words.trim() ? await pagefind.search(words, { filters: { part } }) : { results: [] };
    const shown = await Promise.all(results.slice(0, MOST).map((result) => result.data()));
    if (question !== asked) return; // a newer one is on its way
    const section = document.getElementById(`${part}-results`);
    section.hidden = shown.length === 0;
    section.querySelector("ol").replaceChildren(...shown.map(entry));
    counts.push(results.length);
  }
  const [texts, names] = counts;
  told.textContent = !words.trim()
    ? ""
    : texts + names === 0
      ? `Nothing is found for “${words}”.`
      : `${texts} of the pages, ${names} of the API${Math.max(texts, names) > MOST ? `; the first ${MOST} of each are shown` : ""}`;
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
