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
  if (typeof left.label === "string" && typeof left.probability === "number") {
    return { classes: [{ label: left.label, score: left.probability }], values: without(left, ["label", "probability"]) };
  }
  return { classes: null, values: Object.entries(left) };
}

/** The same answer with the classes that another call gave: they hold what it says of labels and probabilities, and more. */
export function withClasses(answer, classes) {
  return { ...answer, classes: ranked(classes), values: answer.values.filter(([name]) => name !== "probabilities") };
}

/** The class that an answer stands for, or null. */
export function best(answer) {
  return answer.classes?.[0] ?? null;
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
