// The picture of a course: a readout at every point, arrow keys from one to the next, other cuts without a new page.
// The drawing is the server's; without this script its links fetch the cuts, and every point has its own tip.
"use strict";
(() => {
  const NEAR = 22;
  let chart, svg, rows, readout, cross, current;

  function prepare(left) {
    chart = document.getElementById("picture");
    svg = chart && chart.querySelector("svg.timeline");
    current = null;
    if (!svg) return;
    const name = svg.querySelector("title");
    svg.setAttribute("role", "group");
    svg.removeAttribute("aria-labelledby");
    svg.setAttribute("aria-label", `${name ? name.textContent : "Course"}. Arrow keys go from point to point.`);
    rows = new Map();
    for (const mark of svg.querySelectorAll("[data-row]")) {
      const tip = mark.querySelector("title"), row = mark.dataset.row;
      mark.dataset.say = tip ? tip.textContent : "";
      if (tip) tip.remove();
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", `${row}: ${mark.dataset.say.replace(`${row}: `, "")}`);
      mark.setAttribute("tabindex", "-1");
      if (!rows.has(row)) rows.set(row, []);
      rows.get(row).push(mark);
    }
    for (const text of svg.querySelectorAll("text")) text.setAttribute("aria-hidden", "true");
    rows = [...rows.values()].map((marks) => marks.sort((a, b) => centre(a).x - centre(b).x));
    const latest = rows.flat().at(-1);
    if (latest) latest.setAttribute("tabindex", "0");
    cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cross.setAttribute("class", "cross");
    svg.append(cross);
    look(left);
  }
  // Where the picture is wider than the screen: the day it is looked from, not the oldest years; where nothing was
  // measured for long before that day, the last that was.
  function look(left) {
    const box = chart.querySelector(".scroll"), day = svg.querySelector(".day-line.today");
    const wide = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width, half = box.clientWidth * 0.7;
    const last = Math.max(...[...svg.querySelectorAll(".dot[data-row]")].map((dot) => dot.getBBox().x), 0) * wide;
    const at = day ? day.getBBox().x * wide : box.scrollWidth;
    box.scrollLeft = left ?? (last && at - last > half ? last : at) - half;
    const edge = Math.min(...[...svg.querySelectorAll("path.axis")].map((axis) => axis.getBBox().x));
    const names = [...svg.querySelectorAll("text")].map((text) => ({ text, from: text.getBBox() }))
      .filter((one) => one.from.x + one.from.width <= edge && one.text.matches(".name,.soft"));
    const pin = () => {   // what a row is called stays in sight
      for (const { text, from } of names) text.setAttribute("transform", `translate(${Math.max(0, box.scrollLeft / wide + 4 - from.x)} 0)`);
    };
    for (const { text } of names) svg.append(text);
    box.addEventListener("scroll", pin, { passive: true });
    pin();
  }
  function centre(mark) {
    const box = mark.getBBox();
    return { x: box.x + (mark.tagName === "rect" ? 0 : box.width / 2), y: box.y + box.height / 2, box };
  }

  function show(mark) {
    hush();
    if (!mark) return;
    current = mark;
    mark.classList.add("near");
    const at = centre(mark), height = svg.viewBox.baseVal.height;
    cross.setAttribute("d", `M${at.x} 22V${height - 34}`);
    readout = document.createElement("div");
    readout.className = "float";
    readout.setAttribute("aria-hidden", "true");
    const row = document.createElement("span");
    row.className = "row";
    row.textContent = mark.dataset.row;
    readout.append(row, mark.dataset.say.replace(`${mark.dataset.row}: `, ""));
    document.body.append(readout);
    const box = mark.getBoundingClientRect(), own = readout.getBoundingClientRect();
    const middle = mark.tagName === "rect" ? Math.max(box.left, 8) : box.left + box.width / 2 - own.width / 2;
    readout.style.left = `${Math.max(8, Math.min(middle, innerWidth - own.width - 8)) + scrollX}px`;
    readout.style.top = `${(box.top - own.height - 10 < 4 ? box.bottom + 10 : box.top - own.height - 10) + scrollY}px`;
  }
  function hush() {
    if (readout) readout.remove();
    readout = null;
    if (current) current.classList.remove("near");
    current = null;
    if (cross) cross.setAttribute("d", "");
  }

  function nearest(event) {
    const matrix = svg.getScreenCTM();
    if (!matrix) return null;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    let best = null, least = NEAR;
    for (const mark of rows.flat()) {
      const box = mark.getBBox();
      const x = Math.max(box.x - at.x, 0, at.x - box.x - box.width), y = Math.max(box.y - at.y, 0, at.y - box.y - box.height);
      const far = Math.hypot(x, y * 1.4);
      if (far < least) { least = far; best = mark; }
    }
    return best;
  }
  const inside = (event) => svg && event.target.closest?.("svg.timeline") === svg;
  for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, (event) => {
    if (!inside(event)) { if (current && document.activeElement !== current) hush(); return; }
    const mark = nearest(event);
    if (mark !== current) show(mark);
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches?.("#picture [data-row]")) show(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target === current) hush(); });
  addEventListener("scroll", () => { if (current && document.activeElement !== current) hush(); }, { passive: true });

  function go(from, key) {
    const place = rows.findIndex((marks) => marks.includes(from)), marks = rows[place], at = marks.indexOf(from);
    if (key === "ArrowRight") return marks[at + 1];
    if (key === "ArrowLeft") return marks[at - 1];
    if (key === "Home") return marks[0];
    if (key === "End") return marks.at(-1);
    const other = rows[place + (key === "ArrowDown" ? 1 : -1)];
    if (!other) return null;
    const x = centre(from).x;
    return other.reduce((best, mark) => Math.abs(centre(mark).x - x) < Math.abs(centre(best).x - x) ? mark : best);
  }
  document.addEventListener("keydown", (event) => {
    const from = document.activeElement;
    if (!from.matches?.("#picture [data-row]")) return;
    if (event.key === "Escape") { hush(); return; }
    if (!["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const next = go(from, event.key);
    if (!next) return;
    from.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // another cut: other years, a series shown or hidden
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("#picture a[data-cut]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const cut = link.dataset.cut, left = chart.querySelector(".scroll").scrollLeft, isOpen = chart.querySelector("details.data").open;
    chart.setAttribute("aria-busy", "true");
    try {
      const address = link.href.split("#")[0];
      const answer = await fetch(address, { headers: { "x-part": "true" } });
      if (!answer.ok || answer.redirected) throw new Error("moved");
      hush();
      chart.outerHTML = await answer.text();
      history.replaceState(null, "", address);
      prepare(cut.startsWith("span-") ? undefined : left);
      chart.querySelector("details.data").open = isOpen;
      chart.querySelector(`a[data-cut="${CSS.escape(cut)}"]`)?.focus();
    } catch { location.href = link.href; }
  });
  prepare();
})();
