// The description of the API, for people.

import { modelPath, request } from "./api.js";
import { compact, curlLine, groups, takesImage, unanswered, verb } from "./api_document.js";
import { announce, el } from "./dom.js";
import { fittedBody } from "./example_body.js";
import { currentKey } from "./key.js";
import { failure, loading } from "./notices.js";

const main = document.getElementById("main");
const base = new URL(".", document.baseURI).href.replace(/\/$/, "");
const names = { model: new URLSearchParams(location.search).get("model") ?? "" };
const lines = []; // what changes with the model
let details = {}; // null: there is no such model
let keyed = currentKey() !== null;
const missed = el("p", { id: "model-missing", class: "problem", role: "alert" });

async function show() {
  main.replaceChildren(loading("the description"));
  try {
    const response = await fetch("openapi.json");
    if (!response.ok) throw Object.assign(new Error(`/openapi.json answered ${response.status}.`), { status: response.status });
    main.replaceChildren(page(await response.json()));
  } catch (error) {
    main.replaceChildren(el("h1", {}, "API"), failure(error, show));
  }
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function page(document) {
  const found = groups(document);
  const field = el("input", { id: "model-name", type: "text", value: names.model, placeholder: "housing", autocomplete: "off", spellcheck: "false", "aria-describedby": missed.id, onchange: learn, oninput: () => {
    names.model = field.value.trim();
    details = {};
    refreshLines();
  } });
  return el("div", { class: "stack docs" },
    el("h1", {}, "API"),
    (document.info?.description ?? "").split(/\n\n+/).map((paragraph) => el("p", { class: "about" }, withCode(paragraph))),
    el("p", { class: "about" }, "Where the gateway asks for a key, send it as the header ", el("code", {}, "x-api-key"), ". The same description for programs: ", el("a", { href: "openapi.json" }, "openapi.json"), "."),
    el("div", { class: "card choice" }, el("label", { for: "model-name" }, "Show the lines for the model"), field, missed),
    el("nav", { class: "contents", "aria-label": "Calls" }, found.map(({ name, calls }) => el("div", {},
      el("p", { class: "soft small" }, name),
      el("ul", {}, calls.map((call) => el("li", {}, el("a", { href: `#${call.id}` }, method(call), " ", call.path))))))),
    found.map(({ name, calls }) => el("section", { class: "stack" }, el("h2", {}, name), calls.map(described))));
}

/** Do this now, and whenever another model is named or known. */
function follow(refresh) {
  lines.push(refresh);
  refresh();
}

function refreshLines() {
  missed.textContent = details === null ? `There is no model ${names.model} here.` : "";
  for (const refresh of lines) refresh();
}

/** The columns of the model that is named; without them, or without a key for them, the lines stay general. */
async function learn() {
  const { model } = names;
  // Without a model only whether a key is wanted can be learned.
  const found = await request(model === "" ? "models" : modelPath(model), { quiet: true }).catch((error) => ({ body: {}, status: error.status }));
  if (model !== names.model) return;
  details = found.status === 404 ? null : model === "" ? {} : (found.body ?? {});
  keyed ||= found.status === 401;
  refreshLines();
}

/** A text whose `parts` are code. */
function withCode(text) {
  return text.trim().split("`").map((part, number) => (number % 2 === 1 ? el("code", {}, part) : part));
}

function method(call) {
  return el("span", { class: "method" }, call.method);
}

function described(call) {
  const values = call.examples.length > 0 ? call.examples : [{ summary: "", value: undefined }];
  const good = call.answers.find(({ status }) => status === "200");
  const lack = el("p", { class: "soft small" });
  const hint = verb(call.path) === ":predict" ? uploadHint() : null;
  const tries = el("div", { class: "stack" },
    hint,
    values.map(({ summary, value }) => tryLine(call, summary, value)),
    good?.example === undefined ? null : el("div", { class: "try" }, el("p", { class: "soft small" }, "gives"), code(compact(good.example), "What it gives")));
  follow(() => {
    const why = unanswered(call, names.model, details);
    lack.textContent = why ?? "";
    [lack.hidden, tries.hidden] = [why === null, why !== null];
    if (hint !== null) hint.hidden = !takesImage(details?.signatures ?? {});
  });
  return el("article", { class: "card stack", id: call.id },
    el("h3", { class: "call" }, method(call), " ", el("code", {}, call.path)),
    el("p", {}, call.summary, call.about ? `. ${call.about}` : ""),
    call.also.length > 0 ? el("p", { class: "soft small" }, "Also ", call.also.map((path, number) => [number > 0 ? ", " : "", el("code", {}, path)])) : null,
    call.parameters.length > 0 ? el("p", { class: "soft small" }, "In the address, if wanted: ", call.parameters.map(({ name }, number) => [number > 0 ? ", " : "", el("code", {}, `?${name}=`)])) : null,
    lack,
    tries,
    refusals(call));
}

/** Files need no base64. */
function uploadHint() {
  return el("p", { class: "soft small" }, "Image files are easier sent as they are: ", el("a", { href: "#post-predict-model-image" }, "POST /predict/{model}/image"), ".");
}

function refusals(call) {
  const others = call.answers.filter(({ status }) => status !== "200");
  if (others.length === 0) return null;
  return el("details", {}, el("summary", {}, "When it does not work"),
    el("table", { class: "values" },
      el("thead", { class: "unseen" }, el("tr", {}, el("th", { scope: "col" }, "Status"), el("th", { scope: "col" }, "Meaning"))),
      el("tbody", {}, others.map(({ status, about, example }) => el("tr", {},
        el("th", { scope: "row" }, status),
        el("td", {}, about, example?.error && example.error !== "..." ? [el("br"), el("code", { class: "soft" }, example.error)] : null))))));
}

function tryLine(call, summary, value) {
  const shown = el("code");
  follow(() => {
    shown.textContent = curlLine(call, base, names, value && fittedBody(value, verb(call.path).slice(1), details ?? {}), keyed);
  });
  const copy = el("button", { class: "button small", type: "button", "aria-label": `Copy the line for ${call.method} ${call.path}${summary ? `, ${summary}` : ""}`, onclick: () => copied(copy, shown) }, "Copy");
  return el("div", { class: "try" }, summary ? el("p", { class: "soft small" }, summary) : null, el("div", { class: "line" }, el("pre", { tabindex: 0, "aria-label": "A line for a shell" }, shown), copy));
}

function code(text, label) {
  return el("pre", { tabindex: 0, "aria-label": label }, el("code", {}, text));
}

async function copied(button, shown) {
  const good = await toClipboard(shown);
  button.textContent = good ? "Copied" : "Press Ctrl+C";
  announce(good ? "Copied" : "The line is selected; press Control C");
  setTimeout(() => {
    button.textContent = "Copy";
  }, 2000);
}

/** Pages without TLS have no clipboard: there the line is selected, and the browser is asked in the old way. */
async function toClipboard(shown) {
  try {
    await navigator.clipboard.writeText(shown.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return document.execCommand("copy");
  }
}

async function showModelsLink() {
  const about = await fetch("page/about.json").then((response) => response.json()).catch(() => ({ page: false }));
  document.querySelector('[data-nav="models"]').hidden = !about.page;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
showModelsLink();
show();
learn();
