// The body of a call that a model understands, made from its form. Pure.

import { Raw } from "./json_text.js";

// Longer texts and lists would bury the line that they stand in.
const MOST_CHARACTERS = 8192;
const MOST_NUMBERS = 100;
const LEFT_OUT = new Raw("[...]");
// How a JPEG begins.
const ANY_IMAGE = { b64: "/9j/4AAQ" };

/**
 * The example `value` of a call, with the model's own columns instead of somebody's; as it is where the model has no form.
 *
 * @param verb - predict, classify or regress
 * @param details - the model as the gateway describes it
 */
export function fittedBody(value, verb, { form, signatures = {} }) {
  if (!form) return value;
  const row = rowOf(form);
  if ("instances" in value) return { signature_name: form.signature, instances: [row] };
  if ("inputs" in value) return { signature_name: form.signature, inputs: mapped(row, (part) => [part]) };
  const named = Object.keys(signatures).find((name) => signatures[name].verb === verb);
  return "examples" in value ? { signature_name: named ?? value.signature_name, examples: [row] } : value;
}

function rowOf({ fields, examples = [] }) {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field, examples[0]?.[field.name])]));
}

function valueOf({ kind, missing, shape }, given) {
  if (kind === "image") return given !== undefined && given.b64.length <= MOST_CHARACTERS ? given : ANY_IMAGE;
  if (kind === "text") return given ?? "";
  if (kind === "flag") return given ?? false;
  const isFloat = missing === "NaN";
  if (kind !== "numbers") return numbers(given ?? 0, isFloat);
  return shape.reduce((all, size) => all * size, 1) > MOST_NUMBERS ? LEFT_OUT : numbers(given ?? zeros(shape), isFloat);
}

/** In a tf.Example "12" is a whole number and "12.0" is not; what is none, such as NaN, comes as a text. */
function numbers(value, isFloat) {
  if (Array.isArray(value)) return value.map((part) => numbers(part, isFloat));
  return new Raw(isFloat && Number.isSafeInteger(value) ? `${value}.0` : String(value));
}

function zeros([size, ...rest]) {
  return Array.from({ length: size }, () => (rest.length > 0 ? zeros(rest) : 0));
}

function mapped(row, change) {
  return Object.fromEntries(Object.entries(row).map(([name, part]) => [name, change(part)]));
}
