// What asking once and asking twice have in common: the input, the button, and what happens when it is pressed.

import { announce, el } from "./dom.js";
import { failure } from "./notices.js";

/**
 * A form around a model's input.
 *
 * `ask(signal)`: sends what was entered and gives {elements, said}: what to show, and the sentence for those who do not see it.
 */
export function askingForm({ input, choices, label, ask, signal }) {
  const answers = el("div", { class: "answers stack" });
  const button = el("button", { class: "button primary" }, label);
  const lacks = el("p", { class: "problem", role: "alert" });
  let busy = false;

  async function send(event) {
    event?.preventDefault();
    const lacking = input.lacking();
    lacks.textContent = lacking ?? "";
    if (busy || lacking !== null) {
      if (lacking !== null) input.focus();
      return;
    }
    working(true);
    try {
      const { elements, said } = await ask(signal);
      answers.replaceChildren(...elements);
      announce(said);
    } catch (error) {
      if (error.name === "AbortError") return;
      // The problem stands at its field; the block would only say it twice.
      const atField = error.status === 422 && input.showProblems(error.problems);
      answers.replaceChildren(...(atField ? [] : [failure(error, send)]));
    } finally {
      working(false);
    }
  }

  function working(now) {
    busy = now;
    answers.setAttribute("aria-busy", String(now));
    button.setAttribute("aria-disabled", String(now));
    button.textContent = now ? "Asking …" : label;
  }

  const form = el("form", { class: "card stack asking", novalidate: true, onsubmit: send }, input.element, el("div", { class: "row end" }, el("div", { class: "row" }, choices), button), lacks);
  return [form, answers];
}

/** A labelled choice. `options`: [[value, text]]. */
export function choice(id, label, options, value, onchange) {
  const select = el("select", { id, onchange }, options.map(([key, text]) => el("option", { value: key, selected: String(key) === String(value) }, text)));
  return { select, element: el("div", { class: "choice" }, el("label", { for: id }, label), select) };
}

/** The versions that can be asked, newest first. */
export function askable(details) {
  return details.versions.filter((row) => row.state === "AVAILABLE").map((row) => row.version);
}
