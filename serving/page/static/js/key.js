// The API key of this tab: asked for when the gateway wants one, kept in the tab's own storage, and nowhere else.

import { announce, el, newId } from "./dom.js";
import { capital } from "./format.js";

const PLACE = "sluiceway-key";
// What a browser sends in a header.
const SENDABLE = /^[ -~]*$/;
let kept = read();
let asking = null;

function read() {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return null; // a browser that keeps nothing: the key lasts until the page is left
  }
}

function keep(key) {
  kept = key;
  try {
    if (key === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
  } catch {
    // see read
  }
  showForget();
}

/** The key, or null. */
export function currentKey() {
  return kept;
}

/**
 * Ask the person for a key. However many requests wait, there is one question. Gives null where it was not answered.
 *
 * `wrong`: what the gateway said of the key it was sent; null where it was sent none.
 */
export function askForKey(wrong) {
  asking ??= question(wrong).finally(() => {
    asking = null;
  });
  return asking;
}

function question(wrong) {
  const id = newId("api-key");
  const field = el("input", { id, type: "password", name: "api-key", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": `${id}-why ${id}-problem` });
  const problem = el("p", { id: `${id}-problem`, class: "problem", role: "alert" });
  function check(event) {
    const good = SENDABLE.test(field.value.trim());
    problem.textContent = good ? "" : "A key has only letters, digits and signs of plain ASCII; this one has others.";
    field.setAttribute("aria-invalid", String(!good));
    if (good) return;
    event.preventDefault();
    field.focus();
  }
  const dialog = el("dialog", { class: "dialog", "aria-labelledby": `${id}-title` },
    el("form", { method: "dialog", onsubmit: check },
      el("h2", { id: `${id}-title` }, "This gateway asks for a key"),
      el("p", { id: `${id}-why`, class: "soft" }, wrong === null ? "Whoever runs it hands them out." : el("strong", { class: "problem" }, `${capital(wrong)}.`),
        " The key stays in this tab, until you close it or press “Forget key”."),
      el("label", { for: id }, "API key or token"),
      field,
      problem,
      el("div", { class: "row" },
        el("button", { class: "button primary", value: "use" }, "Use this key"),
        el("button", { class: "button", type: "button", onclick: () => dialog.close("") }, "Not now"))));
  return new Promise((answered) => {
    dialog.addEventListener("close", () => {
      const key = dialog.returnValue === "use" ? field.value.trim() : "";
      dialog.remove();
      if (key) keep(key);
      answered(key || null);
    });
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
  });
}

/** Show in the page's head that a key is kept, with the way to forget it. */
export function showForget() {
  const place = document.getElementById("key");
  const forget = el("button", { class: "button small", type: "button", onclick: () => {
    keep(null);
    announce("The key is forgotten");
    document.getElementById("main").focus();
  } }, "Forget key");
  place.replaceChildren(...(kept === null ? [] : [forget]));
}
