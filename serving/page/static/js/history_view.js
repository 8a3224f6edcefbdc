// What happened to a model: publishes, refusals with every reason, rollbacks.

import { modelPath, request } from "./api.js";
import { el, refill } from "./dom.js";
import { capital, shown, words } from "./format.js";
import { failure, loading, remark } from "./notices.js";
import { metricList, pill, time } from "./states.js";

const KINDS = {
  publish: ["good", "published", (event) => `Version ${event.version} was published`],
  refuse: ["bad", "refused", (event) => `A candidate was refused by ${words(event.details.gate ?? "a gate")}`],
  rollback: ["back", "rolled back", (event) => (event.version === null ? "Rolled back" : `Rolled back to version ${event.version}`)],
  retire: ["", "retired", (event) => `Version ${event.version} was retired`],
};
// Told elsewhere in an entry, or said by its heading.
const TOLD = ["metrics", "reasons", "gate", "accepted", "champion", "run_id", "use_case", "fingerprint"];

/** Fill the panel. Gives what brings it up to date. */
export function historyView(panel, { model, signal }) {
  const body = el("div", { class: "stack" }, loading("the history"));
  panel.append(body);
  let shown = null;
  async function load(quiet) {
    const { events } = (await request(modelPath(model, "/history"), { signal, quiet })).body;
    const text = JSON.stringify(events);
    if (text === shown) return;
    shown = text;
    refill(body, events.length === 0 ? remark("Nothing has happened yet.") : el("ol", { class: "rows events" }, events.map((event) => el("li", {}, entry(event)))));
  }
  async function show() {
    try {
      await load(false);
    } catch (error) {
      if (error.name === "AbortError") return;
      shown = null;
      // A gateway without a version store knows no history: that is how it was set up, and no failure.
      body.replaceChildren(error.status === 404 ? remark(`${capital(error.message)}.`) : failure(error, show));
    }
  }
  show();
  return () => load(true).catch((error) => {
    if (error.status !== 404) throw error;
  });
}

function entry(event) {
  const [kind, word, title] = KINDS[event.kind] ?? ["", words(event.kind), () => words(event.kind)];
  const details = event.details ?? {};
  return el("article", { class: `card event ${event.kind}` },
    el("div", { class: "head" }, el("h3", {}, title({ ...event, details })), pill(kind, word)),
    el("p", { class: "soft small" }, time(event.at), event.run_id ? [" · run ", el("code", {}, event.run_id)] : null,
      details.champion ? ` · judged against version ${details.champion}` : null),
    details.reasons?.length > 0 ? reasons(details.reasons) : null,
    metricList(details.metrics),
    others(details));
}

function reasons(found) {
  return el("ul", { class: "reasons", "aria-label": "Reasons" }, found.map((reason) => el("li", {},
    el("p", {}, reason.message),
    reason.measured === null && reason.limit === null ? null : el("dl", { class: "metrics" },
      el("div", {}, el("dt", {}, "measured"), el("dd", {}, plain(reason.measured))),
      el("div", {}, el("dt", {}, "limit"), el("dd", {}, plain(reason.limit)))))));
}

function plain(value) {
  return value === null || value === undefined ? "–" : shown(value);
}

function others(details) {
  const left = Object.entries(details).filter(([name, value]) => !TOLD.includes(name) && value !== null && value !== "");
  return left.length === 0 ? null : el("dl", { class: "details" }, left.map(([name, value]) => el("div", {}, el("dt", {}, words(name)), el("dd", {}, shown(value)))));
}
