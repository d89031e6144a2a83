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

  // Search: what is found by guide_search.js, as `poems ask` finds it.
  const form = $(".search"), box = $("#q"), found = $("#found");
  let guide = null;
  form.hidden = false;
  const load = () => {
    if (guide || $("script[data-guide]")) return;
    const script = document.createElement("script");
    script.src = document.body.dataset.search;
    script.dataset.guide = "";
    script.addEventListener("load", () => { guide = window.asker(window.GUIDE); answer(); });
    document.head.append(script);
  };
  const snippet = (text, said) => {
    const sentences = text.match(/[^.!?]+[.!?]*/g) || [text];
    const worth = (sentence) => said.filter((word) => guide.level(sentence).includes(guide.stem(word))).length;
    return sentences.reduce((best, one) => worth(one) > worth(best) ? one : best, sentences[0]).trim();
  };
  const part = (name, text, style) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (style) made.className = style;
    return made;
  };
  const answer = () => {
    const question = box.value.trim();
    found.hidden = !question;
    found.replaceChildren();
    if (!question || !guide) return;
    const { said, all, near } = guide.ask(question);
    if (!all.length) found.append(part("p", near.length ? "Not in the guide in so many words. It may touch on this in:"
      : "Not in the guide. Try other words, or look through the questions."));
    const list = document.createElement(all.length ? "ol" : "ul");
    for (const at of all.length ? all : near) {
      const [href, title, page, text] = guide.passages[at];
      const item = document.createElement("li"), link = part("a", title);
      link.href = href;
      if (!all.length) link.className = "near";
      item.append(part("p", page, "soft"), link);
      if (all.length) item.append(part("p", snippet(text, said)));
      list.append(item);
    }
    if (list.children.length) found.append(list);
  };
  box.addEventListener("focus", load);
  box.addEventListener("input", () => { load(); answer(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); const first = $("ol a", found); if (first) location.href = first.href; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); found.hidden = true; }
    if (event.key === "/" && !/input|textarea/i.test(document.activeElement.tagName)) { event.preventDefault(); box.focus(); }
  });
  found.addEventListener("click", (event) => { if (event.target.closest("a")) found.hidden = true; });
})();
