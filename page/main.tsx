/** The page's beginning: what was computed when it was built is painted, then the model is loaded. */

import tables from "tables:page";
import { render } from "preact";
import { App } from "./views/app";

const root = document.getElementById("page")!;
root.replaceChildren();
render(<App tables={tables} />, root);

// on a server of files the page keeps itself for when there is no network; a file opened by itself has no service worker
if ("serviceWorker" in navigator && location.protocol.startsWith("http"))
  navigator.serviceWorker
    .register("service-worker.js")
    .catch((error) => console.warn(`Not kept for offline use: ${error}`));
