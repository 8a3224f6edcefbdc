// The input of a model that takes columns: one row, a field for each, made from the model's own form.

import { request } from "./api.js";
import { announce, el, newId } from "./dom.js";
import { imageFile } from "./examples.js";
import { words } from "./format.js";
import { Raw, numberToken, write } from "./json_text.js";
import { upright } from "./orientation.js";
import { lacksClasses, outcome, withClasses } from "./outcome.js";

const KINDS = { image: "JPEG or PNG", text: "text", number: "number", whole: "whole number", flag: "", numbers: "numbers" };

/** One row of values to ask a model about. `details`: the model as the gateway describes it. */
export class RowInput {
  constructor(model, details) {
    this.model = model;
    this.form = details.form;
    this.classifier = classifierOf(details);
    this.fields = this.form.fields.map(field);
    const some = this.form.fields.some(mayBeUnknown);
    this.element = el("fieldset", { class: "fields" },
      el("legend", {}, "Values", some ? el("span", { class: "soft" }, " – leave empty what is not known") : null),
      el("div", { class: "grid" }, inOrder(this.fields).map((made) => made.element)));
  }

  /** Nothing is ever lacking: what is empty is unknown, and the gateway says what it misses. */
  lacking() {
    return null;
  }

  /** Fill in an example. */
  fill(example, number) {
    this.clear();
    for (const made of this.fields) made.fill(example, number);
    announce(`The values of example ${number} are filled in`);
  }

  /** What is entered now, as a function (version, signal) that asks a version (null: as traffic goes) and gives one outcome. */
  async question() {
    this.clear();
    const values = await Promise.all(this.fields.map((made) => made.value()));
    const row = Object.fromEntries(this.form.fields.map((wanted, place) => [wanted.name, values[place]]));
    return (version, signal) => this.ask(row, version, signal);
  }

  async ask(row, version, signal) {
    const body = write({ signature_name: this.form.signature, instances: [row] });
    const answer = await this.send("predict", body, version, signal);
    const found = outcome("Answer", answer.body.predictions[0], answer);
    return [this.classifier !== null && lacksClasses(found) ? await this.named(found, row, signal) : found];
  }

  /** The model's own classify names the classes. Where it cannot, the answer stays as it is. */
  async named(found, row, signal) {
    const known = Object.entries(row).filter(([name, value]) => !this.isUnknown(name, value));
    const example = Object.fromEntries(known.map(([name, value]) => [name, this.feature(name, value)]));
    try {
      const body = write({ signature_name: this.classifier, examples: [example] });
      const answer = await this.send("classify", body, found.version, signal);
      return withClasses(found, answer.body.results[0].map(([label, score]) => ({ label, score })));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      return found;
    }
  }

  isUnknown(name, value) {
    const { missing } = this.form.fields.find((wanted) => wanted.name === name);
    return missing !== null && (value instanceof Raw ? value.text : value) === String(missing);
  }

  /** In an example "12" is a whole number and "12.0" is not. */
  feature(name, value) {
    if (Array.isArray(value)) return value.flat(Infinity).map((part) => this.feature(name, part));
    const { missing } = this.form.fields.find((wanted) => wanted.name === name);
    return missing === "NaN" && value instanceof Raw && /^-?\d+$/.test(value.text) ? new Raw(`${value.text}.0`) : value;
  }

  send(verb, body, version, signal) {
    const headers = { "content-type": "application/json", ...(version === null ? {} : { "x-model-version": String(version) }) };
    return request(`v1/models/${encodeURIComponent(this.model)}:${verb}`, { method: "POST", headers, body, signal });
  }

  /** Show what the gateway found wrong, at the field it is about, and go there. Gives whether there was such a field. */
  showProblems(problems) {
    let first = null;
    for (const { field: place, problem } of problems) {
      const name = place.replace(/^instances\[[^\]]*\]\.?/, "");
      const made = this.fields[this.form.fields.findIndex((wanted) => wanted.name === name)];
      if (made === undefined) continue;
      made.problem.textContent = problem;
      made.input.setAttribute("aria-invalid", "true");
      first ??= made;
    }
    first?.input.focus();
    return first !== null;
  }

  clear() {
    for (const made of this.fields) {
      made.problem.textContent = "";
      made.input.removeAttribute("aria-invalid");
    }
  }
}

/** The one signature that names classes; null where there is none, or more. */
function classifierOf({ signatures }) {
  const named = Object.keys(signatures).filter((name) => signatures[name].verb === "classify");
  return named.length === 1 ? named[0] : null;
}

/** Small fields stand together; those that take a whole line come after them. */
function inOrder(fields) {
  return [...fields.filter((made) => !made.isWide), ...fields.filter((made) => made.isWide)];
}

function mayBeUnknown({ kind, missing }) {
  return missing !== null && (kind === "text" || kind === "number" || kind === "whole");
}

function field(wanted) {
  const id = newId("field");
  const problem = el("p", { class: "problem", id: `${id}-problem` });
  const shape = wanted.shape.length > 0 ? `, ${wanted.shape.join(" × ")}` : "";
  const described = { id, name: wanted.name, "aria-describedby": `${id}-kind ${id}-problem`, autocomplete: "off", spellcheck: "false" };
  const input = control(wanted, described);
  const hint = el("span", { class: "soft small kind", id: `${id}-kind` }, KINDS[wanted.kind] + shape);
  const label = el("label", { for: id }, words(wanted.name));
  const element = wanted.kind === "flag"
    ? el("div", { class: "field flag" }, input, label, hint, problem)
    : el("div", { class: wanted.kind === "numbers" ? "field wide" : "field" }, el("div", { class: "head" }, label, hint), input, problem);
  return { element, input, problem, isWide: wanted.kind === "numbers", value: () => valueOf(wanted, input), fill: (example, number) => fillIn(wanted, input, example[wanted.name], number) };
}

function fillIn({ kind, missing }, input, value, number) {
  if (kind === "flag") input.checked = value === true;
  else if (kind === "image") input.files = fileList(value === undefined ? [] : [imageFile(value, number)]);
  else if (kind === "numbers") input.value = [value ?? []].flat(Infinity).join(", ");
  else input.value = value === undefined || String(value) === String(missing) ? "" : String(value);
}

/** Files as a field holds them. */
function fileList(files) {
  const held = new DataTransfer();
  for (const file of files) held.items.add(file);
  return held.files;
}

function control({ kind }, described) {
  if (kind === "flag") return el("input", { ...described, type: "checkbox" });
  if (kind === "numbers") return el("textarea", { ...described, rows: 3 });
  if (kind === "image") return el("input", { ...described, type: "file", accept: "image/jpeg,image/png" });
  return el("input", { ...described, type: "text", inputmode: kind === "number" ? "decimal" : kind === "whole" ? "numeric" : "text" });
}

async function valueOf({ kind, missing, shape }, input) {
  if (kind === "flag") return input.checked;
  if (kind === "text") return input.value;
  if (kind === "image") return { b64: input.files.length > 0 ? await base64((await upright(input.files[0])).blob) : "" };
  if (kind === "numbers") return shaped(input.value.split(/[\s,;[\]]+/).filter((part) => part !== "").map(numberToken), shape);
  if (input.value.trim() === "" && missing !== null) return new Raw(String(missing));
  return numberToken(input.value);
}

/** A flat list as nested ones, where there are as many numbers as that takes; the gateway says so where there are not. */
export function shaped(list, shape) {
  if (shape.length < 2 || list.length !== shape.reduce((all, one) => all * one, 1)) return list;
  const inner = list.length / shape[0];
  return Array.from({ length: shape[0] }, (_, place) => shaped(list.slice(place * inner, (place + 1) * inner), shape.slice(1)));
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts = [];
  for (let at = 0; at < bytes.length; at += 0x8000) parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(parts.join(""));
}
