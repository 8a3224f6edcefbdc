// The same input on two versions, side by side.

import { bar, picture } from "./answers.js";
import { askable, askingForm, choice } from "./asking.js";
import { difference } from "./difference.js";
import { el, icon } from "./dom.js";
import { words } from "./format.js";
import { remark } from "./notices.js";
import { placeOf } from "./router.js";

/** Fill the panel. The two versions stand in the address, so that a comparison can be passed on. */
export function compareView(panel, { model, details, place, signal, input }) {
  const versions = askable(details);
  const given = input();
  if (given === null || versions.length < 2) {
    panel.append(remark(given === null
      ? "This model has no form, so there is nothing to compare here."
      : `Comparing takes two versions that are served; of ${model} there is ${versions.length === 1 ? `one: version ${versions[0]}` : "none"}. How many a model server keeps is its version policy's to say.`));
    return;
  }
  const options = versions.map((version) => [version, version === details.live ? `Version ${version} (live)` : `Version ${version}`]);
  const [first, second] = chosen(place.rest.map(Number), versions);
  const left = choice("left", "First", options, first, remember);
  const right = choice("right", "Second", options, second, remember);
  function remember() {
    history.replaceState(null, "", placeOf(model, "compare", left.select.value, right.select.value));
  }
  async function ask() {
    const [one, other] = await Promise.all([left, right].map(({ select }) => given.ask(Number(select.value), signal)));
    const cards = one.map((answer, number) => comparison(answer, other[number]));
    return { elements: cards.map(({ element }) => element), said: cards.map(({ headline }) => headline).join(". ") };
  }
  panel.append(...askingForm({ input: given, choices: [left.element, right.element], label: "Compare", ask, signal }));
}

function chosen(asked, versions) {
  const [one, other] = asked;
  if (versions.includes(one) && versions.includes(other)) return [one, other];
  return [versions[0], versions[1]];
}

function comparison(left, right) {
  const found = difference(left, right);
  const same = found.rows.every((row) => !row.differs);
  const element = el("article", { class: "card comparison" },
    el("div", { class: "side" }, picture(left), el("h3", {}, left.name)),
    el("p", { class: `verdict ${found.agree ? "agree" : "disagree"}` }, icon(found.agree ? "good" : "warn"), found.headline,
      found.agree && !same && left.classes !== null ? ", with other figures" : null),
    el("table", { class: "compared" },
      el("caption", { class: "unseen" }, `${left.name}: version ${left.version} and version ${right.version}`),
      el("thead", {}, el("tr", {},
        el("th", { scope: "col" }, left.classes === null ? "Value" : "Class"),
        el("th", { scope: "col" }, `Version ${left.version}`),
        el("th", { scope: "col" }, `Version ${right.version}`),
        el("th", { scope: "col" }, "Change"))),
      el("tbody", {}, found.rows.map(comparedRow))),
    el("p", { class: "soft small origin" }, "Requests ", el("code", {}, left.requestId), " and ", el("code", {}, right.requestId)));
  return { element, headline: `${left.name}: ${found.headline}` };
}

function comparedRow(row) {
  const side = (text, score) => el("td", {}, el("span", { class: "figure" }, text), score === undefined ? null : bar(score));
  return el("tr", { class: row.differs ? "differs" : null },
    el("th", { scope: "row" }, words(row.name)),
    side(row.left, row.leftScore),
    side(row.right, row.rightScore),
    el("td", { class: "change" }, row.differs ? el("strong", {}, row.change || "other") : "same"));
}
