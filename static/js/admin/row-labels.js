// Names each cell of a list by its column, for phones, where a row is a card.
for (const table of document.querySelectorAll(".results table")) {
  const columns = [...table.querySelectorAll("thead th")].map(
    (heading) => heading.textContent?.trim() ?? "",
  );
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.children].forEach((cell, index) => {
      if (cell instanceof HTMLElement && columns[index]) cell.dataset.label = columns[index];
    });
  }
  table.classList.add("is-labelled");
}
