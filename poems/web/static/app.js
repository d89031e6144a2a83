// What the pages gain from a script. Each of them works without it; nothing is sent anywhere but to this app.
"use strict";
(() => {
  const PART = { "x-part": "true" };
  const $ = (query, where = document) => where.querySelector(query);
  const $$ = (query, where = document) => [...where.querySelectorAll(query)];

  // ---- a part of a page, fetched and put in its place

  async function fetched(url, options = {}) {
    const answer = await fetch(url, { ...options, headers: PART });
    if (answer.redirected || answer.headers.get("x-go")) throw new Error("moved");
    return answer;
  }
  async function sent(form, submitter) {
    const body = new URLSearchParams(new FormData(form, submitter));
    try {
      const answer = await fetched(form.action, { method: "POST", body });
      if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
      const into = $(form.dataset.part);
      into.innerHTML = await answer.text();
      const said = $("[data-said]", into), status = $(form.dataset.status);
      if (status && said) status.textContent = said.dataset.said;
      const next = $("[aria-invalid=true]", into) || $(".fields :is(select,input)", into) || $("input[name=finding]", into);
      if (next) next.focus();
    } catch { form.submit(); }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.part) { event.preventDefault(); sent(form, event.submitter); return; }
    if (form.enctype === "multipart/form-data") {
      const button = $("button", form);
      setTimeout(() => { button.disabled = true; button.textContent = "Reading …"; });
    }
  });
  addEventListener("pageshow", (event) => { if (event.persisted) for (const one of $$("button[disabled]")) one.disabled = false; });
  for (const one of $$("[data-submit]")) {   // a choice that needs no button
    one.dataset.ready = "yes";
    one.addEventListener("change", () => one.form.requestSubmit());
  }

  // ---- a finding: looked up while it is typed, then its fields

  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  const wordy = (text) => plain(text).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const several = (text) => (text || "").split("|").filter(Boolean).map((name) => ({ name, plain: wordy(name) }));
  let names = null;
  const known = () => names ??= $$("#concepts option").map((one) => ({
    label: one.value, kind: one.dataset.kind, plain: wordy(one.value),
    also: several(one.dataset.also), sought: several(one.dataset.sought),
  }));
  // how well a name fits: whole, by its beginning, by the beginning of a word; never by what stands within a word
  const worth = (text, said) => text === said ? 5 : text.startsWith(said) ? 4 : text.includes(` ${said}`) ? 3 : 0;
  function slip(text, said) {       // whether one letter is wrong, missing or too many in the beginning of a word
    return said.length >= 4 && text.split(" ").some((word) => {
      if (word[0] !== said[0]) return false;
      const end = Math.min(word.length, said.length + 1);
      for (let length = said.length - 1; length <= end; length++) if (near(word.slice(0, length), said)) return true;
      return false;
    });
  }
  function near(one, other) {
    let i = 0, j = one.length, k = other.length;
    while (i < j && i < k && one[i] === other[i]) i++;
    while (j > i && k > i && one[j - 1] === other[k - 1]) { j--; k--; }
    return j - i <= 1 && k - i <= 1 || (j - i === 2 && k - i === 2 && one[i] === other[i + 1] && one[i + 1] === other[i]);
  }
  function lookup(text) {
    const said = wordy(text);
    if (!said) return [];
    const words = said.split(" "), found = [];
    const fits = (one, test) => words.every((word) => test(one.plain, word) || [...one.also, ...one.sought].some((other) => test(other.plain, word)));
    for (const one of known()) {
      let best = worth(one.plain, said) * 3, by = "";
      for (const [names, less] of [[one.also, 1], [one.sought, 2]]) for (const other of names) {
        const here = worth(other.plain, said) * 3 - less;
        if (here > Math.max(best, 0)) { best = here; by = other.name; }
      }
      if (best <= 0 && words.length > 1 && fits(one, worth)) best = 1;
      if (best > 0) found.push({ ...one, best, by });
    }
    if (!found.length) for (const one of known()) if (fits(one, (name, word) => worth(name, word) || slip(name, word))) {
      const by = slip(one.plain, said) ? "" : ([...one.also, ...one.sought].find((other) => slip(other.plain, said)) || { name: "" }).name;
      found.push({ ...one, best: 1, by });
    }
    return found.sort((a, b) => b.best - a.best || a.label.length - b.label.length || a.label.localeCompare(b.label)).slice(0, 12);
  }

  function marked(text, said) {     // the name with what was typed in it
    const span = document.createElement("span"), sought = plain(said.trim());
    const within = plain(text), isWord = /[\p{L}\p{N}]/u;
    let at = sought ? within.indexOf(sought) : -1;
    while (at > 0 && isWord.test(within[at - 1])) at = within.indexOf(sought, at + 1);
    if (at < 0 || plain(text).length !== text.length) { span.textContent = text; return span; }
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + said.trim().length);
    span.append(text.slice(0, at), mark, text.slice(at + said.trim().length));
    return span;
  }
  function finder(input) {
    if (input.dataset.ready) return;
    input.dataset.ready = "yes";
    input.removeAttribute("list");
    const list = document.createElement("ul");
    Object.assign(list, { id: "choices", className: "choices", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Findings");
    input.after(list);
    for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", "choices"], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
    let at = -1;
    const shown = () => $$("[role=option]", list);
    const close = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
    const choose = (item) => { input.value = item.dataset.value; close(); chosen(input, true); };
    const point = (next) => {
      const all = shown();
      if (!all.length) return;
      at = (next + all.length) % all.length;
      all.forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
      all[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", all[at].id);
    };
    const open = () => {
      const found = lookup(input.value);
      list.replaceChildren(...found.map((one, place) => {
        const item = document.createElement("li"), kind = document.createElement("span"), name = marked(one.label, input.value);
        item.id = `choice-${place}`;
        item.dataset.value = one.label;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        if (one.by && !worth(one.plain, wordy(input.value))) { const small = document.createElement("small"); small.textContent = one.by; name.append(small); }
        kind.className = "kind";
        kind.textContent = one.kind;
        item.append(name, kind);
        return item;
      }));
      if (!found.length && input.value.trim().length > 1) {
        const none = document.createElement("li");
        none.className = "none";
        none.setAttribute("role", "option");
        none.setAttribute("aria-disabled", "true");
        none.setAttribute("aria-selected", "false");
        none.textContent = "Nothing of that name is known here.";
        list.append(none);
      }
      list.hidden = !list.children.length;
      at = -1;
      input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-expanded", String(!list.hidden));
    };
    input.addEventListener("input", () => { open(); forget(input); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) open();
        point(event.key === "ArrowDown" ? at + 1 : at < 0 ? -1 : at - 1);
      } else if (event.key === "Enter" && !list.hidden) {
        const item = shown().filter((one) => one.dataset.value)[Math.max(at, 0)];
        if (item) { event.preventDefault(); choose(item); }
      } else if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); }
      else if (event.key === "Tab") close();   // a list that scrolls would take the focus
    });
    input.addEventListener("blur", () => setTimeout(close, 120));
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => { const item = event.target.closest("[data-value]"); if (item) choose(item); });
  }
  const fieldsOf = (input) => $(".fields", input.form);
  function forget(input) {          // another name: the fields of the last one go
    const into = fieldsOf(input);
    if (!into || into.dataset.of === undefined || into.dataset.of === input.value) return;
    into.replaceChildren();
    delete into.dataset.of;
    ready(input.form, false);
  }
  function ready(form, is) {
    if (!form.dataset.add) return;
    form.action = is ? form.dataset.add : form.dataset.fields;
    $("#save", form).textContent = is ? "Save" : "Next";
  }
  async function chosen(input, move) {
    const form = input.form, into = fieldsOf(input);
    if (!input.value.trim() || !form.dataset.fields || into.dataset.of === input.value) return;
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, finding: input.value });
    try {
      const answer = await fetched(form.dataset.fields, { method: "POST", body });
      if (!answer.ok) return;
      into.innerHTML = await answer.text();
      into.dataset.of = input.value;
      ready(form, Boolean($("fieldset", into)));
      const first = $(":is(input,select):not([name=comparator])", into);
      // Who left the name by the Tab key stands on the button behind the fields that come only now.
      if (first && (move || document.activeElement === $("button.main", form))) first.focus();
    } catch { /* the button still sends the form */ }
  }
  document.addEventListener("focusin", (event) => { if (event.target.matches(".finder > input")) finder(event.target); });
  document.addEventListener("change", (event) => { if (event.target.matches(".finder > input")) chosen(event.target, false); });

  document.addEventListener("click", (event) => {   // what to begin with opens its fields on the same page
    const button = event.target.closest?.("form[data-find] button"), input = button && $("form.enter[data-add] input[name=finding]");
    if (!input) return;
    event.preventDefault();
    input.value = button.value;
    input.scrollIntoView({ block: "center" });
    chosen(input, true);
  });

  // ---- what was typed and not saved is asked about before it is left

  let sending = false;
  const changed = (one) => one.type === "radio" || one.type === "checkbox" ? one.checked !== one.defaultChecked
    : one.tagName === "SELECT" ? one.selectedIndex !== Math.max([...one.options].findLastIndex((option) => option.defaultSelected), 0)
      : one.value !== one.defaultValue;
  const unsaved = () => !sending && $$("form.enter[data-add], form[data-keep]").some((form) => ($(".alert[role=alert]", form) && $("fieldset", form))
    || [...form.elements].some((one) => one.name && one.name !== "finding" && one.type !== "hidden" && one.tagName !== "BUTTON" && changed(one)));
  const ask = (event) => { if (unsaved()) { event.preventDefault(); event.returnValue = ""; } };
  const mind = () => (unsaved() ? addEventListener : removeEventListener)("beforeunload", ask);
  for (const name of ["input", "change"]) document.addEventListener(name, mind);
  document.addEventListener("submit", (event) => { if (event.target.matches("form.enter[data-add], form[data-keep]")) sending = true; });
  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-leave]")) sending = true; });
  addEventListener("pageshow", () => { sending = false; mind(); });

  // ---- files dropped anywhere on the page go into the import form

  const drop = $("form[data-drop]");
  if (drop) {
    const field = $("input[type=file]", drop);
    const has = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    document.addEventListener("dragover", (event) => { if (has(event)) { event.preventDefault(); drop.classList.add("over"); } });
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
    document.addEventListener("drop", (event) => {
      drop.classList.remove("over");
      if (!has(event)) return;
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      field.files = event.dataTransfer.files;
      drop.requestSubmit();
    });
  }

  // ---- long lists: only the rows that hold what is typed

  for (const field of $$("[data-filter]")) {
    const rows = $$(field.dataset.filter).map((row) => [row, plain(row.textContent)]);
    field.parentElement.hidden = false;
    field.addEventListener("input", () => {
      const words = plain(field.value).split(/\s+/).filter(Boolean);
      for (const [row, text] of rows) row.hidden = !words.every((word) => text.includes(word));
      for (const table of new Set(rows.map(([row]) => row.closest("table")))) table.hidden = !$("tbody tr:not([hidden])", table);
    });
    field.addEventListener("keydown", (event) => { if (event.key === "Escape") { field.value = ""; field.dispatchEvent(new Event("input")); } });
  }

  // ---- menus close when one looks elsewhere

  const menus = () => $$("details.menu[open]");
  document.addEventListener("click", (event) => { for (const one of menus()) if (!one.contains(event.target)) one.open = false; });
  document.addEventListener("focusin", (event) => { for (const one of menus()) if (!one.contains(event.target)) one.open = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const one of menus()) { one.open = false; $("summary", one).focus(); }
  });
  if (matchMedia("(max-width: 60rem)").matches) for (const one of $$("details.fold")) one.open = false;

  // ---- the source of a claim beside its mark, as long as the pointer or the focus is on either

  let note = null, leaving = 0;
  const hush = () => { if (note) { note.remove(); note = null; } };
  function tell(mark) {
    clearTimeout(leaving);
    if (note && note.of === mark) return;
    hush();
    const line = document.getElementById(decodeURIComponent(mark.hash.slice(1)));
    if (!line) return;
    const where = mark.title || mark.dataset.where || "";
    if (mark.title) { mark.dataset.where = mark.title; mark.removeAttribute("title"); }
    note = document.createElement("div");
    note.className = "float note";
    note.of = mark;
    for (const node of line.childNodes) if (node.nodeName !== "BR" && !(node.nodeType === 1 && node.matches(".soft"))) note.append(node.cloneNode(true));
    if (where) { const row = document.createElement("span"); row.className = "row"; row.textContent = where; note.append(row); }
    $("main").append(note);
    const box = mark.getBoundingClientRect(), own = note.getBoundingClientRect();
    note.style.left = `${Math.max(8, Math.min(box.left, innerWidth - own.width - 8)) + scrollX}px`;
    note.style.top = `${(box.bottom + own.height + 12 > innerHeight ? box.top - own.height - 4 : box.bottom + 4) + scrollY}px`;
  }
  const leave = () => { clearTimeout(leaving); leaving = setTimeout(hush, 180); };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest?.("a.cite");
    if (mark && event.pointerType === "mouse") tell(mark);
    else if (note && event.target.closest?.(".float") === note) clearTimeout(leaving);
    else if (note) leave();
  });
  document.addEventListener("focusin", (event) => { const mark = event.target.closest?.("a.cite"); if (mark && mark.matches(":focus-visible")) tell(mark); else if (note) leave(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });
})();
