// One model: its name, what is live of it, and the tab that the address names.

import { modelPath, request } from "./api.js";
import { askView } from "./ask_view.js";
import { compareView } from "./compare_view.js";
import { announce, el, refill } from "./dom.js";
import { capital } from "./format.js";
import { historyView } from "./history_view.js";
import { ImageInput } from "./input_images.js";
import { RowInput } from "./input_row.js";
import { failure, loading, retryButton, warning } from "./notices.js";
import { keepFresh } from "./refresh.js";
import { placeOf } from "./router.js";
import { leading, metricList, modelPill, newsOf, time } from "./states.js";
import { versionsView } from "./versions_view.js";

const TABS = { ask: ["Ask", askView], compare: ["Compare", compareView], versions: ["Versions", versionsView], history: ["History", historyView] };

// These ask the model itself.
const NEED_SERVER = ["ask", "compare"];
// These only tell, so that they can be told anew at any time.
const TELL = ["versions", "history"];

// What was entered stays when the person goes from tab to tab of one model.
let kept = { model: null, details: null, input: null };

/** The view: {title, element}. Headings stay the same elements while the rest is filled in: who is at one is not thrown off it. */
export function modelView(place, signal) {
  const { model, tab } = place;
  if (kept.model !== model) kept = { model, details: null, input: null };
  const [name, show] = TABS[tab];
  const state = el("div");
  const facts = el("div", { class: "facts" });
  const heading = el("h2", { class: "unseen", tabindex: -1 }, `${name}: ${model}`);
  const amiss = el("div", { hidden: true });
  const body = el("div", { class: "stack" });
  let freshenTab = null;
  const element = el("section", { class: "stack" },
    el("div", { class: "head" }, el("h1", { tabindex: -1 }, model), state), facts, tabs(model, tab), heading,
    TELL.includes(tab) ? keepFresh(freshen, signal) : null, amiss, body);

  function fillHead() {
    const { details } = kept;
    const problems = details.problems ?? [];
    state.replaceChildren(modelPill(details));
    facts.replaceChildren(...factsOf(details));
    amiss.hidden = problems.length === 0;
    amiss.replaceChildren(...(problems.length > 0 ? [warning(...problems.map(capital))] : []));
  }

  function fill() {
    const { details } = kept;
    fillHead();
    const panel = document.createDocumentFragment();
    if (NEED_SERVER.includes(tab) && details.live === null) panel.append(unavailable(details, again));
    else freshenTab = show(panel, { model, details, place, signal, again, input: () => inputOf(model, details) });
    refill(body, panel);
  }

  async function load() {
    try {
      remember((await request(modelPath(model), { signal })).body);
      fill();
    } catch (error) {
      if (error.name === "AbortError") return;
      body.replaceChildren(failure(error, again));
      // The ledger is the store's: it is read also while no server answers.
      if (tab === "history" && error.status !== 404) freshenTab = show(body, { model, signal });
    }
  }

  async function freshen() {
    await Promise.all([freshenDetails(), freshenTab?.()]);
  }

  async function freshenDetails() {
    const before = kept.details;
    const details = (await request(modelPath(model), { signal, quiet: true })).body;
    if (JSON.stringify(details) === JSON.stringify(before)) return;
    remember(details);
    if (before === null || tab === "versions") fill();
    else fillHead();
    const news = before === null ? null : newsOf(before, details);
    if (news !== null) announce(news);
  }

  async function again() {
    await load();
    heading.focus();
    announce(kept.details === null || kept.details.problem ? "Still not available" : "Available again");
  }

  if (kept.details === null) {
    body.append(loading(model));
    load();
  } else {
    fill();
  }
  return { title: `${name} – ${model}`, element };
}

/** Another form than before takes other values. */
function remember(details) {
  if (fieldsOf(details) !== fieldsOf(kept.details)) kept.input = null;
  kept.details = details;
}

function fieldsOf(details) {
  return JSON.stringify({ ...details?.form, examples: null });
}

function factsOf(details) {
  const version = leading(details);
  if (version === null) return [];
  const published = version.published_at ? el("p", { class: "soft small" }, `Version ${version.version} published `, time(version.published_at)) : null;
  return [metricList(version.metrics), published].filter((part) => part !== null);
}

function tabs(model, current) {
  return el("nav", { class: "tabs", "aria-label": `Pages of ${model}` },
    Object.entries(TABS).map(([tab, [name]]) => el("a", { href: placeOf(model, tab), "aria-current": tab === current ? "page" : null }, name)));
}

function unavailable(details, again) {
  return el("div", { class: "notice bad", role: "alert" },
    el("div", { class: "grow" },
      el("p", {}, el("strong", {}, "This model cannot be asked now"), el("br"), capital(details.problem ?? "no version of it is loaded."))),
    retryButton(again));
}

function inputOf(model, details) {
  kept.input ??= makeInput(model, details);
  return kept.input;
}

function makeInput(model, details) {
  if (!details.form) return null;
  const { fields } = details.form;
  return fields.length === 1 && fields[0].kind === "image" ? new ImageInput(model, fields[0].name) : new RowInput(model, details);
}
