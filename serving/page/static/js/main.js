// The page's start: which view the address stands for, and what goes with changing it.

import { announce, el } from "./dom.js";
import { showForget } from "./key.js";
import { modelView } from "./model_view.js";
import { modelsView } from "./models_view.js";
import { parsePlace } from "./router.js";

const VIEWS = { models: modelsView, model: modelView, lost: lostView };
const main = document.getElementById("main");
let leave = new AbortController();
let before = null;

function show() {
  leave.abort();
  leave = new AbortController();
  announce(""); // what was said belongs to the view that is left
  const place = parsePlace(location.hash);
  const { title, element } = VIEWS[place.view](place, leave.signal);
  document.title = `${title} – Sluiceway`;
  document.querySelector('[data-nav="models"]').toggleAttribute("data-current", place.view === "models");
  main.replaceChildren(element);
  if (before !== null) arrived(element, before.view === "model" && place.view === "model" && before.model === place.model);
  before = place;
}

/** Someone who came by a link is where the new content begins: at the tab's heading, or at the page's. */
function arrived(element, sameModel) {
  if (!sameModel) scrollTo(0, 0);
  element.querySelector(sameModel ? "h2" : "h1")?.focus({ preventScroll: sameModel });
}

function lostView() {
  return { title: "Not found", element: el("section", { class: "stack" }, el("h1", { tabindex: -1 }, "There is nothing at this address"), el("p", {}, el("a", { href: "#/" }, "All models"))) };
}

/** The description of the API may be switched off. */
async function showDocsLink() {
  const about = await fetch("page/about.json").then((response) => response.json()).catch(() => ({ docs: false }));
  document.querySelector('[data-nav="docs"]').hidden = !about.docs;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address after "#" is the view's
  main.focus();
});
for (const missed of ["dragover", "drop"]) addEventListener(missed, (event) => event.preventDefault()); // beside its place, a file would replace the page
addEventListener("hashchange", show);
showForget();
showDocsLink();
show();
