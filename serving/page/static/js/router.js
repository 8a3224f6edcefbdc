// The address after "#" and what it stands for. Pure.

export const TABS = ["ask", "compare", "versions", "history"];

/** What an address stands for: {view: "models"}, {view: "model", model, tab, rest}, or {view: "lost"}. */
export function parsePlace(hash) {
  const parts = hash.replace(/^#\/?/, "").split("/").filter((part) => part !== "").map(decoded);
  if (parts.length === 0) return { view: "models" };
  const [kind, model, tab = "ask", ...rest] = parts;
  if (kind !== "model" || model === undefined || !TABS.includes(tab)) return { view: "lost" };
  return { view: "model", model, tab, rest };
}

/** The address of a model's tab. */
export function placeOf(model, tab = "ask", ...rest) {
  return `#/${["model", model, ...(tab === "ask" && rest.length === 0 ? [] : [tab]), ...rest].map(encodeURIComponent).join("/")}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
