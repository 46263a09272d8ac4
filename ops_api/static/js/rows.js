// The rows of a list that the keyboard walks over: each has its one thing to focus, its link.
export const rows = () => [...document.querySelectorAll("[data-row]")];
export const linkOf = (row) => row.querySelector("[data-row-link]") ?? row;
export const rowOf = (element) => element?.closest?.("[data-row]") ?? null;
