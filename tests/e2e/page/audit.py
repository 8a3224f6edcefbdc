"""What a person with a screen reader, a keyboard or weak eyes needs of a page, found out in the page itself."""

from __future__ import annotations

from playwright.sync_api import Page

# Each gives a list of faults.
_NAMELESS = """() => {
  const visible = (e) => e.getClientRects().length > 0;
  const text = (ids) => (ids ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("");
  const labels = (e) => [...(e.labels ?? [])].map((l) => l.textContent).join("");
  const own = (e) => (["A", "BUTTON", "SUMMARY"].includes(e.tagName) ? e.textContent : "");
  const name = (e) => (e.getAttribute("aria-label") ?? "") + text(e.getAttribute("aria-labelledby")) + labels(e) + own(e);
  const controls = [...document.querySelectorAll("input, select, textarea, button, a, summary")];
  return controls.filter((e) => visible(e) && name(e).trim() === "").map((e) => e.outerHTML);
}"""
_STRUCTURE = """() => {
  const visible = (e) => e.getClientRects().length > 0;
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(visible).map((h) => Number(h.tagName[1]));
  const steps = levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1);
  const found = steps.map((level) => `a heading of level ${level} after one too high`);
  if (levels.filter((level) => level === 1).length !== 1) found.push("not one h1");
  for (const image of document.images) if (!image.hasAttribute("alt")) found.push(`an image without alt: ${image.outerHTML}`);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) found.push("an id twice");
  for (const e of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
    for (const id of `${e.getAttribute("aria-describedby") ?? ""} ${e.getAttribute("aria-labelledby") ?? ""}`.trim().split(/\\s+/))
      if (!document.getElementById(id)) found.push(`nothing has the id ${id}`);
  for (const mark of ["main", "header", "nav"]) if (!document.querySelector(mark)) found.push(`no ${mark}`);
  for (const nav of document.querySelectorAll("nav")) if (!nav.hasAttribute("aria-label")) found.push("a nav without a name");
  if (!document.documentElement.lang) found.push("no language");
  return found;
}"""
# WCAG 2.2, 1.4.3: relative luminance and contrast as it defines them; large text is 24 px, or 18.66 px bold.
_PALE = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const words = [...e.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim() !== "");
    if (words.length === 0 || e.getClientRects().length === 0) continue;
    const style = getComputedStyle(e);
    const [one, other] = [light(style.color), light(ground(e))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < enough) found.push(`${contrast.toFixed(2)} ${e.tagName} ${words[0].textContent.trim().slice(0, 40)}`);
  }
  return found;
}"""
_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((e) => !e.closest(".unseen, .skip, pre, svg") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map((e) => e.outerHTML.slice(0, 120))"""


def faults(page: Page) -> list[str]:
    """Controls without a name, headings out of order, texts that are too pale, and the like."""
    return [*page.evaluate(_NAMELESS), *page.evaluate(_STRUCTURE), *page.evaluate(_PALE)]


def sticking_out(page: Page) -> list[str]:
    """What is wider than the window. A phone's own `innerWidth` would grow with it."""
    wide: list[str] = page.evaluate(_WIDE)
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        wide.append("the page scrolls sideways")
    return wide
