// Ask a model.

import { answerCard, sentence } from "./answers.js";
import { areChosen, askable, askingForm, notServed, versionChoice } from "./asking.js";
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
  const asked = place.rest.slice(0, 1);
  const missing = notServed(asked, details);
  const traffic = details.arms?.length > 0 ? "shared out by weight" : "newest";
  const versions = askable(details);
  const options = [["", `As traffic goes (${traffic})`], ...versions.map((version) => [version, `Version ${version}`])];
  const version = versionChoice("version", "Version", options, asked[0] ?? "", () => {
    if (areChosen(version)) missing?.remove();
  });
  async function ask() {
    const send = await given.question();
    const answers = await send(version.select.value === "" ? null : Number(version.select.value), signal);
    return { elements: answers.map(answerCard), said: answers.map(sentence).join(". ") };
  }
  if (missing !== null) panel.append(missing);
  panel.append(...askingForm({ input: given, examples: details.form.examples, choices: [version], label: `Ask ${model}`, ask }));
}

function programsOnly(model) {
  return remark("This model takes serialized examples or shapes that no form can hold, so programs ask it: ",
    el("a", { href: `docs?model=${encodeURIComponent(model)}` }, "the API"), ". What was published and refused is under ",
    el("a", { href: placeOf(model, "history") }, "History"), ".");
}
