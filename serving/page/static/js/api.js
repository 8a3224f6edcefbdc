// Requests to the gateway this page came from: with the key, and with errors as values that say what to do.

import { parse } from "./json_text.js";
import { askForKey, currentKey } from "./key.js";

/** A request that was not answered as asked. `status` 0: nobody answered. `retryAfter`: seconds, or null. */
export class Refused extends Error {
  constructor(message, { status = 0, problems = [], retryAfter = null, requestId = "" } = {}) {
    super(message);
    Object.assign(this, { status, problems, retryAfter, requestId });
  }
}

/**
 * Ask the gateway.
 *
 * Gives {body, version, requestId}; `version` is the one that answered, null where none did. Throws Refused, and AbortError when
 * `signal` says so. `quiet`: nobody is waiting for it, so nobody is asked for a key.
 */
export async function request(path, { method = "GET", body, headers = {}, signal, quiet = false } = {}) {
  for (;;) {
    const key = currentKey();
    const response = await sent(path, { method, body, signal, cache: "no-store", headers: key === null ? headers : { ...headers, "x-api-key": key } });
    const content = await read(response);
    if (response.ok) {
      const version = response.headers.get("x-model-version");
      return { body: content, version: version === null ? null : Number(version), requestId: response.headers.get("x-request-id") ?? "" };
    }
    const refused = refusal(response, content);
    // Another request may have brought a key meanwhile: then this one only tries again.
    if (response.status !== 401 || quiet || (key === currentKey() && (await askForKey(key === null ? null : refused.message)) === null)) throw refused;
    signal?.throwIfAborted();
  }
}

async function sent(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // A gateway that will not have so much may hang up while it is still being sent.
    throw new Refused(options.body instanceof FormData
      ? "The gateway cannot be reached, or the images are more than it takes. Try fewer or smaller ones."
      : "The gateway cannot be reached. Is it running, and are you online?");
  }
}

async function read(response) {
  const text = await response.text();
  try {
    return parse(text);
  } catch {
    return null; // a proxy on the way answers in its own words
  }
}

function refusal(response, content) {
  const after = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new Refused(content?.error ?? `The gateway answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    problems: content?.problems ?? [],
    retryAfter: Number.isNaN(after) ? null : after,
    requestId: response.headers.get("x-request-id") ?? "",
  });
}

/** The way to a model's pages of the API. */
export function modelPath(model, rest = "") {
  return `models/${encodeURIComponent(model)}${rest}`;
}
