// An OpenAPI document as what a reader wants to know: groups of calls, each with a line to try. Pure.

import { write } from "./json_text.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
// What stands for a part of a path, where the reader has not said.
const IMAGES = /^(images?|photo|picture|image_bytes(_list)?)$/i;
// How a JPEG begins: it stands for an image of the reader's, whose bytes are more than an argument holds.
const ANY_IMAGE = '"b64": "/9j/4AAQ"';
const FROM_FILE = `"b64": "'"$(base64 < leaf.jpg)"'"`;
const STAND_INS = { model: "housing", version: "1", label: "stable" };

/**
 * The calls in the document's order, by tag: [{name, calls: [{id, method, path, also, summary, parameters, examples, answers, upload}]}].
 *
 * Paths that do the same, for one version or one label, stand in `also` of the first.
 */
export function groups(document) {
  const found = new Map();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS.filter((name) => name in item)) {
      const call = described(method, path, item[method]);
      const tag = item[method].tags?.[0] ?? "Other";
      const others = found.get(tag) ?? [];
      const first = others.find((other) => other.method === call.method && other.summary === call.summary && verb(other.path) === verb(path));
      if (first === undefined) found.set(tag, [...others, call]);
      else first.also.push(path);
    }
  }
  return [...found].map(([name, calls]) => ({ name, calls }));
}

/** The last part of a path, with the sign before it. */
export function verb(path) {
  return path.slice(path.lastIndexOf(path.includes(":") ? ":" : "/"));
}

function described(method, path, operation) {
  const content = operation.requestBody?.content ?? {};
  return {
    id: `${method}${path}`.replaceAll(/[^a-z0-9]+/gi, "-").replace(/-$/, ""),
    method: method.toUpperCase(),
    path,
    also: [],
    summary: operation.summary ?? "",
    about: operation.description ?? "",
    parameters: (operation.parameters ?? []).filter(({ in: place }) => place === "query"),
    examples: examplesOf(content["application/json"]),
    upload: uploadField(content["multipart/form-data"]),
    answers: Object.entries(operation.responses ?? {}).map(([status, answer]) => ({ status, about: answer.description ?? "", example: exampleOf(answer) })),
  };
}

function examplesOf(json) {
  if (json === undefined) return [];
  if (json.examples) return Object.values(json.examples).map(({ summary = "", value }) => ({ summary, value }));
  return json.example === undefined ? [] : [{ summary: "", value: json.example }];
}

function exampleOf(answer) {
  return examplesOf(answer.content?.["application/json"])[0]?.value;
}

function uploadField(form) {
  return form === undefined ? null : (Object.keys(form.schema?.properties ?? {})[0] ?? "file");
}

/** Why a model cannot answer a call, or null; also null where its signatures are not known. `details`: null where there is no such model. */
export function unanswered(call, model, details) {
  const wanted = verb(call.path).slice(1);
  if (call.examples.length === 0 && call.upload === null) return null;
  if (details === null) return `There is no model ${model} here.`;
  const { form, signatures } = details;
  if (signatures === undefined) return null;
  if (call.upload !== null) return takesImage(signatures) ? null : `${model} takes no image.`;
  if (!Object.values(signatures).some((signature) => signature.verb === wanted)) return `${model} has no signature for ${wanted}.`;
  return form ? null : `${model} takes serialized examples or shapes that no line can hold.`;
}

/** Whether images can be uploaded to a model. The names are the gateway's: a signature knows only strings. */
export function takesImage(signatures) {
  return Object.values(signatures).some(({ verb: kind, inputs }) => {
    const [[name, input] = [], ...others] = Object.entries(inputs);
    return kind === "predict" && others.length === 0 && input?.dtype === "string" && IMAGES.test(name);
  });
}

/**
 * A line for a shell.
 *
 * @param base - the gateway's address, without a slash at its end
 * @param names - what the reader wants in the path, such as {model: "leaves"}
 * @param value - the body of a JSON call, if it has one
 * @param keyed - whether the gateway asks for a key
 */
export function curlLine(call, base, names, value, keyed) {
  const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(names[name] || STAND_INS[name] || name));
  const asksForKey = keyed && call.answers.some(({ status }) => status === "401");
  const to = quoted(base + path) + (asksForKey ? " -H 'x-api-key: YOUR_KEY'" : "");
  if (call.upload !== null) return `curl -F ${call.upload}=@leaf.jpg ${to}`;
  if (value !== undefined) {
    const body = quoted(write(value));
    const json = `curl ${to} -H 'content-type: application/json' -d`;
    return body.includes(ANY_IMAGE) ? `printf %s ${body.replaceAll(ANY_IMAGE, () => FROM_FILE)} | ${json} @-` : `${json} ${body}`;
  }
  return call.method === "GET" ? `curl ${to}` : `curl -X ${call.method} ${to}`;
}

/** JSON in as few lines as can be read: what is short stands on one. */
export function compact(value, room = 88, indent = "") {
  const flat = JSON.stringify(value, null, 1)?.replaceAll(/\n\s*/g, " ").replaceAll(/([[{]) | ([\]}])/g, "$1$2") ?? "null";
  if (flat.length <= room || value === null || typeof value !== "object") return flat;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((part) => compact(part, room - 2, inner))
    : Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${compact(part, room - name.length - 6, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
