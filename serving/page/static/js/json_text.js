// JSON as TF Serving speaks it: NaN and Infinity are numbers, and whole numbers may have more digits than JavaScript keeps.

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b|(?<![\d.])-?\d{16,}(?![\d.eE])/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Text that is already JSON. */
export class Raw {
  constructor(text) {
    this.text = text;
  }
}

/** Read a document; numbers that JavaScript does not have, or would round, come as texts. Throws SyntaxError. */
export function parse(text) {
  return JSON.parse(text.replace(TOKENS, (token) => (token.startsWith('"') || isSafe(token) ? token : `"${token}"`)));
}

function isSafe(token) {
  return /^-?\d+$/.test(token) && Number.isSafeInteger(Number(token));
}

/** A document as text; a `Raw` stands there as it is. */
export function write(value) {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${write(part)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** What a person typed where a number is wanted: a number as it stands, and anything else as text, so that the gateway can say what is wrong. */
export function numberToken(typed) {
  const text = typed.trim().replace(/^\+/, "").replace(/^(-?)\./, "$10.");
  // More than a double holds, such as 1e999, is no JSON to those who read it.
  return (NUMBER.test(text) && Number.isFinite(Number(text))) || text === "NaN" ? new Raw(text) : typed;
}
