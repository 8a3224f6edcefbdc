// Words and signs for the state of models and versions. Never colour alone.

import { el, icon } from "./dom.js";
import { number, percent, times, words } from "./format.js";

const STATES = {
  AVAILABLE: ["good", "serving"],
  START: ["waiting", "about to load"],
  LOADING: ["waiting", "loading"],
  UNLOADING: ["waiting", "unloading"],
  END: ["", "not loaded"],
  NOT_SERVED: ["", "published, not served"],
};
const SHARES = /accuracy|precision|recall|share/;

/** A word with its sign. `kind`: good, bad, waiting, back or "" for neither. */
export function pill(kind, text) {
  return el("span", { class: `pill ${kind}` }, kind ? icon(kind) : null, text);
}

/** The state of a version, as the gateway tells it. */
export function versionPill(row, live) {
  if (row.version === live) return pill("good", "live");
  if (row.problem) return pill("bad", "failed");
  const [kind, text] = STATES[row.state] ?? ["", words(row.state.toLowerCase())];
  return pill(kind, text);
}

/** The state of a model. */
export function modelPill(model) {
  if (model.live !== null) return pill("good", `version ${model.live} is live`);
  if (model.problem) return pill("bad", "not available");
  if (model.versions.some((row) => row.state === "LOADING" || row.state === "START")) return pill("waiting", "loading");
  return pill("", "nothing is live");
}

/** The version that stands for a model: what is live, or the newest one. */
export function leading(model) {
  return model.versions.find((row) => row.version === model.live) ?? model.versions[0] ?? null;
}

/** One line on what became of a model that is worth hearing, or null. `before` is undefined where there was none. */
export function newsOf(before, after) {
  const [live, problem] = [before?.live ?? null, before?.problem];
  if (live === after.live && problem === after.problem) return null;
  return `${after.model}: ${after.problem ?? (after.live === null ? "nothing is live" : `version ${after.live} is live`)}`;
}

/** When, in this place's time; UTC on its title. */
export function time(iso) {
  const at = times(iso);
  return at === null ? el("span", {}, String(iso)) : el("time", { datetime: at.iso, title: at.utc }, at.here);
}

/** Metrics by name. `most`: so many at most. */
export function metricList(metrics, most = Infinity) {
  const entries = Object.entries(metrics ?? {}).filter(([, value]) => typeof value === "number");
  if (entries.length === 0) return null;
  // Counts say how much was looked at, and come last.
  entries.sort(([one], [other]) => Number(one.includes("count")) - Number(other.includes("count")));
  return el("dl", { class: "metrics" }, entries.slice(0, most).map(([name, value]) => el("div", {}, el("dt", {}, words(name)), el("dd", {}, metric(name, value)))));
}

/** A metric's value. */
export function metric(name, value) {
  return SHARES.test(name) && value >= 0 && value <= 1 ? percent(value) : number(value);
}
