// Sightings as they come: filters, counts by day and name, and corrections that teach.
import { byId, complain, element, fill, get, post, remember, showSQL, state, tell, text } from "./common.js";

const PALETTE = JSON.parse(byId("palette").textContent);
const ADDING = document.body.dataset.adding === "yes";
const PAUSE = 4000; // milliseconds between two looks
const PORTION = 50; // sightings of the list, and pictures of a request
const NAMED = PALETTE.colours.length; // names with a colour of their own
const DAYS = 31; // days of the chart: the newest
const FILTERS = ["find", "sure", "source", "days"];

let most = PORTION;
let answer = null;
let seen = ""; // the answer that is shown, as text
let asked = 0; // number of the newest request: an older answer is not shown
let timer = 0;
let corrected = null; // the sighting that is being corrected
const pictures = new Map();

const query = () => Object.fromEntries([...FILTERS.filter((each) => state.get(each)).map((each) => [each, state.get(each)]), ["k", most]]);

// Asks for what is new, and again after a while. A hidden page asks for nothing.
async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  const mine = ++asked;
  try {
    const found = await get("api/sightings", query());
    await addPictures(found.sightings);
    if (mine === asked) show(found);
    complain("");
  } catch (error) {
    if (mine === asked) complain(error.message);
  } finally {
    if (mine === asked) timer = setTimeout(look, PAUSE);
  }
}

async function addPictures(sightings) {
  const missing = sightings.filter((row) => !row.fault && !pictures.has(row.sighting)).map((row) => row.sighting);
  for (let at = 0; at < missing.length; at += PORTION) {
    const portion = missing.slice(at, at + PORTION);
    const found = await get("api/glimpses", portion.map((each) => ["sighting", each]));
    for (const each of portion) pictures.set(each, found.pictures[each] ?? "");
  }
}

function show(found) {
  if (JSON.stringify(found) === seen) return;
  [answer, seen] = [found, JSON.stringify(found)];
  byId("empty").hidden = found.any;
  byId("filled").hidden = !found.any;
  showSources(found.sources);
  const names = counted(found.counts, (row) => row.name ?? "");
  const looks = colours(names);
  showChart(found.counts, looks);
  showBars(names, looks);
  showNumbers(found.counts);
  showList(found);
  showSQL(found.sql);
}

// Returns the number of sightings of each value, the most frequent first.
function counted(counts, valueOf) {
  const sums = new Map();
  for (const row of counts) sums.set(valueOf(row), (sums.get(valueOf(row)) ?? 0) + row.items);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

const colours = (names) => new Map(names.filter(([name]) => name).slice(0, NAMED).map(([name], rank) => [name, PALETTE.colours[rank]]));
const titleOf = (name) => name || text("sure_fault");

function showSources(sources) {
  const options = sources.map((each) => element("option", { value: each }, each));
  byId("source").replaceChildren(byId("source").options[0], ...options);
  byId("source").value = state.get("source") ?? "";
}

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const WIDTH = 720, HEIGHT = 190, FOOT = 24, SIDE = 40;

function showChart(counts, looks) {
  const days = [...new Set(counts.map((row) => row.morning))].sort().slice(-DAYS);
  const highest = Math.max(1, ...counted(counts.filter((row) => days.includes(row.morning)), (row) => row.morning).map(([, sum]) => sum));
  const step = (WIDTH - SIDE) / Math.max(days.length, 7);
  const tall = (items) => (items / highest) * (HEIGHT - FOOT - 14);
  const columns = days.flatMap((day, at) => column(counts.filter((row) => row.morning === day), looks, SIDE + at * step, step, tall));
  const every = Math.ceil(days.length / 8);
  const dates = days.map((day, at) => ({ day, at })).filter(({ at }) => at % every === 0).map(({ day, at }) => drawing("text", { x: SIDE + (at + 0.5) * step, y: HEIGHT - 6, "text-anchor": "middle" }, day.slice(5)));
  const scale = [[0, HEIGHT - FOOT], [highest, 14]].map(([items, y]) => drawing("text", { x: SIDE - 6, y: y + 4, "text-anchor": "end" }, String(items)));
  const floor = drawing("line", { x1: SIDE, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT });
  const label = text("day_label", { count: counts.reduce((sum, row) => sum + row.items, 0), days: new Set(counts.map((row) => row.morning)).size });
  byId("chart").replaceChildren(drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...columns, ...dates, ...scale, floor));
}

// Returns the parts of a day, one above the other. What has no colour of its own is one part.
function column(rows, looks, x, step, tall) {
  const named = rows.filter((row) => looks.has(row.name));
  const rest = rows.filter((row) => !looks.has(row.name)).reduce((sum, row) => sum + row.items, 0);
  const order = [...looks.keys()];
  const parts = named.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)).map((row) => [row.name, row.items, looks.get(row.name)]);
  if (rest) parts.push([text("others"), rest, PALETTE.other]);
  let y = HEIGHT - FOOT;
  return parts.map(([name, items, colour]) => {
    y -= tall(items);
    const part = { x: x + step * 0.12, y, width: Math.min(step * 0.76, 60), height: tall(items), fill: colour };
    return drawing("rect", part, drawing("title", {}, `${rows[0].morning} ${name} ${items}`));
  });
}

// The legend of the chart: its bars have all days, and choose a name.
function showBars(names, looks) {
  const most = Math.max(1, ...names.map(([, items]) => items));
  const bars = names.slice(0, 8).map(([name, items]) => {
    const mark = drawing("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, drawing("rect", { width: 10, height: 10, fill: looks.get(name) ?? PALETTE.other }));
    const length = element("meter", { min: 0, max: most, value: items, "aria-hidden": "true" });
    const key = name ? "find" : "sure";
    const value = name || "fault";
    const chosen = state.get(key) === value;
    const toggle = () => filter({ [key]: chosen ? null : value });
    const button = { type: "button", class: "bar", "aria-pressed": String(chosen), "data-key": `bar ${name}`, onclick: toggle };
    return element("li", {}, element("button", button, mark, element("span", {}, titleOf(name)), length, element("b", {}, items)));
  });
  keepFocus(() => byId("bars").replaceChildren(...bars));
}

function showNumbers(counts) {
  fill(byId("numbers"), [
    { key: "morning", title: text("day") },
    { title: text("name"), show: (row) => titleOf(row.name) },
    { key: "items", title: text("items"), number: true },
  ], [...counts].reverse().slice(0, 500));
}

function showList({ sightings, counts }) {
  const total = counts.reduce((sum, row) => sum + row.items, 0);
  byId("listed").textContent = total ? text("listed", { count: sightings.length, total }) : text("live_none");
  byId("counted").hidden = !total;
  byId("more").hidden = sightings.length >= total || most >= 2000;
  keepFocus(() => byId("list").replaceChildren(...sightings.map(item)));
}

// Changes a list, and gives the focus back to the button that had it.
function keepFocus(change) {
  const key = document.activeElement?.dataset.key;
  change();
  if (key) [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

function item(row) {
  const shown = row.label ?? row.name;
  const file = row.filename ?? String(row.sighting);
  const place = element("span", { class: "note" }, [String(row.seen).slice(0, 16), row.source, row.filename].filter(Boolean).join(" · "));
  if (row.fault) return element("li", {}, element("span", { class: "glimpse" }), element("div", {}, element("b", {}, text("sure_fault")), place, element("span", { class: "fault" }, row.fault)));
  const name = element("b", { lang: "ja" }, shown);
  const before = row.label && row.label !== row.name ? [element("span", { class: "note" }, text("corrected_from", { name: row.name }))] : [];
  const picture = element("img", { class: "glimpse", src: pictures.get(row.sighting) ?? "", alt: file, loading: "lazy" });
  return element("li", {}, picture, element("div", {}, name, ...before, certainty(row), place, ...buttons(row, file)));
}

function certainty(row) {
  const known = row.sure == null ? "sure_unknown" : row.sure ? "sure_yes" : "sure_no";
  const chance = row.chance == null ? [] : [text("chance_of", { chance: Math.round(row.chance * 100) })];
  return element("span", { class: row.sure === 0 ? "doubt" : "" }, [...chance, text(known)].join(" · "));
}

function buttons(row, file) {
  if (!ADDING) return [];
  const right = { type: "button", class: "link", "data-key": `right ${row.sighting}`, "aria-label": text("right_now", { name: row.name }), onclick: () => teach(row, row.name) };
  const wrong = { type: "button", class: "link", "data-key": `wrong ${row.sighting}`, "aria-label": text("correct_of", { file }), onclick: () => ask(row) };
  const agree = row.label ? [] : [element("button", right, text("is_right"))];
  return [element("span", { class: "choices" }, ...agree, element("button", wrong, text("correct")))];
}

function ask(row) {
  corrected = row;
  byId("glimpse").src = pictures.get(row.sighting) ?? "";
  byId("label").value = row.label ?? "";
  const names = counted(answer.counts, (each) => each.name ?? "").map(([name]) => name).filter(Boolean);
  byId("names").replaceChildren(...names.map((name) => element("option", { value: name })));
  byId("correcting").showModal();
  byId("label").focus();
}

async function teach(row, label) {
  const file = row.filename ?? String(row.sighting);
  const done = await tell(text("working"), () => post("api/correct", { sighting: row.sighting, label }));
  if (!done) return;
  const undo = element("button", { type: "button", class: "link", onclick: () => takeBack(row, done.before) }, text("undo"));
  byId("changed").replaceChildren(text("taught", { file, name: done.label }), " ", undo);
  undo.focus({ preventScroll: true });
  await look();
  showSQL(done.sql);
}

async function takeBack(row, label) {
  const done = await tell(text("working"), () => post("api/correct", { sighting: row.sighting, label }));
  if (!done) return;
  byId("changed").replaceChildren(text("undone"));
  byId("list-title").focus({ preventScroll: true });
  await look();
  showSQL(done.sql);
}

function filter(changes) {
  remember(changes);
  for (const id of FILTERS) byId(id).value = state.get(id) ?? "";
  most = PORTION;
  look();
}

byId("correcting").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const label = byId("label").value.trim();
  if (!label) return byId("label").focus();
  byId("correcting").close();
  teach(corrected, label);
});
byId("leave").addEventListener("click", () => byId("correcting").close());
byId("more").addEventListener("click", () => {
  most += PORTION;
  look();
});
for (const id of FILTERS) {
  byId(id).value = state.get(id) ?? "";
  byId(id).addEventListener(id === "find" ? "input" : "change", () => filter({ [id]: byId(id).value }));
}
document.addEventListener("visibilitychange", look);
look();
