// A model's answer in one form, whichever way it was asked. Pure.

/**
 * The answer to one input.
 *
 * `classes`: [{label, score}], the likeliest first, or null; `values`: [[name, value]] of everything else.
 */
export function outcome(name, row, { version, requestId, picture = null }) {
  return { name, picture, version, requestId, ...split(row) };
}

function split(row) {
  if (row === null || typeof row !== "object" || Array.isArray(row)) return { classes: null, values: [["answer", row]] };
  const { file, classes, ...others } = row;
  if (isRanking(classes)) return { classes: ranked(classes), values: Object.entries(others) };
  const left = classes === undefined ? others : { classes, ...others };
  const pair = labelsAndScores(left);
  if (pair !== null) {
    const [labels, scores] = pair;
    return { classes: ranked(left[labels].map((label, place) => ({ label, score: left[scores][place] }))), values: without(left, pair) };
  }
  return { classes: null, values: Object.entries(left) };
}

/** Whether an answer speaks of classes without naming each: a list of probabilities, or one, which need not be that of its label. */
export function lacksClasses({ classes, values }) {
  const { label, probability, probabilities } = Object.fromEntries(values);
  return classes === null && (Array.isArray(probabilities) || (typeof label === "string" && typeof probability === "number"));
}

/** The same answer with the classes that another call gave: they hold what it says of labels and probabilities, and more. */
export function withClasses(answer, classes) {
  const found = { ...answer, classes: ranked(classes) };
  // A label that is not the likeliest class, as of a model with a threshold of its own, is said beside them.
  const held = ["probability", "probabilities", ...(labelOf(answer) === best(found)?.label ? ["label"] : [])];
  return { ...found, values: answer.values.filter(([name]) => !held.includes(name)) };
}

/** The likeliest class of an answer, or null. */
export function best(answer) {
  return answer.classes?.[0] ?? null;
}

/** What an answer says it is: the label that it gives, else its likeliest class; null where it has neither. */
export function labelOf(answer) {
  const [, label] = answer.values.find(([name]) => name === "label") ?? [];
  return typeof label === "string" ? label : (best(answer)?.label ?? null);
}

/** Whether scores are shares of one. */
export function areShares(classes) {
  return classes.every(({ score }) => typeof score === "number" && score >= 0 && score <= 1.0001);
}

function isRanking(classes) {
  return Array.isArray(classes) && classes.length > 0 && classes.every((item) => item !== null && typeof item === "object" && "label" in item && "score" in item);
}

function labelsAndScores(row) {
  const lists = Object.entries(row).filter(([, value]) => Array.isArray(value) && value.length > 0);
  const labels = lists.filter(([, value]) => value.every((item) => typeof item === "string"));
  const scores = lists.filter(([, value]) => value.every((item) => typeof item === "number"));
  const fits = labels.length === 1 && scores.length === 1 && labels[0][1].length === scores[0][1].length;
  return fits ? [labels[0][0], scores[0][0]] : null;
}

function ranked(classes) {
  return [...classes].sort((one, other) => other.score - one.score);
}

function without(row, names) {
  return Object.entries(row).filter(([name]) => !names.includes(name));
}
