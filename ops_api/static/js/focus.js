// After a swap the focus stays where it was. If its row is gone, the next row has it; if no row is
// left, the page's main part, so that the keyboard never falls back to the top of the document.
import { linkOf, rowOf, rows } from "./rows.js";

export function keepFocus() {
  let place = null;
  document.addEventListener("htmx:before:swap", () => {
    const row = rowOf(document.activeElement);
    const isLost = document.activeElement === document.body;
    place = isLost ? place : { row: row && { id: row.id, index: rows().indexOf(row) },
                               id: document.activeElement.id };
  });
  document.addEventListener("htmx:after:swap", () => {
    if (place === null || document.activeElement !== document.body) return;
    successor(place).focus();
    place = null;
  });
}

function successor({ row, id }) {
  const left = rows();
  const same = id && document.getElementById(id);
  if (same) return same;
  if (row && left.length) {
    const again = left.find((each) => each.id === row.id);
    return linkOf(again ?? left[Math.min(row.index, left.length - 1)]);
  }
  return document.getElementById("main");
}
