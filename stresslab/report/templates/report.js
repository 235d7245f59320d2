"use strict";
(() => {
  const show = {
    price: (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 5 }),
    money: (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 }),
  };

  /** What a series says at a position, or "" where it says nothing. */
  const reading = (chart, series, at) => {
    if (series.text) return series.text[at];
    const value = series.values[at];
    if (value === null || value === undefined) return "";
    const format = show[chart.unit];
    return Array.isArray(value) ? value.map(format).join(" to ") : format(value);
  };

  const fill = (tip, chart, at) => {
    const title = document.createElement("b");
    title.textContent = chart.titles[at];
    const rows = chart.series.map((series) => [series.name, reading(chart, series, at)]).filter((row) => row[1] !== "");
    tip.replaceChildren(title, ...rows.flatMap(([name, text]) => {
      const label = document.createElement("span");
      const value = document.createElement("span");
      label.textContent = name;
      value.textContent = text;
      return [label, value];
    }));
  };

  for (const plot of document.querySelectorAll(".plot")) {
    let chart = null;
    const tip = plot.querySelector(".tip");
    const move = (event) => {
      chart ??= JSON.parse(plot.closest("figure").querySelector("script.hover").textContent);
      const box = plot.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      const y = 1 - (event.clientY - box.top) / box.height;
      const away = (i) => (chart.y ? Math.hypot(chart.x[i] - x, 3 * (chart.y[i] - y)) : Math.abs(chart.x[i] - x));
      let at = 0;
      chart.x.forEach((_, i) => { if (away(i) < away(at)) at = i; });
      fill(tip, chart, at);
      tip.hidden = false;
      const place = chart.x[at] * box.width;
      plot.style.setProperty("--cursor", `${place}px`);
      plot.classList.toggle("pointed", !chart.y);
      const room = place > box.width / 2 ? place - tip.offsetWidth - 12 : place + 12;
      tip.style.left = `${Math.max(Math.min(room, box.width - tip.offsetWidth), 0)}px`;
    };
    const leave = () => { tip.hidden = true; plot.classList.remove("pointed"); };
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerdown", move);
    plot.addEventListener("pointerleave", leave);
  }

  const reveal = (target) => {
    for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
  };
  const follow = () => { if (location.hash.length > 1) reveal(document.getElementById(decodeURIComponent(location.hash.slice(1)))); };
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll("details")) fold.open = true; });
  follow();

  for (const bar of document.querySelectorAll(".filters")) {
    const rows = [...document.getElementById(bar.dataset.table).tBodies[0].rows];
    const fields = [...bar.querySelectorAll("[data-filter]")];
    const holds = (row, field) => {
      const wanted = field.value.trim().toLowerCase();
      const name = field.dataset.filter;
      return wanted === "" || (name ? row.dataset[name].toLowerCase() === wanted : row.textContent.toLowerCase().includes(wanted));
    };
    const apply = () => {
      for (const row of rows) row.hidden = !fields.every((field) => holds(row, field));
      bar.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    };
    bar.addEventListener("input", apply);
    apply();
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    for (const heading of table.tHead.rows[0].cells) {
      if (heading.classList.contains("fixed")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const up = heading.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => {
          const cell = row.cells[heading.cellIndex];
          return { row, text: cell.textContent.trim(), order: cell.dataset.order };
        });
        const known = rows.filter((entry) => entry.order !== "");
        known.sort((a, b) => (a.order === undefined ? a.text.localeCompare(b.text) : a.order - b.order) * (up ? 1 : -1));
        body.append(...known.map((entry) => entry.row), ...rows.filter((entry) => entry.order === "").map((entry) => entry.row));
      });
    }
  }
})();
