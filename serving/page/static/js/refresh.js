// Keeps what is shown up to date while somebody can see it, without throwing anybody off where they are.

import { el, refill } from "./dom.js";
import { capital } from "./format.js";
import { time } from "./states.js";

const EVERY_MS = 15_000;
const LOOK_MS = 1_000;

/**
 * Call `refresh` again and again until `signal` ends it; not while the page is hidden, and at once when it is seen again.
 *
 * Gives a note, hidden while all is well: what cannot be refreshed stays, and the note says since when.
 */
export function keepFresh(refresh, signal) {
  const note = el("p", { class: "soft small", hidden: true });
  let [asked, good, busy] = [Date.now(), Date.now(), false];
  async function look() {
    if (busy || document.visibilityState !== "visible" || Date.now() - asked < EVERY_MS) return;
    busy = true;
    try {
      await refresh();
      good = Date.now();
      note.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      note.replaceChildren("Not refreshed since ", time(good), `: ${capital(error.message)}`);
      note.hidden = false;
    } finally {
      asked = Date.now();
      busy = false;
    }
  }
  const timer = setInterval(look, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", look, { signal });
  return note;
}

/** A list that changes in place: only an item whose value is another than before is filled anew. Gives {element, update(values)}. */
export function liveList(attributes, nameOf, fill) {
  const element = el("ul", attributes);
  const items = new Map();
  function update(values) {
    const names = values.map(nameOf);
    for (const [name, { item }] of items) {
      if (names.includes(name)) continue;
      item.remove();
      items.delete(name);
    }
    for (const [place, value] of values.entries()) {
      const known = items.get(names[place]) ?? { item: el("li"), text: null };
      const text = JSON.stringify(value);
      if (known.text !== text) refill(known.item, fill(value));
      items.set(names[place], { item: known.item, text });
      if (element.children[place] !== known.item) element.insertBefore(known.item, element.children[place] ?? null);
    }
  }
  return { element, update };
}
