// @ts-nocheck: runs in a browser's page
// Figures are pictures; whoever wants one interactive asks for it, and only then plotly and its numbers are fetched.
const site = new URL(document.body.dataset.site, document.baseURI);
let plotly;

/** plotly's bundle is a plain script that sets a global. */
const loadPlotly = () =>
  (plotly ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL("assets/plotly.min.js", site);
    script.onload = () => done(globalThis.Plotly);
    script.onerror = () => fail(new Error("plotly could not be loaded"));
    document.head.append(script);
  }));

async function makeInteractive(figure, button) {
  const picture = figure.querySelector("img");
  button.disabled = true;
  button.textContent = "Loading …";
  try {
    const [Plotly, answer] = await Promise.all([loadPlotly(), fetch(new URL(figure.dataset.source, document.baseURI))]);
    if (!answer.ok) throw new Error(`the figure's numbers could not be loaded (${answer.status})`);
    const { data, layout, config } = await answer.json();
    const drawn = document.createElement("div");
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", picture.alt);
    picture.after(drawn);
    await Plotly.newPlot(drawn, data, layout, { displaylogo: false, ...config });
    picture.remove();
    figure.nextElementSibling?.classList.contains("doings") && figure.nextElementSibling.remove();
  } catch (error) {
    plotly = undefined;
    button.disabled = false;
    button.textContent = `Interactive: ${error.message}; try again`;
  }
}

for (const figure of document.querySelectorAll("figure[data-source]")) {
  const doings = document.createElement("p");
  doings.className = "doings";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Interactive";
  button.setAttribute("aria-label", `Interactive: ${figure.querySelector("img").alt}`);
  button.addEventListener("click", () => makeInteractive(figure, button));
  doings.append(button);
  figure.after(doings);
}

// what scrolls by itself can be reached by keyboard
const scrolling = () => {
  for (const box of document.querySelectorAll(".wide, .figure, pre"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
};
scrolling();
addEventListener("resize", scrolling);
addEventListener("toggle", scrolling, true); // a table that was not seen had no width

if ("serviceWorker" in navigator && location.protocol.startsWith("http")) {
  const isFirst = !navigator.serviceWorker.controller;
  navigator.serviceWorker
    .register(new URL("service-worker.js", site))
    .catch((error) => console.warn(`Not kept for offline use: ${error}`));
  // what came before it was there is asked for again, mostly of the browser's own cache, so that it is kept
  if (isFirst)
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      for (const picture of document.querySelectorAll("main img")) fetch(picture.src).catch(() => {});
    });
}
