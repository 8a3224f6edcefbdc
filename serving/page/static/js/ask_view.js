// Ask a model.

import { answerCard, sentence } from "./answers.js";
import { askable, askingForm, choice } from "./asking.js";
import { el } from "./dom.js";
import { capital } from "./format.js";
import { placeOf } from "./router.js";
import { remark } from "./notices.js";

/** Fill the panel. */
export function askView(panel, { model, details, place, signal, input }) {
  const given = input();
  if (given === null) {
    panel.append(details.problem ? remark(capital(details.problem)) : programsOnly(model));
    return;
  }
  const [asked] = place.rest;
  const traffic = details.arms?.length > 0 ? "shared out by weight" : "newest";
  const versions = askable(details);
  const options = [["", `As traffic goes (${traffic})`], ...versions.map((version) => [version, `Version ${version}`])];
  const version = choice("version", "Version", options, versions.includes(Number(asked)) ? asked : "");
  async function ask() {
    const answers = await given.ask(version.select.value === "" ? null : Number(version.select.value), signal);
    return { elements: answers.map(answerCard), said: answers.map(sentence).join(". ") };
  }
  panel.append(...askingForm({ input: given, choices: version.element, label: `Ask ${model}`, ask, signal }));
}

function programsOnly(model) {
  return remark("This model takes serialized examples or shapes that no form can hold, so programs ask it: ",
    el("a", { href: `docs?model=${encodeURIComponent(model)}` }, "the API"), ". What was published and refused is under ",
    el("a", { href: placeOf(model, "history") }, "History"), ".");
}
