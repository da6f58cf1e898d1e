// Names for those controls of Django's administration that it leaves without one.

/**
 * Returns what a field is called: by its label, or by the heading of its column.
 * @param {Element} field
 */
function nameOf(field) {
  const label = field.id && document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
  if (label) return label.textContent?.trim().replace(/:$/, "") ?? "";
  const cell = field.closest("td");
  const column = cell && field.closest("table")?.tHead?.querySelector(
    `.column-${[...cell.classList].find((name) => name.startsWith("field-"))?.slice(6)}`,
  );
  return column?.textContent?.trim() ?? "";
}

/** Names the boxes that select2 puts in the place of fields. */
function nameBoxes() {
  for (const field of document.querySelectorAll("select.select2-hidden-accessible")) {
    const name = nameOf(field);
    const box = field.nextElementSibling?.querySelector(".select2-selection");
    if (!name || !box || box.getAttribute("aria-label") === name) continue;
    box.removeAttribute("aria-labelledby");
    box.setAttribute("aria-label", name);
    box.querySelector(".select2-selection__rendered")?.setAttribute("aria-label", name);
  }
}

/** Tells the links that add a row to one of several tables apart, by the headings of the tables. */
function nameAddLinks() {
  for (const link of document.querySelectorAll(".inline-group .add-row a:not([aria-label])")) {
    const heading = link.closest(".inline-group")?.querySelector("h2")?.textContent?.trim();
    if (heading) link.setAttribute("aria-label", `${link.textContent?.trim()}: ${heading}`);
  }
}

function nameControls() {
  nameBoxes();
  nameAddLinks();
}

nameControls();
// Select2 comes later, and with each row that is added.
new MutationObserver(nameControls).observe(document.body, { childList: true, subtree: true });
