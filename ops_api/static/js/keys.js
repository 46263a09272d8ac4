// Single keys, for those who live in the list. None of them works while somebody writes.
import { linkOf, rowOf, rows } from "./rows.js";

const WRITING = "input, textarea, select, [contenteditable]";

const step = (by) => {
  const all = rows();
  if (!all.length) return false;
  const here = all.indexOf(rowOf(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by;
  linkOf(all[Math.max(0, Math.min(next, all.length - 1))]).focus();
  return true;
};

const press = (selector, root = document) => {
  const button = root?.querySelector(selector);
  button?.click();
  return Boolean(button);
};

const KEYS = {
  c: () => press("[data-key-new]"),
  "/": () => { const field = document.querySelector("[data-key-search]"); field?.focus(); field?.select(); return Boolean(field); },
  j: () => step(1),
  k: () => step(-1),
  x: () => press("[data-key-done]", rowOf(document.activeElement)),
  "?": () => { document.getElementById("keys").showModal(); return true; },
};

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest(WRITING) || document.querySelector("dialog[open]")) return;
    if (KEYS[event.key]?.()) event.preventDefault();
  });
}
