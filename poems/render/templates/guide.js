"use strict";
(() => {
  const $ = (query, where = document) => where.querySelector(query);
  const root = document.documentElement;

  // Light and dark: as the system has it, until somebody says otherwise.
  const theme = $(".theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const keep = (value) => { try { localStorage.setItem("theme", value); } catch { /* a folder may have no storage */ } };
  try { const kept = localStorage.getItem("theme"); if (kept) root.dataset.theme = kept; } catch { /* as above */ }
  const show = () => theme.setAttribute("aria-pressed", String(dark()));
  theme.hidden = false;
  show();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; keep(root.dataset.theme); show(); });

  // The menu is folded on a phone.
  const menu = $(".menu");
  if (matchMedia("(max-width: 60rem)").matches) menu.open = false;

  // What stands behind a number, beside it.
  let card = null;
  const close = () => { if (card) { card.remove(); card = null; } };
  const open = (link) => {
    close();
    const line = document.getElementById(link.hash.slice(1));
    if (!line) return;
    card = document.createElement("div");
    card.className = "card";
    card.setAttribute("role", "tooltip");
    for (const node of $("dd", line).childNodes) {
      if (node.nodeType === 3) card.append(node.textContent);
      else if (!node.matches(".cite")) card.append(node.cloneNode(true));
    }
    document.body.append(card);
    const at = link.getBoundingClientRect();
    const left = Math.max(12, Math.min(at.left + scrollX, innerWidth - card.offsetWidth - 12));
    card.style.left = left + "px";
    card.style.top = at.bottom + scrollY + 6 + "px";
  };
  for (const link of document.querySelectorAll(".number")) {
    link.addEventListener("mouseenter", () => open(link));
    link.addEventListener("focus", () => open(link));
    link.addEventListener("mouseleave", close);
    link.addEventListener("blur", close);
  }

  // Search: the words of the question, their scores added up; the same as `poems ask`.
  const form = $(".search"), box = $("#q"), found = $("#found");
  let guide = null;
  form.hidden = false;
  const load = () => {
    if (guide || $("script[data-guide]")) return;
    const script = document.createElement("script");
    script.src = document.body.dataset.search;
    script.dataset.guide = "";
    script.addEventListener("load", () => { guide = prepared(window.GUIDE); answer(); });
    document.head.append(script);
  };
  const prepared = (data) => {
    const stems = new Map();
    for (const word of Object.keys(data.words)) if (!word.includes(" ")) {
      const other = stems.get(stem(word));
      if (!other || data.words[other].length < data.words[word].length) stems.set(stem(word), word);
    }
    return { ...data, stems, level: data.passages.map((passage) => level(passage.slice(1).join(" . "))), empty: new Set(data.empty), vocabulary: Object.keys(data.words).filter((word) => !word.includes(" ")) };
  };
  const stem = (word) => word.replace(/(?:ations?|ings?|ed|es|s|ly|ments?|e)$/, "").replace(/(.)\1$/, "$1");
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  const level = (text) => plain(text).replace(/(?<=\d),(?=\d{3})/g, "").replace(/ae|oe/g, "e").replace(/our\b/g, "or")
    .replace(/(\w{3,})is(e|ed|es|ing|ation)\b/g, "$1iz$2").replace(/(\w{2,})tre\b/g, "$1ter");
  const words = (text) => level(text).match(/[a-z0-9]+/g) || [];
  const asked = (text) => {
    const kept = (plain(text.slice(0, 400)).match(/[a-z0-9]+(?:-[a-z0-9]+)*/g) || [])
      .filter((word) => !guide.empty.has(word) && (word.length > 1 || /\d/.test(word)));
    return [...new Set(kept.flatMap(words))];
  };
  const scores = (phrase) => {
    const has = (word) => Object.prototype.hasOwnProperty.call(guide.words, word);
    const flat = has(phrase) ? guide.words[phrase] : guide.words[guide.stems.get(stem(phrase))] || [];
    const map = new Map();
    for (let at = 0; at < flat.length; at += 2) map.set(flat[at], flat[at + 1]);
    return map;
  };
  const vowels = "aeiouy";
  const swap = (x, y) => x === y ? 0 : (guide.near[x] || "").includes(y) || (vowels.includes(x) && vowels.includes(y)) ? 1 : 1.9;
  const slips = (a, b) => {
    let older = [], before = [], row = Array.from({ length: b.length + 1 }, (_, at) => at);
    for (let i = 1; i <= a.length; i++) {
      [older, before, row] = [before, row, [i]];
      for (let j = 1; j <= b.length; j++) {
        let cost = Math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + swap(a[i - 1], b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && a[i - 1] !== b[j - 1]) cost = Math.min(cost, older[j - 2] + 0.9);
        row.push(cost);
      }
    }
    return row[b.length];
  };
  const mended = (word) => {
    const most = word.length < guide.short || /^\d+$/.test(word) ? 0 : word.length < guide.long ? 1 : 2;
    let best = ["", most + 0.5];
    if (most) for (const other of guide.vocabulary) {
      if (other[0] !== word[0] || Math.abs(other.length - word.length) > most || other.length < guide.short) continue;
      const cost = slips(word, other);
      if (cost < best[1]) best = [other, cost];
    }
    return best[0];
  };
  const alike = (name) => {
    const ends = ["s", "es", "d", "ed", "ing"].filter((end) => name.endsWith(end)).map((end) => name.slice(0, -end.length));
    const key = [name, ...ends, ...ends.map((form) => form + "e")].find((one) => Object.prototype.hasOwnProperty.call(guide.alike, one));
    return key === undefined ? [] : Object.entries(guide.alike[key]);
  };
  const terms = (said) => {
    const others = new Map(said.map((word) => [word, new Map()]));
    for (let size = 1; size <= 3; size++) for (let start = 0; start + size <= said.length; start++) {
      const part = said.slice(start, start + size);
      for (const [way, counts] of alike(part.join(" "))) for (const word of part) others.get(word).set(way, counts);
    }
    return said.map((word) => {
      const known = scores(word).size > 0;
      let ways = new Map([[word, 1], ...others.get(word)]), first = word;
      if (!known && ways.size === 1) {
        const better = mended(word);
        if (better) { ways = new Map([[better, guide.mended], ...alike(better).map(([way, counts]) => [way, guide.mended * counts])]); first = better; }
      }
      const stands = [...ways].filter(([way]) => scores(way).size).sort((a, b) => b[1] - a[1])[0];
      const many = Math.log(guide.passages.length + 1);
      return { ways, weight: stands ? many - Math.log(scores(stands[0]).size + 1) : many * (/^\d+$/.test(word) ? guide.digits : guide.unseen) };
    });
  };
  const ranked = (question) => {
    const said = asked(question);
    const looked = terms(said), score = new Map(), covered = new Map();
    for (const term of looked) {
      const best = new Map(), holds = new Map();
      for (const [way, counts] of term.ways) for (const [at, fits] of scores(way)) {
        best.set(at, Math.max(best.get(at) || 0, counts * fits));
        holds.set(at, Math.max(holds.get(at) || 0, counts));
      }
      for (const [at, fits] of best) {
        score.set(at, (score.get(at) || 0) + fits);
        covered.set(at, (covered.get(at) || 0) + holds.get(at) * term.weight);
      }
    }
    for (let at = 0; at + 1 < said.length; at++) {
      const a = scores(said[at]), b = scores(said[at + 1]), [one, other] = [said[at], said[at + 1]].map((word) => stem(word) + "\\w*");
      const next = new RegExp(`\\b${one}\\W+${other}`);
      const near = new RegExp(`\\b${one}\\W+(?:\\w+\\W+){0,${guide.within}}${other}|\\b${other}\\W+(?:\\w+\\W+){0,${guide.within}}${one}`);
      for (const [doc, fits] of a) if (b.has(doc)) {
        const text = guide.level[doc];
        if (next.test(text)) score.set(doc, score.get(doc) + guide.together * (fits + b.get(doc)));
        if (!near.test(text)) covered.set(doc, covered.get(doc) - guide.apart * (looked[at].weight + looked[at + 1].weight));
      }
    }
    const whole = looked.reduce((sum, term) => sum + term.weight, 0);
    const all = [...score].filter(([at]) => covered.get(at) >= guide.covered * whole)
      .map(([at, value]) => [at, whole ? value * covered.get(at) / whole : value]).sort((a, b) => b[1] - a[1]);
    return { said, all: all.filter(([, value]) => value >= guide.share * all[0][1]).slice(0, 6) };
  };
  const snippet = (text, said) => {
    const sentences = text.match(/[^.!?]+[.!?]*/g) || [text];
    const worth = (sentence) => said.filter((word) => level(sentence).includes(stem(word))).length;
    return sentences.reduce((best, one) => worth(one) > worth(best) ? one : best, sentences[0]).trim();
  };
  const answer = () => {
    const question = box.value.trim();
    found.hidden = !question;
    found.replaceChildren();
    if (!question || !guide) return;
    const { said, all } = ranked(question);
    if (!all.length) {
      const p = document.createElement("p");
      p.textContent = "Not in the guide. Try other words, or look through the questions.";
      found.append(p);
      return;
    }
    const list = document.createElement("ol");
    for (const [at] of all) {
      const [href, title, page, text] = guide.passages[at];
      const item = document.createElement("li"), link = document.createElement("a"), from = document.createElement("p"), told = document.createElement("p");
      link.href = href;
      link.textContent = title;
      from.textContent = page;
      from.className = "soft";
      told.textContent = snippet(text, said);
      item.append(from, link, told);
      list.append(item);
    }
    found.append(list);
  };
  box.addEventListener("focus", load);
  box.addEventListener("input", () => { load(); answer(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); const first = $("a", found); if (first) location.href = first.href; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); found.hidden = true; }
    if (event.key === "/" && !/input|textarea/i.test(document.activeElement.tagName)) { event.preventDefault(); box.focus(); }
  });
  found.addEventListener("click", (event) => { if (event.target.closest("a")) found.hidden = true; });
})();
