// Answers on the page: bars for classes, a table for everything else, and under it which version gave it.

import { el } from "./dom.js";
import { number, percent, shown, words } from "./format.js";
import { areShares, best, labelOf } from "./outcome.js";

/** One answer. */
export function answerCard(answer) {
  return el("article", { class: "card answer" },
    picture(answer),
    el("div", { class: "grow" },
      el("h3", {}, answer.name),
      answer.classes === null ? null : bars(answer.classes),
      answer.values.length === 0 ? null : valueTable(answer.values),
      origin(answer)));
}

/** One line that says what an answer is. */
export function sentence(answer) {
  const first = best(answer);
  if (first !== null && first.label === labelOf(answer)) return `${answer.name}: ${first.label}, ${areShares(answer.classes) ? percent(first.score) : number(first.score)}`;
  return `${answer.name}: ${answer.values.map(([name, value]) => `${words(name)} ${shown(value)}`).join(", ")}`;
}

/** The picture that was asked about, where there is one. */
export function picture(answer) {
  return answer.picture === null ? null : el("img", { class: "thumb", src: answer.picture, alt: "", width: 112, height: 112 });
}

/** Which version answered, and the request's id for whoever reads the logs. */
export function origin(answer) {
  return el("p", { class: "soft small origin" }, answer.version === null ? "" : `Version ${answer.version} answered`,
    answer.requestId ? [" · request ", el("code", {}, answer.requestId)] : null);
}

function bars(classes) {
  const shares = areShares(classes);
  const largest = Math.max(...classes.map(({ score }) => Math.abs(score)), Number.MIN_VALUE);
  return el("ol", { class: "bars" }, classes.map(({ label, score }) =>
    el("li", {},
      el("span", { class: "label" }, label),
      el("span", { class: "figure" }, shares ? percent(score) : number(score)),
      bar(shares ? score : Math.abs(score) / largest))));
}

/** A bar that goes with a figure. `share`: 0 to 1. */
export function bar(share) {
  const fill = el("span", { class: "fill" });
  // A property set from a script, and not an attribute: the page's policy allows no style in its markup.
  fill.style.setProperty("inline-size", `${Math.max(0, Math.min(1, share)) * 100}%`);
  return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}

function valueTable(values) {
  return el("table", { class: "values" },
    el("caption", { class: "unseen" }, "The answer's values"),
    el("tbody", {}, values.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, words(name)), el("td", {}, shown(value))))));
}
