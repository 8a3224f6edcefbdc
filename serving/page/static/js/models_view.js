// All models, with what is live.

import { request } from "./api.js";
import { announce, counted, el, refill } from "./dom.js";
import { capital } from "./format.js";
import { failure, loading, retryButton, warning } from "./notices.js";
import { keepFresh, liveList } from "./refresh.js";
import { placeOf } from "./router.js";
import { leading, metricList, modelPill, newsOf, time } from "./states.js";

const MOST_METRICS = 4;
const NONE = "This gateway lists no model yet. It lists those of its version store and those that its configuration names. Any other model of its server can be opened by name:";
// Whether there are models is not known then.
const UNKNOWN = "No model can be listed. A model of the gateway's server can be opened by name:";

/** The view: {title, element}. `signal` ends what is under way when the person leaves. */
export function modelsView(place, signal) {
  const body = el("div", { class: "stack" });
  const list = liveList({ class: "cards" }, ({ model }) => model, (model) => card(model, again));
  const lack = el("p");
  const opening = openByName(lack);
  const amiss = el("div", { role: "alert", hidden: true });
  let [known, problem] = [null, null];
  async function load(quiet) {
    const { models, ...more } = (await request("models", { signal, quiet })).body;
    tell(more.problem ?? null);
    const news = known === null ? [] : models.map((model) => newsOf(known.get(model.model), model)).filter((text) => text !== null);
    known = new Map(models.map((model) => [model.model, model]));
    list.update(models);
    const wanted = models.length > 0 ? list.element : opening;
    if (wanted.parentNode !== body) refill(body, wanted);
    if (news.length > 0) announce(news.join(". "));
  }
  function tell(now) {
    lack.textContent = now === null ? NONE : UNKNOWN;
    if (now === problem) return; // what was said is not said again
    problem = now;
    amiss.hidden = now === null;
    amiss.replaceChildren(...(now === null ? [] : [warning(capital(now))]));
  }
  async function show() {
    body.setAttribute("aria-busy", "true");
    if (body.childElementCount === 0) body.append(loading("models"));
    try {
      await load(false);
    } catch (error) {
      if (error.name !== "AbortError") body.replaceChildren(failure(error, show));
    } finally {
      body.removeAttribute("aria-busy");
    }
  }
  async function again(model) {
    await show();
    const tile = body.querySelector(`[data-model="${CSS.escape(model)}"]`);
    const still = tile?.querySelector("button");
    announce(`${model}: ${still ? "still not available" : "available"}`);
    (still ?? tile?.querySelector("a"))?.focus();
  }
  const element = el("section", { class: "stack" },
    el("div", { class: "head" },
      el("h1", { tabindex: -1 }, "Models"),
      el("button", { class: "button", type: "button", onclick: () => show() }, "Refresh")),
    keepFresh(() => load(true), signal),
    amiss,
    body);
  show();
  return { title: "Models", element };
}

function card(model, again) {
  const version = leading(model);
  return el("article", { class: "card model", "data-model": model.model },
    el("div", { class: "head" },
      el("h2", {}, el("a", { href: placeOf(model.model) }, model.model)),
      modelPill(model)),
    model.problem ? el("p", { class: "why" }, capital(model.problem)) : null,
    version === null ? null : [
      metricList(version.metrics, MOST_METRICS),
      el("p", { class: "soft small" },
        version.published_at ? [`Version ${version.version} published `, time(version.published_at), " · "] : null,
        counted(model.versions.length, "version"))],
    model.problem ? retryButton(() => again(model.model)) : null);
}

function openByName(lack) {
  const field = el("input", { id: "open-model", type: "text", name: "model", autocomplete: "off", spellcheck: "false", required: true });
  function open(event) {
    event.preventDefault();
    location.hash = placeOf(field.value.trim());
  }
  return el("form", { class: "card stack", onsubmit: open },
    lack,
    el("div", { class: "row" },
      el("label", { for: "open-model" }, "Name of a model"),
      field,
      el("button", { class: "button primary" }, "Open")));
}
