// Every version of a model: its state, its metrics, and how traffic is shared out.

import { el } from "./dom.js";
import { capital, percent, words } from "./format.js";
import { retryButton } from "./notices.js";
import { metricList, time, versionPill } from "./states.js";

/** Fill the panel. */
export function versionsView(panel, { details, again }) {
  if (details.problem) panel.append(el("div", { class: "notice bad", role: "alert" }, el("p", { class: "grow" }, capital(details.problem)), retryButton(again)));
  panel.append(traffic(details), el("ol", { class: "rows" }, details.versions.map((row) => el("li", {}, version(row, details.live)))));
}

function version(row, live) {
  return el("article", { class: "card" },
    el("div", { class: "head" }, el("h3", {}, `Version ${row.version}`), versionPill(row, live)),
    row.problem ? el("p", { class: "why" }, capital(row.problem)) : null,
    metricList(row.metrics),
    row.published_at ? el("p", { class: "soft small" },
      "Published ", time(row.published_at), ` · ${row.champion ? `judged against version ${row.champion}` : "the first that was judged"}`,
      row.run_id ? [" · run ", el("code", {}, row.run_id)] : null) : null);
}

function traffic({ arms = [], shadow, shadowed = {} }) {
  const all = arms.reduce((sum, arm) => sum + arm.weight, 0);
  const shares = arms.length === 0 ? "All of it goes to the newest version." : arms.map((arm) => `${name(arm)}: ${percent(arm.weight / all)}`).join(", ");
  return el("div", { class: "card" },
    el("h3", {}, "Traffic"),
    el("p", {}, shares),
    shadow ? el("p", {}, `Copies of ${percent(shadow.share)} go to ${name(shadow)}; nobody waits for them.`) : null,
    shadowed.counts ? el("p", { class: "soft small" }, `Copies since the start: ${Object.entries(shadowed.counts).map(([result, count]) => `${count} ${words(result)}`).join(", ")}.`) : null);
}

function name({ version: number, label }) {
  return number ? `version ${number}` : label ? `label ${label}` : "the newest version";
}
