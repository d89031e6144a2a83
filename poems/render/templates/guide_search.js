"use strict";
// What `poems ask` does, in the browser: the same words, weights and bars, from the data of search-*.js. See poems/guide.
window.asker = (data) => {
  const list = (text) => new Set(text.split(" "));
  const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const empty = list(data.empty), people = list(data.people), named = list(data.named), unnamed = list(data.unnamed), places = list(data.places), parts = list(data.parts), titles = list(data.titles);
  const english = new Map(Object.entries(data.english).flatMap(([name, text]) => text.split(" ").map((word) => [word, name])));
  const asks = Object.fromEntries(Object.entries(data.asks).map(([name, value]) => [name, name === "turns" ? value : list(value)]));
  const N = data.numbers, most = Math.log(data.passages.length + 1);

  // ---- words
  const stem = (word) => word.replace(/(?:ations?|ings?|ed|es|s|ly|ments?|e)$/, "").replace(/(.)\1$/, "$1");
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  const level = (text) => plain(text).replace(/(?<=\d),(?=\d{3})/g, "").replace(/ae|(?<!\bp)oe/g, "e").replace(/our\b/g, "or")
    .replace(/(\w{3,})is(e|ed|es|ing|ation)\b/g, "$1iz$2").replace(/(\w{2,})tre\b/g, "$1ter");
  const words = (text) => level(text).match(/[a-z0-9]+/g) || [];
  const vocabulary = Object.keys(data.words).filter((word) => !word.includes(" "));
  const stems = new Map();
  for (const word of vocabulary) {
    const other = stems.get(stem(word));
    if (!other || data.words[other].length < data.words[word].length) stems.set(stem(word), word);
  }
  const texts = data.passages.map((passage) => level(passage.slice(1).join(" . ")));
  const plainer = (word) => {
    const forms = [word];
    for (const [end, instead] of data.endings) if (word.endsWith(end) && word.length - end.length >= N.stem) {
      const form = word.slice(0, -end.length) + instead;
      forms.push(form);
      if (!instead && form.length > N.stem && form.at(-1) === form.at(-2)) forms.push(form.slice(0, -1));
    }
    return forms;
  };
  const sort = (word) => named.has(word) ? "other" : english.get(plainer(word).find((form) => english.has(form))) || "";
  const alike = (word, name) => {
    const form = plainer(word).find((one) => has(data[name], one));
    return form === undefined ? null : data[name][form].filter((other) => other !== word);
  };
  const kept = new Map();
  const scores = (phrase) => {
    let map = kept.get(phrase);
    if (!map) {
      const flat = has(data.words, phrase) ? data.words[phrase] : data.words[stems.get(stem(phrase))] || [];
      map = new Map();
      for (let at = 0; at < flat.length; at += 2) map.set(flat[at], flat[at + 1]);
      kept.set(phrase, map);
    }
    return map;
  };
  const knows = (word) => scores(word).size > 0 && (word.length > N.short || word.includes(" ") || has(data.words, word));
  const roots = (word) => ["", ...data.shapes].filter((end) => word.endsWith(end) && word.length - end.length >= N.root).map((end) => word.slice(0, word.length - end.length));
  const rooted = vocabulary.map((word) => [word, roots(word)]);
  const shapes = (word) => {
    const own = new Set(roots(word));
    return rooted.filter(([other, found]) => other !== word && ((other.slice(0, N.stem) === word.slice(0, N.stem) && found.some((root) => own.has(root)))
      || (word.length >= N.tail && other.endsWith(word)) || (other.length >= N.long_tail && word.endsWith(other)))).map(([other]) => other);
  };
  const vowels = "aeiouy";
  const swap = (x, y) => x === y ? 0 : (data.near[x] || "").includes(y) || (vowels.includes(x) && vowels.includes(y)) ? 1 : 1.9;
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
    const least = word.length < N.short ? 0 : word.length < N.long ? 1 : 2;
    let best = ["", least + 0.5];
    if (least) for (const other of vocabulary) {
      if (other[0] !== word[0] || Math.abs(other.length - word.length) > least || other.length < N.short) continue;
      const cost = slips(word, other);
      if (cost < best[1]) best = [other, cost];
    }
    return best[0];
  };

  // ---- sentences
  const turns = new Map();
  for (const turn of [...data.elsewhere.map((said) => ({ said, read: [data.otherwise], near: "" })), ...data.turns]) {
    const said = turn.said.split(" ");
    if (!turns.has(said[0])) turns.set(said[0], []);
    turns.get(said[0]).push({ ...turn, said, near: new Set(turn.near ? turn.near.split(" ") : []), units: new Set((turn.units || "").split(" ")) });
  }
  const fits = (turn, tokens, at) => {
    const end = at + turn.said.length;
    if (!turn.said.every((word, place) => tokens[at + place] === word)) return false;
    if (!turn.near.size) return true;
    if (turn.near.has("0") && /^\d+$/.test(tokens[end] || "") && !turn.units.has(tokens[end + 1])) return true;
    return [...tokens.slice(Math.max(0, at - N.beside), at), ...tokens.slice(end, end + N.beside)].some((word) => turn.near.has(word));
  };
  const meant = (tokens) => {
    const found = [];
    for (let at = 0; at < tokens.length;) {
      const turn = (turns.get(tokens[at]) || []).find((one) => fits(one, tokens, at));
      found.push(...(turn ? turn.read : [tokens[at]]));
      at += turn ? turn.said.length : 1;
    }
    return found;
  };
  const kind = (text, tokens, read) => {
    if (text.trimEnd().endsWith("?")) return "question";
    const said = ` ${tokens.join(" ")} `;
    let from = 0;
    while (asks.before.has(tokens[from])) from++;
    const [first, second] = [tokens[from] || "", tokens[from + 1] || ""];
    if (asks.first.has(first) && !(asks.conjunctions.has(first) && asks.persons.has(second))) return "question";
    if (asks.inverted.has(first) && asks.persons.has(second)) return "question";
    if (asks.turns.some((turn) => said.includes(` ${turn} `))) return "question";
    return read.some((word) => asks.tells.has(word)) ? "story" : "note";
  };
  const sentence = (text) => {
    const joined = plain(text).replace(/\u2019/g, "'").replace(/can't/g, "cannot").replace(/n't\b/g, " not")
      .replace(/(?<![a-z0-9])[a-z](?:[ .][a-z]){2,}(?![a-z0-9])/g, (found) => found.replace(/[ .]/g, ""));
    let tokens = (joined.match(/[a-z0-9]+(?:-[a-z0-9]+)*/g) || []).map((word) => word.slice(0, N.letters));
    if (tokens.length > 2 * N.words) tokens = [...tokens.slice(0, N.words), ...tokens.slice(-N.words)];
    const read = meant(tokens);
    const telling = read.filter((word) => !empty.has(word) && (word.length > 1 || /\d/.test(word)));
    return { words: [...new Set(telling.flatMap(words))], said: read.flatMap(words), kind: kind(text, tokens, read), parts: [] };
  };
  const sentences = (text) => {
    if (text.length > 2 * N.characters) text = `${text.slice(0, N.characters)}\n${text.slice(-N.characters)}`;
    let every = text.split(/(?<=[.?!])\s+|[\r\n]+|;\s/).filter((one) => one.trim());
    if (every.length > N.first + N.last) {
      const asking = every.map((one, at) => one.trimEnd().endsWith("?") ? at : -1).filter((at) => at >= 0).slice(-N.asking);
      every = every.filter((_, at) => at < N.first || at >= every.length - N.last || asking.includes(at));
    }
    return every.map((one) => {
      const whole = sentence(one);
      if (whole.words.length > N.many) {
        const found = one.split(/,\s|:\s|\s[-\u2013\u2014]\s|[()]|\s(?:but|so|because|and|while|now|that|if|when)\s/i).map(sentence).filter((part) => part.words.length);
        if (found.length > 1) whole.parts = found;
      }
      return whole;
    }).filter((one) => one.words.length);
  };

  // ---- what the words tell, and which passages hold enough of it
  const othersOf = (said) => {
    const found = new Map();
    for (let size = 1; size <= N.longest; size++) for (let start = 0; start + size <= said.length; start++) {
      const part = said.slice(start, start + size), name = part.join(" ");
      const ways = [...(size > 1 && has(data.groups, name) ? data.groups[name].map((other) => [other, N.like]) : []),
        ...(has(data.names, name) ? data.names[name].map((other) => [other, N.other_name]) : [])];
      for (const word of ways.length ? part : []) {
        if (!found.has(word)) found.set(word, new Map());
        for (const [other, counts] of ways) found.get(word).set(other, counts);
      }
    }
    return found;
  };
  const makeTerm = (word, others) => {
    const sorted = sort(word), isEveryday = sorted === "everyday";
    const term = { word, ways: new Map(), isKnown: false, isTelling: false, isForeign: false, isEveryday, isAbout: false, isName: false, isTechnical: false, isSubject: false };
    if (/^\d/.test(word)) return { ...term, ways: new Map([[word, 1]]), weight: most * N.digits, isKnown: scores(word).size > 0, isEveryday: true };
    const groups = alike(word, "groups"), forms = alike(word, "forms");
    const ways = new Map([[word, 1], ...(groups || []).map((other) => [other, N.like]), ...(forms || []).map((other) => [other, N.shape])]);
    for (const [other, counts] of others || []) ways.set(other, Math.max(ways.get(other) || 0, counts));
    let known = [...ways.keys()].filter(knows);
    if (!known.length) for (const other of known = shapes(word)) ways.set(other, N.shape);
    if (!known.length) return { ...term, weight: most * (isEveryday ? N.said : sorted === "other" ? N.common : N.rare), isForeign: !isEveryday };
    const best = Math.max(...known.map((way) => ways.get(way)));
    const weight = Math.min(...known.filter((way) => ways.get(way) === best).map((way) => most - Math.log(scores(way).size + 1)));
    const same = has(data.words, word) ? known : [...known, ...shapes(word)];
    const isAbout = !places.has(word) && ([word, ...same].some((way) => parts.has(way) || titles.has(way)) || groups !== null || forms !== null);
    const isName = !isEveryday && [word, ...same].some((way) => parts.has(way) && (ways.has(way) ? ways.get(way) : 1) > N.like);
    return { ...term, ways: new Map(known.map((way) => [way, ways.get(way)])), weight: isAbout || !isEveryday ? weight : weight * N.plain, isKnown: true,
      isTelling: isAbout || !isEveryday, isAbout, isName, isTechnical: isName && !sorted, isSubject: weight > N.faint && !unnamed.has(word) && (sorted === "topics" || (isName && !sorted)) };
  };
  const search = () => {
    const made = new Map();
    let mends = N.mends;
    const understood = (word, isAlone) => {
      if (!mends || word.length < N.short || /^\d/.test(word) || knows(word) || sort(word) || alike(word, "groups") || alike(word, "forms") || has(data.names, word) || shapes(word).length) return word;
      mends--;
      for (let at = 0; at + 1 < word.length; at++) {
        const other = word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
        if (sort(other) || empty.has(other) || plainer(other).some((form) => has(data.words, form))) return other;
      }
      return (isAlone || word.length >= N.whole) && mended(word) || word;
    };
    return (one) => {
      const key = one.said.join(" ");
      if (!made.has(key)) {
        const isAlone = !one.words.some(knows), read = new Map(one.words.map((word) => [word, understood(word, isAlone)]));
        const others = othersOf(one.said.map((word) => read.get(word) || word));
        made.set(key, [...new Set(read.values())].filter((word) => !empty.has(word) || one.words.includes(word)).map((word) => makeTerm(word, others.get(word))));
      }
      return made.get(key);
    };
  };
  const kinds = { about: (term) => term.isAbout, named: (term) => term.isAbout && !term.isEveryday, names: (term) => term.isName, technical: (term) => term.isTechnical, subject: (term) => term.isSubject };
  const add = (map, at, value) => map.set(at, (map.get(at) || 0) + value);
  const fit = (terms) => {
    const score = new Map(), covered = new Map(), held = Object.fromEntries(Object.keys(kinds).map((name) => [name, new Map()]));
    for (const [term, counts] of terms) {
      const best = new Map(), holds = new Map();
      for (const [way, like] of term.ways) for (const [at, value] of scores(way)) {
        best.set(at, Math.max(best.get(at) || 0, like * value));
        holds.set(at, Math.max(holds.get(at) || 0, like));
      }
      for (const [at, value] of best) {
        add(score, at, counts * value);
        for (const each of [covered, ...Object.keys(kinds).filter((name) => kinds[name](term)).map((name) => held[name])]) add(each, at, counts * holds.get(at) * term.weight);
      }
    }
    for (let place = 0; place + 1 < terms.length; place++) {
      const [[one, counts], [other]] = [terms[place], terms[place + 1]];
      if (!one.isKnown || !other.isKnown) continue;
      const a = scores(one.word), b = scores(other.word), [x, y] = [stem(one.word) + "\\w*", stem(other.word) + "\\w*"];
      const next = new RegExp(`\\b${x}\\W+${y}`), near = new RegExp(`\\b${x}\\W+(?:\\w+\\W+){0,${N.near}}${y}|\\b${y}\\W+(?:\\w+\\W+){0,${N.near}}${x}`);
      for (const [at, value] of a) if (b.has(at)) {
        if (next.test(texts[at])) add(score, at, counts * N.together * (value + b.get(at)));
        if (!near.test(texts[at])) add(covered, at, -counts * N.apart * (one.weight + other.weight));
      }
    }
    const sum = (is) => terms.reduce((all, [term, counts]) => all + (is(term) ? term.weight * counts : 0), 0);
    const whole = sum(() => true) || 1, subject = sum(kinds.subject), of = (name, at) => held[name].get(at) || 0;
    return [...score].map(([at, value]) => ({ at, score: value, share: covered.get(at) / whole, about: of("about", at), named: of("named", at), names: of("names", at),
      technical: of("technical", at), ofSubject: subject ? of("subject", at) / subject : 1 }));
  };
  const told = (terms) => [terms.reduce((sum, term) => sum + (term.isTelling ? term.weight : 0), 0), terms.reduce((sum, term) => sum + (term.isForeign ? term.weight : 0), 0)];
  const isAsking = (one, terms) => {
    const tells = told(terms)[0] + told(terms)[1];
    if (one.kind === "note") return terms.some((term) => term.isTechnical) || (tells >= N.note && !terms.every((term) => term.isEveryday) && (terms.length > 1 || terms[0].isKnown));
    return one.kind === "question" && (tells > 0 || terms.filter((term) => !term.isKnown).length > 1);
  };
  const barOf = (terms, isStory) => {
    const strays = terms.filter((term) => !term.isKnown && !/^\d/.test(term.word)), isForeign = strays.some((term) => term.isForeign);
    const isStrange = strays.some((term) => term.isForeign && term.weight > most), many = strays.reduce((sum, term) => sum + (people.has(term.word) ? 0.5 : 1), 0);
    return (found) => {
      const isFirm = found.technical > 0, enough = isStrange ? (isFirm ? N.odd : N.strange) : isFirm ? N.firm : N.covered;
      const isPlainly = !isForeign && many <= 1 && found.about >= (many ? N.plainly : N.evidence);
      return found.share >= enough && found.ofSubject >= N.subject && (found.named > 0 || isPlainly) && (!isStory || found.named >= N.story);
    };
  };
  const likeOwn = (said) => {
    const own = new Map(), words = new Set(said);
    for (const [at, wordings] of data.own) {
      const far = Math.max(...wordings.map((wording) => wording.filter((word) => words.has(word)).length / new Set([...wording, ...words]).size));
      if (far >= N.alike) own.set(at, far);
    }
    return own;
  };
  const ask = (question) => {
    const all = sentences(question), terms = search(), best = new Map(), near = new Map(), own = new Set();
    let asked = all.filter((one) => isAsking(one, terms(one)));
    if (!asked.some((one) => one.kind === "question" || terms(one).some((term) => term.isKnown))) {
      const names = all.filter((one) => !asked.includes(one)).flatMap(terms).reduce((sum, term) => sum + (term.isName ? term.weight : 0), 0);
      if (!asked.length || names >= N.story) asked = all;
    }
    const isStory = all.length > 1 && asked.every((one) => one.kind === "story");
    if (isStory) asked = asked.filter((one) => { const [known, foreign] = told(terms(one)); return known >= foreign; });
    const around = all.filter((one) => !asked.includes(one)).flatMap(terms).filter((term) => term.isAbout && !term.isEveryday);
    for (const one of asked) {
      const said = terms(one), [tells, strange] = told(said), passes = barOf(said, isStory), like = strange ? new Map() : likeOwn(one.said);
      for (const [at, far] of like) if (far === 1) own.add(at);
      const full = (found) => found.map((term) => [term, 1]), whole = full(said), parts = one.parts.map(terms).filter((part) => strange <= tells && told(part)[0] >= N.thin).map(full);
      const together = [...whole, ...around.filter((term) => !said.some((other) => other.word === term.word)).map((term) => [term, N.around])];
      const isThin = around.length && !strange && (tells < N.thin || one.said.some((word) => data.pointing.includes(word)));
      const readings = [[whole, ...parts, ...(isThin ? [together] : [])]];
      if (around.length && !strange && said.every((term) => term.isEveryday)) readings.unshift([together]);
      for (const tried of readings) {
        let isFound = false;
        for (const reading of tried) for (const found of fit(reading)) {
          const value = (1 + (like.get(found.at) || 0)) * found.score * found.share, into = passes(found) ? best : found.share >= N.touched && found.names ? near : null;
          if (into) into.set(found.at, Math.max(into.get(found.at) || 0, value));
          isFound ||= into === best;
        }
        if (isFound) break;
      }
    }
    if (best.size && around.length) {
      const context = fit(around.map((term) => [term, 1])), top = Math.max(0, ...context.map((found) => found.score));
      for (const found of context) if (best.has(found.at)) best.set(found.at, best.get(found.at) * (1 + N.context * found.score / top));
    }
    const order = (map) => [...map].sort((a, b) => own.has(b[0]) - own.has(a[0]) || b[1] - a[1]), answers = order(best);
    return { said: asked.flatMap((one) => one.words), all: answers.filter(([, value]) => value >= N.share * answers[0][1]).slice(0, 6).map(([at]) => at),
      near: order(near).slice(0, 3).map(([at]) => at) };
  };
  return { ask, level, stem, passages: data.passages };
};
