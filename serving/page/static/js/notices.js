// What went wrong, in words, with what to do about it.

import { el, icon } from "./dom.js";
import { capital } from "./format.js";

const HEADS = {
  0: "No connection",
  401: "Not let in",
  403: "Not for this key",
  404: "Not found",
  413: "Too large",
  422: "The input does not fit the model",
  429: "Too many requests",
  503: "Not available at the moment",
  504: "No answer in time",
};

// The same request would get the same answer.
const IN_VAIN = [400, 403, 413, 422];

/**
 * A failed request as a block of the page.
 *
 * `again`: what to do when the person wants to try again; without it there is no button. The button waits for as long as the
 * gateway asked for.
 */
export function failure(error, again) {
  const head = HEADS[error.status] ?? "That did not work";
  const wait = error.retryAfter;
  return el("div", { class: "notice bad", role: "alert" },
    icon("warn"),
    el("div", { class: "grow" },
      el("p", {}, el("strong", {}, head), el("br"), capital(error.message)),
      wait !== null && wait !== undefined ? el("p", {}, `Try again in ${wait} s.`) : null,
      error.requestId ? el("p", { class: "soft small" }, "Request ", el("code", {}, error.requestId)) : null),
    again && !IN_VAIN.includes(error.status) ? retryButton(again, wait ?? 0) : null);
}

/** A button that can be pressed when `seconds` are over; until then it counts them down. */
export function retryButton(again, seconds = 0) {
  const until = Date.now() + seconds * 1000;
  const button = el("button", { class: "button", type: "button", onclick: () => {
    if (button.getAttribute("aria-disabled") !== "true") again();
  } }, "Try again");
  function tick() {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = `Try again in ${left} s`;
      setTimeout(tick, 250);
    } else {
      button.removeAttribute("aria-disabled");
      button.textContent = "Try again";
    }
  }
  if (seconds > 0) tick();
  return button;
}

/** A remark that is no failure. */
export function remark(...text) {
  return el("div", { class: "notice" }, el("p", {}, ...text));
}

/** What is not as it was meant, and hinders nobody. */
export function warning(...texts) {
  return el("div", { class: "notice warn" }, icon("warn"), el("div", { class: "grow" }, texts.map((text) => el("p", {}, text))));
}

/** Shown while something is on its way; quick answers never show it. */
export function loading(what) {
  return el("p", { class: "loading soft", role: "status" }, `Loading ${what} …`);
}
