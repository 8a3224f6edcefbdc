// What asking once and asking twice have in common: the input, the button, and what happens when it is pressed.

import { announce, el } from "./dom.js";
import { exampleButtons } from "./examples.js";
import { failure, warning } from "./notices.js";

// In a choice of versions: none yet.
const OPEN = "open";

/**
 * A form around a model's input.
 *
 * `ask(run)`: sends what was entered and gives {elements, said}: what to show, and the sentence for those who do not see it. Later on,
 * `run` does the same with another such function in the place of `ask`.
 */
export function askingForm({ input, examples, choices, label, ask }) {
  const answers = el("div", { class: "answers stack" });
  const button = el("button", { class: "button primary" }, label);
  const lacks = el("p", { class: "problem", role: "alert" });
  let busy = false;

  async function send(event) {
    event?.preventDefault();
    if (busy) return;
    const open = choices.find(({ select }) => select.value === OPEN);
    const lacking = input.lacking();
    lacks.textContent = lacking ?? (open ? "Choose a version first." : "");
    if (lacking !== null) input.focus();
    else if (open) open.select.focus();
    else await run(ask);
  }

  async function run(work) {
    if (busy) return;
    working(true);
    try {
      const { elements, said } = await work(again);
      answers.replaceChildren(...elements);
      announce(said);
    } catch (error) {
      if (error.name === "AbortError") return;
      // The problem stands at its field; the block would only say it twice.
      const atField = error.status === 422 && input.showProblems(error.problems);
      answers.replaceChildren(...(atField ? [] : [failure(error, () => again(ask))]));
    } finally {
      working(false);
    }
  }

  /** Where this was asked for is about to be replaced; the button stays. */
  function again(work) {
    button.focus();
    return run(work);
  }

  function working(now) {
    busy = now;
    answers.setAttribute("aria-busy", String(now));
    button.setAttribute("aria-disabled", String(now));
    button.textContent = now ? "Asking …" : label;
  }

  const form = el("form", { class: "card stack asking", novalidate: true, onsubmit: send },
    exampleButtons(input, examples),
    input.element,
    el("div", { class: "row end" }, el("div", { class: "row" }, choices.map(({ element }) => element)), button),
    lacks);
  return [form, answers];
}

/** A labelled choice. `options`: [[value, text]]. */
export function choice(id, label, options, value, onchange) {
  const select = el("select", { id, onchange }, options.map(([key, text]) => el("option", { value: key, selected: String(key) === String(value) }, text)));
  return { select, element: el("div", { class: "choice" }, el("label", { for: id }, label), select) };
}

/** A choice of a version that an address may name. One that is not served is not replaced by another: then nothing is chosen yet. */
export function versionChoice(id, label, options, asked, onchange) {
  if (options.some(([value]) => String(value) === asked)) return choice(id, label, options, asked, onchange);
  return choice(id, label, [[OPEN, "Choose a version"], ...options], OPEN, onchange);
}

/** Whether a version was chosen in each. */
export function areChosen(...choices) {
  return choices.every(({ select }) => select.value !== OPEN);
}

/** What to say of the versions that an address names and nobody serves; null where all are served. `asked`: texts. */
export function notServed(asked, details) {
  const served = askable(details);
  const missing = [...new Set(asked)].filter((version) => !served.map(String).includes(version));
  if (missing.length === 0) return null;
  const listed = served.map((version) => `version ${version}${version === details.live ? " (live)" : ""}`);
  const head = missing.length === 1 ? `Version ${missing[0]} is not served` : `Versions ${missing.join(" and ")} are not served`;
  const told = warning([el("strong", {}, head), el("br"), `Served: ${listed.join(", ")}. Choose from these.`]);
  told.setAttribute("role", "alert");
  return told;
}

/** The versions that can be asked, newest first. */
export function askable(details) {
  return details.versions.filter((row) => row.state === "AVAILABLE").map((row) => row.version);
}
