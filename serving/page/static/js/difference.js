// Two answers to the same input, held against each other. Pure.

import { number, percent, points, shown, signed } from "./format.js";
import { areShares, labelOf } from "./outcome.js";

/**
 * What differs between two answers.
 *
 * Gives {agree, headline, rows: [{name, left, right, leftScore, rightScore, change, differs}]}. A row differs when a reader would see it.
 */
export function difference(left, right) {
  const rows = [...classRows(left, right), ...valueRows(left, right)];
  const [one, other] = [labelOf(left), labelOf(right)];
  if (one !== null && other !== null) {
    const agree = one === other;
    const headline = agree
      ? `Both say ${one}`
      : `They disagree: version ${left.version} says ${one}, version ${right.version} says ${other}`;
    return { agree, headline, rows };
  }
  const differing = rows.filter((row) => row.differs).length;
  const agree = differing === 0;
  return { agree, headline: agree ? "The answers are the same" : `${differing} of ${rows.length} values differ`, rows };
}

function classRows(left, right) {
  const [one, other] = [scores(left), scores(right)];
  const shares = areShares([...(left.classes ?? []), ...(right.classes ?? [])]);
  const text = shares ? percent : number;
  return [...new Set([...one.keys(), ...other.keys()])].map((label) => {
    const [a, b] = [one.get(label), other.get(label)];
    const both = a !== undefined && b !== undefined;
    return {
      name: label,
      left: a === undefined ? "–" : text(a),
      right: b === undefined ? "–" : text(b),
      leftScore: shares ? a : undefined,
      rightScore: shares ? b : undefined,
      change: both && text(a) !== text(b) ? (shares ? points(b - a) : signed(b - a)) : "",
      differs: !both || text(a) !== text(b),
    };
  });
}

function valueRows(left, right) {
  const [one, other] = [new Map(left.values), new Map(right.values)];
  return [...new Set([...one.keys(), ...other.keys()])].map((name) => {
    const [a, b] = [one.get(name), other.get(name)];
    const [first, second] = [one.has(name) ? shown(a) : "–", other.has(name) ? shown(b) : "–"];
    const differs = first !== second || JSON.stringify(a) !== JSON.stringify(b);
    const numbers = typeof a === "number" && typeof b === "number";
    return { name, left: first, right: second, change: differs && numbers ? signed(b - a) : "", differs };
  });
}

function scores(answer) {
  return new Map((answer.classes ?? []).map(({ label, score }) => [label, score]));
}
