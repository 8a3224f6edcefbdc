// The same input on two versions, side by side.

import { answerCard, bar, picture, sentence } from "./answers.js";
import { areChosen, askable, askingForm, notServed, versionChoice } from "./asking.js";
import { difference } from "./difference.js";
import { el, icon } from "./dom.js";
import { words } from "./format.js";
import { failure, remark } from "./notices.js";
import { placeOf } from "./router.js";

/** Fill the panel. The two versions stand in the address, so that a comparison can be passed on. */
export function compareView(panel, { model, details, place, signal, input }) {
  const versions = askable(details);
  const given = input();
  const asked = place.rest.slice(0, 2);
  const missing = notServed(asked, details);
  if (missing !== null) panel.append(missing);
  if (given === null || versions.length < 2) {
    panel.append(remark(given === null
      ? "This model has no form, so there is nothing to compare here."
      : `Comparing takes two versions that are served; of ${model} there is ${versions.length === 1 ? `one: version ${versions[0]}` : "none"}. How many a model server keeps is its version policy's to say.`));
    return;
  }
  const options = versions.map((version) => [version, version === details.live ? `Version ${version} (live)` : `Version ${version}`]);
  const first = asked[0] ?? String(versions[0]);
  const second = asked[1] ?? String(versions.find((version) => String(version) !== first));
  const left = versionChoice("left", "First", options, first, remember);
  const right = versionChoice("right", "Second", options, second, remember);
  function remember() {
    if (!areChosen(left, right)) return;
    missing?.remove();
    history.replaceState(null, "", placeOf(model, "compare", left.select.value, right.select.value));
  }
  async function ask(run) {
    const send = await given.question();
    const sides = [left, right].map(({ select }) => Number(select.value));
    return sideBySide(await Promise.all(sides.map((version) => sideOf(version, send, signal))), send, signal, run);
  }
  panel.append(...askingForm({ input: given, examples: details.form.examples, choices: [left, right], label: "Compare", ask }));
}

/** One version's answers, or why there are none. */
async function sideOf(version, send, signal) {
  try {
    return { version, answers: await send(version, signal), error: null };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return { version, answers: [], error };
  }
}

/** The comparison; where a side failed, what the other says, and the way to ask the failed one again about the same. */
function sideBySide(sides, send, signal, run) {
  const [left, right] = sides;
  if (left.error === null && right.error === null) {
    const cards = left.answers.map((answer, number) => comparison(answer, right.answers[number]));
    return { elements: cards.map(({ element }) => element), said: cards.map(({ headline }) => headline).join(". ") };
  }
  // One cause is told once.
  if (left.error !== null && right.error !== null && left.error.status === right.error.status) throw left.error.retryAfter > right.error.retryAfter ? left.error : right.error;
  for (const side of sides) {
    side.element ??= half(side, () => run(async () => {
      const again = await sideOf(side.version, send, signal);
      return sideBySide(sides.map((other) => (other === side ? again : other)), send, signal, run);
    }));
  }
  const said = sides.flatMap(({ version, answers }) => answers.map((answer) => `Version ${version}: ${sentence(answer)}`));
  return { elements: [el("div", { class: "halves" }, sides.map(({ element }) => element))], said: said.join(". ") };
}

function half({ version, answers, error }, again) {
  return el("section", { class: "stack", "aria-label": `Version ${version}` },
    el("h3", {}, `Version ${version}`),
    error === null ? answers.map(answerCard) : failure(error, again));
}

function comparison(left, right) {
  const found = difference(left, right);
  const same = found.rows.every((row) => !row.differs);
  const element = el("article", { class: "card comparison" },
    el("div", { class: "side" }, picture(left), el("h3", {}, left.name)),
    el("p", { class: `verdict ${found.agree ? "agree" : "disagree"}` }, icon(found.agree ? "good" : "warn"), found.headline,
      found.agree && !same ? ", with other figures" : null),
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
