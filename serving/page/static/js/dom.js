// Elements from plain values. Text only ever becomes text: nothing here, or anywhere on the page, reads markup.

/**
 * An element with attributes and children. `false`, `null` and `undefined` leave an attribute or a child out; names that begin with
 * "on" are listeners; a child that is no node is shown as text.
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== false && child !== null && child !== undefined));
  return made;
}

let made = 0;

/** An id that nothing else on this page has. */
export function newId(name) {
  made += 1;
  return `${name}-${made}`;
}

const SHAPES = {
  good: "M3.5 8.5l3 3 6-7",
  bad: "M4 4l8 8M12 4l-8 8",
  waiting: "M8 4.500v4l2.5 1.500M8 1.800a6.2 6.2 0 1 0 0 12.400a6.2 6.2 0 1 0 0-12.4",
  back: "M6 3.500L2.5 7 6 10.500M3 7h6.500a4 4 0 0 1 0 7H7",
  warn: "M8 2l6.5 12h-13zM8 6.500v3.500M8 12v.01",
  upload: "M8 11V2.500M4.5 6L8 2.5 11.5 6M2.5 11v2.500h11V11",
  camera: "M2 5h3l1-2h4l1 2h3v8H2zM8 7a2.2 2.2 0 1 0 0 4.400a2.2 2.2 0 1 0 0-4.4",
};

/** A small drawing that goes with words and says nothing by itself. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" })) drawing.setAttribute(key, value);
  line.setAttribute("d", SHAPES[name]);
  drawing.append(line);
  return drawing;
}

/** Tell a screen reader what has just happened. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** Fill a place anew. Who was at a link or button in it is at such a one afterwards, for what they were at is gone. */
export function refill(place, ...content) {
  const left = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...content);
  if (left !== null) (place.querySelector(left.localName) ?? place.querySelector("a, button"))?.focus({ preventScroll: true });
}

/** The word for so many of a thing. */
export function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
