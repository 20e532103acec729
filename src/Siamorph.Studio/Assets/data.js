// The grid of a dataset's pairs: pictures and outlines come when they are looked at, filters work on what is here already.
import { post } from "./studio.js";

const grid = document.getElementById("grid");
const filters = document.getElementById("filters");
const count = document.getElementById("count");
const findingsBox = document.getElementById("findings");
const at = encodeURIComponent(grid.dataset.at);
const batch = 60;
const svg = "http://www.w3.org/2000/svg";

let pairs = [], byKey = new Map(), findings = [], thirds = [0, 0];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function card(pair) {
  const view = element("a", { className: "view", href: `/edit?pair=${pair.key}` });
  view.append(element("img", { src: `${pair.image}?size=192`, loading: "lazy", decoding: "async", alt: `Image of pair ${pair.id}` }));
  const about = [pair.split, pair.source === "real" ? null : pair.source, pair.group && `group ${pair.group}`].filter(Boolean).join(" · ");
  pair.line = element("p", { textContent: about });
  const item = element("li", { className: "pair" }, view, element("p", { className: "name", textContent: pair.id }), pair.line);
  pair.view = view;
  pair.about = about;
  return item;
}

function outline(pair, shape) {
  pair.area = shape.area;
  pair.line.textContent = [pair.about, `lesion ${(100 * shape.area).toFixed(1)} %`].filter(Boolean).join(" · ");
  const drawing = document.createElementNS(svg, "svg");
  drawing.setAttribute("viewBox", `0 0 ${shape.width} ${shape.height}`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  for (const kind of ["under", "over"]) {
    const path = document.createElementNS(svg, "path");
    path.setAttribute("d", shape.path);
    path.setAttribute("class", kind);
    drawing.append(path);
  }
  pair.view.append(drawing);
}

// A choice of one is none, but for findings.
function choices(name, values, all, fewest = 2) {
  const select = filters.elements[name];
  select.replaceChildren(element("option", { value: "", textContent: all }), ...[...new Set(values)].sort().map(v => element("option", { value: v, textContent: v })));
  select.closest("label").hidden = select.options.length <= fewest;
}

function thirdOf(area) {
  return area === 0 ? "0" : area <= thirds[0] ? "1" : area <= thirds[1] ? "2" : "3";
}

function fits(pair, wanted) {
  return (!wanted.split || pair.split === wanted.split) && (!wanted.source || pair.source === wanted.source) && (!wanted.group || pair.group === wanted.group)
    && (!wanted.area || (pair.area !== undefined && thirdOf(pair.area) === wanted.area))
    && (!wanted.finding || findings.some(f => f.code === wanted.finding && (f.key === pair.key || f.other === pair.key)))
    && (!wanted.text || pair.id.toLowerCase().includes(wanted.text.toLowerCase()));
}

function show() {
  const wanted = Object.fromEntries(new FormData(filters));
  let shown = 0;
  for (const pair of pairs) {
    const fit = fits(pair, wanted);
    if (pair.item) pair.item.hidden = !fit; // cards are still being made
    if (fit) shown++;
  }
  count.textContent = shown === pairs.length ? `${pairs.length} pairs.` : `${shown} of ${pairs.length} pairs.`;
}

async function readOutlines() {
  for (let from = 0; from < pairs.length; from += batch) {
    const answer = await fetch(`/data/outlines?at=${at}&from=${from}&count=${batch}`);
    if (!answer.ok) return;
    for (const shape of await answer.json()) outline(byKey.get(shape.key), shape);
  }
  const areas = pairs.map(p => p.area).filter(a => a > 0).sort((a, b) => a - b);
  thirds = [areas[Math.floor(areas.length / 3)] ?? 0, areas[Math.floor(2 * areas.length / 3)] ?? 0];
  show();
  grid.dataset.ready = "outlines";
}

// The images further down, before anybody scrolls to them; of very large folders those alone that are looked at.
async function fetchAhead() {
  for (const pair of pairs.slice(0, 3000)) {
    const image = pair.view.firstChild;
    image.loading = "eager";
    if (!image.complete) await Promise.race(["load", "error"].map(event => new Promise(done => image.addEventListener(event, done, { once: true }))));
  }
  grid.dataset.images = "here";
}

// The images that can be seen at once come before anything else is made; a slow disk is not waited for.
function firstImages() {
  const seen = pairs.slice(0, batch).filter(p => p.item.getBoundingClientRect().top < innerHeight);
  const shown = Promise.allSettled(seen.map(p => p.view.firstChild.decode()));
  return Promise.race([shown, new Promise(done => setTimeout(done, 1000))]);
}

function twin(key) {
  const pair = byKey.get(key);
  return element("figure", {}, element("img", { src: `${pair.image}?size=256`, alt: `Image of pair ${pair.id}`, loading: "lazy", width: 192 }), element("figcaption", { textContent: pair.id }));
}

function showFindings() {
  const errors = findings.filter(f => f.isError).length;
  const title = element("p", { className: `notice ${errors ? "bad" : "good"}`, textContent: findings.length === 0 ? "Nothing was found to be wrong." : `${errors} errors and ${findings.length - errors} warnings.` });
  title.setAttribute("role", "status");
  const list = findings.map(f => {
    const box = element("div", { className: "finding" }, element("p", { textContent: `${f.subject}: ${f.message}` }));
    if (f.key && f.other) box.append(element("div", { className: "twins" }, twin(f.key), twin(f.other)));
    return box;
  });
  const details = element("details", { open: list.length <= 6 }, element("summary", { textContent: "All findings" }), ...list);
  findingsBox.replaceChildren(title, ...(list.length ? [details] : []));
  findingsBox.hidden = false;
  choices("finding", findings.map(f => f.code), "all", 1);
}

document.getElementById("check").addEventListener("click", async event => {
  event.target.disabled = true;
  count.textContent = "Every file is being opened.";
  try {
    findings = await (await post(`/data/check?at=${at}`)).json();
    showFindings();
    show();
  } catch (fault) {
    count.textContent = fault.message;
  }
  event.target.disabled = false;
});

filters.addEventListener("input", show);
filters.addEventListener("submit", event => event.preventDefault());

const answer = await fetch(`/data/cards?at=${at}`);
if (!answer.ok) count.textContent = await answer.text();
else {
  pairs = await answer.json();
  byKey = new Map(pairs.map(p => [p.key, p]));
  for (let from = 0; from < pairs.length; from += batch) {
    for (const pair of pairs.slice(from, from + batch)) pair.item = card(pair);
    grid.append(...pairs.slice(from, from + batch).map(p => p.item));
    if (from === 0) await firstImages();
    await new Promise(done => requestAnimationFrame(() => setTimeout(done))); // what is here is shown first
  }
  choices("split", pairs.map(p => p.split ?? ""), "all");
  choices("source", pairs.map(p => p.source), "all");
  choices("group", pairs.map(p => p.group ?? ""), "all");
  show();
  grid.dataset.ready = "cards";
  await readOutlines();
  await fetchAhead();
}
