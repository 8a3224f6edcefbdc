// Numbers and times as people read them.

const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const MOST_SHOWN = 8;

/** A share of one as a percentage that never claims a certainty the model did not. */
export function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${(share * 100).toFixed(1)} %`;
}

/** How many points of a percentage lie between two shares, with a sign. */
export function points(change) {
  return `${signed(change * 100, 1)} points`;
}

/** A number with its sign. */
export function signed(change, digits) {
  const text = digits === undefined ? number(Math.abs(change)) : Math.abs(change).toFixed(digits);
  return `${change < 0 ? "−" : "+"}${text}`;
}

/** A number in so many digits as say something. */
export function number(value) {
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? String(value) : value.toExponential(4);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

/** Any value of an answer on one line. */
export function shown(value) {
  if (typeof value === "number") return number(value);
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  if (Array.isArray(value)) {
    const more = value.length > MOST_SHOWN ? `, … ${value.length} in all` : "";
    return `[${value.slice(0, MOST_SHOWN).map(shown).join(", ")}${more}]`;
  }
  if (value !== null && typeof value === "object") return value.b64 ? "(bytes)" : JSON.stringify(value);
  return String(value);
}

/** A message as a sentence begins. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A name of a program as words. */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** A time of this place, and the same one in UTC; null where it is none. */
export function times(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return null;
  return { here: LONG.format(at), utc: `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`, iso: at.toISOString() };
}

/** Bytes as a size. */
export function size(bytes) {
  return bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 2 ** 10))} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
