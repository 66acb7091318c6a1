"use strict";
(() => {
  const all = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("devices");
  const heads = [...table.querySelectorAll("th")];
  const size = 200;
  let rows = all, page = 0, column = 0, up = true;

  // One collator for all: localeCompare makes one for every pair.
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (one, other) => {
    const a = one[column], b = other[column];
    const order = typeof a === "number" ? a - b : collator.compare(a, b);
    return up ? order : -order;
  };
  const show = () => {
    const body = table.tBodies[0];
    body.textContent = "";
    for (const row of rows.slice(page * size, (page + 1) * size)) {
      const line = body.insertRow();
      row.forEach((text, at) => {
        const cell = line.insertCell();
        cell.textContent = text;
        cell.dataset.name = heads[at].textContent;
      });
    }
    const from = rows.length ? page * size + 1 : 0;
    const to = Math.min(rows.length, (page + 1) * size);
    document.getElementById("shown").textContent = `${from} to ${to} of ${rows.length}`;
    heads.forEach((head, at) => head.setAttribute("aria-sort", at === column ? (up ? "ascending" : "descending") : "none"));
  };
  const choose = () => {
    const words = document.getElementById("find").value.toLowerCase();
    rows = words ? all.filter(row => row.some(cell => String(cell).toLowerCase().includes(words))) : all.slice();
    rows.sort(compare);
    page = 0;
    show();
  };
  heads.forEach((head, at) => {
    const pick = () => { up = at === column ? !up : true; column = at; choose(); };
    head.addEventListener("click", pick);
    head.addEventListener("keydown", event => { if (event.key === "Enter") pick(); });
  });
  document.getElementById("find").addEventListener("input", choose);
  document.getElementById("more").addEventListener("click", () => { if ((page + 1) * size < rows.length) { page++; show(); } });
  document.getElementById("less").addEventListener("click", () => { if (page) { page--; show(); } });
  choose();
})();
