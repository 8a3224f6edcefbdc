// Values to begin with, where the gateway gives some: requests that were published with the model.

import { el } from "./dom.js";

/** A button for each example, which fills in a model's input; null where there are none. */
export function exampleButtons(input, examples = []) {
  if (examples.length === 0) return null;
  return el("div", { class: "row", role: "group", "aria-label": "Examples" },
    el("span", { class: "soft small" }, "Published with the model:"),
    examples.map((example, place) => el("button", { class: "button small", type: "button", onclick: () => input.fill(example, place + 1) }, `Example ${place + 1}`)));
}

/** Bytes of a gateway's JSON as a file, as if it had been chosen. */
export function imageFile({ b64 }, number) {
  const bytes = Uint8Array.from(atob(b64), (one) => one.charCodeAt(0));
  const kind = bytes[0] === 0x89 ? "png" : "jpeg";
  return new File([bytes], `example-${number}.${kind === "png" ? "png" : "jpg"}`, { type: `image/${kind}` });
}
