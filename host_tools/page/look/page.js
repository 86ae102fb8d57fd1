"use strict";
(function () {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const wish = window.matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : wish.matches;
  }
  function label() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", "Switch to the " + button.textContent.toLowerCase() + " theme");
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  wish.addEventListener("change", label);
  label();

  function valueOf(row, index) {
    const cell = row.cells[index];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  }
  function sort(table, index, heading) {
    const down = heading.getAttribute("aria-sort") !== "descending" && heading.classList.contains("n");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const up = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const way = heading.classList.contains("n") ? (down ? -1 : 1) : up;
    rows.sort(function (one, other) {
      const a = valueOf(one, index), b = valueOf(other, index);
      return way * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
    });
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    body.append(...rows);
  }
  for (const table of document.querySelectorAll("table")) {
    if (table.tBodies[0].rows.length < 3) continue;
    Array.from(table.tHead.rows[0].cells).forEach(function (heading, index) {
      heading.dataset.sort = "";
      heading.tabIndex = 0;
      heading.addEventListener("click", function () { sort(table, index, heading); });
      heading.addEventListener("keydown", function (event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort(table, index, heading);
      });
    });
  }

  window.addEventListener("beforeprint", function () {
    for (const folded of document.querySelectorAll("details:not(.listing)")) folded.open = true;
  });
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details");
    if (folded) folded.open = true;
  }
  window.addEventListener("hashchange", unfold);
  unfold();
})();
