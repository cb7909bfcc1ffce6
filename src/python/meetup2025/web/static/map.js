// A stored map: the cloud, the neighbours of a point, the items of a region, and the place of a new picture.
import { byId, checkPicture, complain, element, fill, get, number, post, remember, say, shrunk, showSQL, state, takePictures, tell, text } from "./common.js";
import { Cloud } from "./cloud.js";
import { offerMaking } from "./making.js";
import { byCategory, byScale, onScale } from "./looks.js";
import { markPicture } from "./painter.js";

const ROWS = 100;
const BARS = 20; // most bars of a colour
const NAMED = 12; // most names of categories on the map
const SETTLED = 250; // milliseconds after the last letter of a search
let runs = [];
let maps = []; // those of the runs that are maps
let points = { count: 0 }; // a column each: item, name, source, label, and places by key
let colour = { key: "label", values: [], named: [] }; // what colours the points
let columns = []; // those of the source of the map that may colour it
const known = new Map(); // the values of the points by the key of a colour
let listing = { items: [], counts: {}, about: {} };
let visible = ROWS;
let found = null; // photos that a text has found: keys
const sql = { map: "", items: "", near: "" };

const cloud = new Cloud(byId("plot"), { chosen: (place) => select(points.key[place]), region: keepRegion, pictures: fetchPictures });
const keyOf = (row) => `${row.source}/${row.item}`;
const nameOf = (place) => points.name[place] ?? points.item[place];

async function start() {
  const answer = await tell(text("working"), () => get("api/runs"));
  if (!answer) return;
  runs = answer.runs;
  maps = runs.filter((run) => run.kind === "Map");
  offerMaking(openMade, !maps.length);
  byId("run").replaceChildren(...maps.map((run) => option(run.run, `${run.run} – ${run.source}, ${dimensions(run)} (${run.items})`)));
  for (const id of ["cloud", "chosen"]) byId(id).hidden = !maps.length;
  document.body.classList.toggle("empty", !maps.length);
  if (!maps.length) return showSQL(answer.sql);
  const isThere = choose(byId("run"), state.get("run"));
  listSaved();
  await loadMap();
  if (state.get("run") && !isThere) complain(text("no_such_map", { run: state.get("run") }));
}

// Opens what was made here: a map by itself, groups and outliers as the colour of the newest map that they fit.
function openMade({ kind, run }) {
  const colours = { clusters: `Clusters:${run}`, outliers: `Outliers:${run}` };
  if (colours[kind]) state.set("colour", colours[kind]);
  else state.set("run", run);
  location.search = `?${state}`;
}

const option = (value, title) => element("option", { value }, title);
function dimensions(run) {
  const kept = JSON.parse(run.parameters).dimensions;
  return kept ? `${kept}D` : text("placed");
}
function choose(select, value) {
  const is = [...select.options].some((each) => each.value === value);
  if (is) select.value = value;
  return is;
}
const map = () => maps.find((run) => String(run.run) === byId("run").value);

// Offers what may colour the map: its labels and sources, runs that have its items, columns of its source.
async function offerColours() {
  const { source } = map();
  columns = (await get("api/colours", { source }).catch(() => ({ columns: [] }))).columns;
  const parts = (name) => (name === "Both" ? ["Fish", "FishImage"] : [name]);
  const fits = (run) => ["Clusters", "Outliers"].includes(run.kind) && parts(run.source).some((each) => parts(source).includes(each));
  const keys = ["label", "source", ...runs.filter(fits).map((run) => `${run.kind}:${run.run}`), ...columns.map((column) => column.key)];
  const offered = () => keys.map((key) => option(key, titleOfColour(key)));
  byId("colour").replaceChildren(...offered());
  byId("by").replaceChildren(option("", text("more_bars")), ...offered());
  const hasPictures = ["Fish", "FishImage", "Both"].includes(source);
  for (const each of [byId("file").parentElement, byId("search").querySelector("button")]) each.hidden = !hasPictures;
  choose(byId("colour"), state.get("colour") ?? (source === "Both" ? "source" : "label"));
}

function titleOfColour(key) {
  const [kind, number] = key.split(":");
  const run = runs.find((each) => each.kind === kind && String(each.run) === number);
  if (run) return `${text(kind)} ${run.run} – ${run.source}`;
  const column = columns.find((each) => each.key === key);
  const isPlain = column && map().source !== "Both" && ![text("label"), text("source")].includes(column.name);
  return !column ? text(key) : isPlain ? column.name : `${column.of}.${column.name}`;
}

async function loadMap() {
  const run = byId("run").value;
  const [answer] = await Promise.all([tell(text("working"), () => get("api/map", { run })), offerColours()]);
  if (!answer) return;
  const { item, name, x, y, z, ...coded } = answer.columns;
  points = { count: item.length, item, name, source: decoded(coded.source), label: decoded(coded.label) };
  known.clear();
  for (const key of ["label", "source"]) known.set(key, { key, values: points[key], titleOf: (value) => value });
  points.key = points.item.map((item, place) => `${points.source[place]}/${item}`);
  points.places = new Map(points.key.map((key, place) => [key, place]));
  points.total = answer.total;
  byId("shortened").hidden = points.count >= answer.total;
  byId("shortened").textContent = text("drawn_at_random", { count: points.count, total: answer.total });
  const names = name.map((each, place) => (points.source[place] === "Fish" ? each : ""));
  cloud.load({ x, y, z: z ?? null, names });
  cloud.titleOf = nameOf;
  cloud.hasPicture = (place) => points.source[place] === "FishImage";
  cloud.lasso = lasso();
  byId("plot-note").textContent = text(cloud.deep ? "plot_note_3d" : "plot_note_2d");
  byId("plot").setAttribute("role", "application");
  byId("plot").setAttribute("aria-label", text("plot_label", { count: points.count }));
  [sql.map, sql.near] = [answer.sql, ""];
  byId("find").value = state.get("find") ?? "";
  tellTrust(run);
  await loadColour();
  if (state.get("at")) await select(state.get("at"), { isNew: false });
}

const decoded = ({ values, places }) => places.map((place) => values[place]);

async function loadColour() {
  const own = points;
  await valuesOf([byId("colour").value, ...kept().map(([key]) => key)]);
  if (own !== points) return;
  colour = { ...(known.get(byId("colour").value) ?? known.get("label")) };
  await list();
  dress();
}

// Asks for the values of colours that are not there yet.
async function valuesOf(keys) {
  const run = byId("run").value;
  const wanted = [...new Set(keys)].filter((key) => !known.has(key));
  await Promise.all(wanted.map(async (key) => {
    const answer = await tell(text("working"), () => get("api/colour", { run, colour: key }));
    if (answer && run === byId("run").value) known.set(key, valued(key, answer));
  }));
}

function valued(key, { values, numbers, names }) {
  const titles = {
    Clusters: (value) => (value === 0 ? text("noise") : [value, names[value]].filter(Boolean).join(": ")),
    Outliers: (value) => text(value ? "odd" : "normal"),
  };
  const range = (value) => value.split("..").map((end) => number(Number(end))).join(" – ");
  return { key, numbers, values: values && decoded(values), titleOf: titles[key.split(":")[0]] ?? (numbers ? range : (value) => value) };
}

// The conditions of the bars: the key of a colour, and the value that is kept. An empty value keeps what has none.
const kept = () => state.getAll("keep").map((each) => JSON.parse(each));
const keptValue = (key) => kept().find(([other]) => other === key)?.[1] ?? null;

function keep(key, value) {
  const others = kept().filter(([other]) => other !== key);
  const all = value == null ? others : [...others, [key, value]];
  remember({ keep: all.map((each) => JSON.stringify(each)) }, true);
  shown();
}

function isKept([key, value]) {
  const { values, numbers } = known.get(key) ?? {};
  if (!values && !numbers) return () => true;
  if (!value) return (place) => (values ?? numbers)[place] == null;
  if (values) return (place) => String(values[place]) === value;
  const [low, high] = value.split("..").map(Number);
  const step = Number((high - low).toPrecision(6)); // the database counts by the same division
  return (place) => numbers[place] != null && Math.floor(numbers[place] / step) === Math.round(low / step);
}

// Gives the points their colours and marks, and writes the names of the categories into their middle.
function dress() {
  const dressed = colour.numbers ? byScale(colour.numbers, cloud.deep) : byCategory(colour.values, counted(), cloud.deep);
  Object.assign(colour, dressed);
  cloud.titles = colour.numbers || colour.key === "source" ? [] : titles(dressed.named);
  cloud.dress(dressed.looks, dressed.look, dressed.order);
  showBars();
}

// Returns how many items each value of the colour has, of all items where there is no condition.
function counted() {
  const counts = new Map();
  for (const value of colour.values) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (!filters().length) for (const { value, items } of listing.counts[colour.key] ?? []) counts.set(value, items);
  return counts;
}

// Returns the names of the largest groups, each in the middle of its members. A source lies all over the map.
function titles(named) {
  const counts = counted();
  const largest = named.filter((value) => counts.get(value) > 2).sort((a, b) => counts.get(b) - counts.get(a)).slice(0, NAMED);
  const members = new Map(largest.map((value) => [value, []]));
  colour.values.forEach((value, place) => members.get(value)?.push(place));
  return largest.map((value) => titleAt(value, members.get(value), counts.get(value)));
}

function titleAt(value, members, count) {
  const middle = (axis) => {
    const sorted = members.map((place) => cloud[axis][place]).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  };
  const name = String(colour.titleOf(value));
  const words = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  return { x: middle("x"), y: middle("y"), z: cloud.deep ? middle("z") : undefined, text: `${words} ${count}` };
}

async function tellTrust(run) {
  byId("trust").textContent = "";
  const answer = await get("api/run", { run }).catch(() => null);
  const overlap = answer?.metrics.find((row) => row.name === "overlap" && !row.subject);
  if (overlap && run === byId("run").value) byId("trust").textContent = text("trust", { share: Math.round(10 * overlap.value) });
}

// --- what is shown: all items, the items of a region, of a search, of a category ------------------------------------------

const lasso = () => (state.get("lasso") ?? "").split(";").filter(Boolean).map((corner) => corner.split(",").map(Number));
const hasRegion = () => !cloud.deep && lasso().length >= 3;

// Keeps a region as a polygon with few corners, so that it fits into a link.
function keepRegion(corners) {
  const step = Math.max(1, Math.ceil(corners.length / 60));
  const kept = corners.filter((_, place) => place % step === 0);
  cloud.lasso = kept;
  remember({ lasso: kept.map((corner) => corner.map((each) => each.toFixed(3)).join(",")).join(";") }, true);
  shown();
}

// Returns the conditions, each as a test of a point.
function filters() {
  const corners = lasso();
  const wanted = byId("find").value.trim().toLowerCase();
  const tests = kept().map(isKept);
  if (hasRegion()) tests.push((place) => inside([cloud.x[place], cloud.y[place]], corners));
  if (found) tests.push((place) => found.has(points.key[place]));
  else if (wanted) tests.push((place) => [points.name[place], points.item[place], points.label[place]].some((each) => each?.toLowerCase().includes(wanted)));
  return tests;
}

// Returns whether a place is in a polygon, by the number of edges that a ray from the place crosses, as InRegion does.
function inside([x, y], polygon) {
  let within = false;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here++) {
    const [ax, ay] = polygon[here];
    const [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}

function light() {
  const tests = filters();
  cloud.back = tests.length ? Uint8Array.from(points.key, (_, place) => (tests.every((test) => test(place)) ? 0 : 1)) : null;
  cloud.ask();
}

async function shown() {
  byId("changed").replaceChildren();
  await valuesOf(kept().map(([key]) => key));
  light();
  return list();
}

function question() {
  const asked = [["run", byId("run").value], ["colour", byId("colour").value]];
  if (hasRegion()) asked.push(["region", state.get("lasso")]);
  if (byId("find").value.trim() && !found) asked.push(["find", byId("find").value.trim()]);
  return [...asked, ...state.getAll("keep").map((each) => ["keep", each])];
}

// The runs whose odd items and copies are counted: the newest ones of the source.
function runsToCount() {
  const newest = (kind) => runs.find((run) => run.kind === kind && run.source === map().source)?.run ?? 0;
  return [["outliers", newest("Outliers")], ["duplicates", newest("Duplicates")]];
}

async function list() {
  const asked = question();
  const bars = state.getAll("by").map((key) => ["by", key]);
  const answer = await tell("", () => get("api/items", [...asked, ...bars, ...runsToCount(), ["k", visible]]));
  if (!answer || JSON.stringify(asked) !== JSON.stringify(question())) return;
  listing = answer;
  sql.items = answer.sql;
  light();
  byId("summary").textContent = [text("listed", { count: answer.total, total: points.total }), ...about(answer.about)].join(" ");
  byId("all").hidden = !filters().length;
  byId("more").hidden = answer.items.length >= answer.total;
  for (const kind of ["csv", "parquet"]) byId(kind).href = `api/items.${kind}?${new URLSearchParams(asked)}`;
  byId("gallery").replaceChildren(...answer.items.filter((row) => row.picture).slice(0, 12).map(card));
  fill(byId("list"), [
    { title: text("name"), show: nameButton },
    { key: "source", title: text("source") },
    { key: "label", title: text("label") },
    ...(["label", "source"].includes(colour.key) ? [] : [{ title: titleOfColour(colour.key), show: valueOf, long: true }]),
  ], answer.items, { mark: (row) => keyOf(row) === state.get("at") });
  showBars();
  offerLabels();
  showSQL(sql.items, sql.near);
}

const about = (counts) => Object.entries(counts).filter(([, count]) => count).map(([what, count]) => text(`count_${what}`, { count }));
const valueOf = (row) => [row.score == null ? "" : number(row.score), row.value == null || (colour.numbers && !row.value) ? "" : colour.titleOf(row.value)].join(" ");

// --- labels and marks for what is shown ---------------------------------------------------------------------------------

const MOST = 2000; // items that are changed at once

// Offers to label or mark what is shown, where it is a part of the map.
function offerLabels() {
  byId("saving").hidden = !filters().length || !listing.total || Boolean(found);
  byId("labelling").hidden = document.body.dataset.adding !== "yes" || !filters().length || !listing.total || listing.total > MOST;
  byId("naming").hidden = !listing.items.some((row) => row.source === "FishImage");
  const names = [...new Set(points.label.filter(Boolean))].slice(0, 500);
  byId("labels").replaceChildren(...names.map((name) => element("option", { value: name })));
}

// Changes all items that are shown, and offers to undo it.
async function changeAll(what, value, said) {
  const answer = await tell("", () => get("api/items", [...question(), ["k", MOST]]));
  if (!answer) return;
  const all = found ? [...found].map((key) => ({ source: "FishImage", item: key.slice(10) })) : answer.items;
  const items = all.filter((row) => what === "odd" || row.source === "FishImage").map((row) => [row.source, row.item, value]);
  await change({ what, items }, text(said, { count: items.length, name: value }), true);
}

async function change(asked, said, canUndo) {
  const answer = await tell(text("working"), () => post("api/change", {}, JSON.stringify(asked)));
  if (!answer) return;
  const undo = () => change({ what: asked.what, items: answer.before }, text("undone"), false);
  byId("changed").replaceChildren(said, " ", ...(canUndo ? [element("button", { type: "button", class: "link", onclick: undo }, text("undo"))] : []));
  await list();
  showSQL(sql.items, answer.sql);
}

byId("labelling").addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("label").value.trim()) changeAll("label", byId("label").value.trim(), "labelled");
});
byId("mark").addEventListener("click", () => changeAll("odd", 1, "marked"));

// --- saved selections -----------------------------------------------------------------------------------------------

async function listSaved() {
  const answer = await get("api/saved").catch(() => null);
  byId("saved").hidden = !answer?.saved.length;
  byId("selections").replaceChildren(...(answer?.saved ?? []).map(savedLine));
}

function savedLine({ run, name, source, items, link }) {
  const forget = () => post("api/forget", { run }).then(listSaved, (error) => complain(error.message));
  const remove = element("button", { type: "button", class: "link", "aria-label": text("forget", { name }), onclick: forget }, "×");
  return element("li", {}, element("a", { href: `?${link}` }, name), ` ${source} (${items}) `, remove);
}

byId("saving").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("selection").value.trim();
  if (!name) return;
  const answer = await tell(text("working"), () => post("api/save", [...question(), ["name", name], ["link", String(state)]]));
  if (!answer) return;
  const undo = () => post("api/forget", { run: answer.run }).then(() => {
    byId("changed").replaceChildren(text("undone"));
    listSaved();
  }, (error) => complain(error.message));
  byId("selection").value = "";
  byId("changed").replaceChildren(text("saved_as", { name }), " ", element("button", { type: "button", class: "link", onclick: undo }, text("undo")));
  await listSaved();
  showSQL(sql.items, answer.sql);
});

function card(row) {
  const picture = element("img", { src: row.picture, alt: row.name ?? row.item, loading: "lazy" });
  return element("li", {}, element("button", { type: "button", class: "card", onclick: () => select(keyOf(row)) }, picture, element("span", {}, row.label ?? row.name ?? row.item)));
}

// Shows how many items each value has, of the colour and of what else the user wants to see: a legend that chooses.
function showBars() {
  if (!colour.looks) return;
  const others = state.getAll("by").filter((key) => key !== colour.key && listing.counts[key]);
  byId("bars").replaceChildren(...[colour.key, ...others].map(barsOf));
}

function barsOf(key) {
  const counts = listing.counts[key] ?? [];
  const most = Math.max(1, ...counts.map((row) => row.items));
  const isColour = key === colour.key;
  const remove = () => {
    remember({ by: state.getAll("by").filter((other) => other !== key), keep: state.getAll("keep").filter((each) => JSON.parse(each)[0] !== key) }, true);
    shown();
  };
  const title = element("h3", {}, titleOfColour(key), ...(isColour ? [] : [element("button", { type: "button", class: "link", "aria-label": text("fewer_bars", { name: titleOfColour(key) }), onclick: remove }, "×")]));
  const scale = isColour && colour.numbers && Number.isFinite(colour.low) ? [scaleBar()] : [];
  const empty = (row) => row.value == null || row.value === "";
  const ordered = [...counts.filter((row) => !empty(row)).slice(0, BARS), ...counts.filter(empty).slice(0, 1)];
  return element("li", {}, title, element("ul", { class: "bars" }, ...scale, ...ordered.map((row) => bar(key, row, most))));
}

function bar(key, { value, items }, most) {
  const wanted = String(value ?? "");
  const chosen = keptValue(key) === wanted;
  const look = key === colour.key && !colour.numbers ? colour.looks[colour.named.indexOf(value) + 1] ?? colour.looks[0] : null;
  const title = wanted ? known.get(key)?.titleOf(value) ?? wanted : text("no_value");
  const length = element("meter", { min: 0, max: most, value: items, "aria-hidden": "true" });
  const toggle = () => keep(key, chosen ? null : wanted);
  return element("li", {}, element("button", { type: "button", class: "bar", "aria-pressed": String(chosen), onclick: toggle }, look ? markPicture(look.symbol, look.colour) : "", element("span", {}, title), length, element("b", {}, items)));
}

function scaleBar() {
  const strip = element("canvas", { width: 64, height: 1, class: "strip", "aria-hidden": "true" });
  const pen = strip.getContext("2d");
  for (let step = 0; step < 64; step++) [pen.fillStyle] = [onScale(step / 63), pen.fillRect(step, 0, 1, 1)];
  return element("li", { class: "scale" }, number(colour.low), strip, number(colour.high));
}

// --- one point ------------------------------------------------------------------------------------------------------

async function select(key, { isNew = true } = {}) {
  const place = points.places.get(key) ?? null;
  const [source, item] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
  Object.assign(cloud, { chosen: place, links: [], guest: null });
  cloud.ask();
  if (isNew) remember({ at: key }, true);
  const answer = await tell("", () => get("api/near", { source, item, within: map().source }));
  if (!answer || state.get("at") !== key) return;
  const name = place == null ? item : nameOf(place);
  showNear(text("near_of", { name }), answer.near, answer.picture);
  sql.near = answer.sql;
  showSQL(sql.items, sql.near);
  for (const row of byId("list").querySelectorAll("tbody tr")) row.classList.toggle("mark", row.querySelector("button")?.dataset.key === key);
}

function showNear(title, rows, picture = "") {
  byId("chosen-text").replaceChildren(...(picture ? [thumbnail({ picture })] : []), title);
  const scores = rows.map((row) => row.score ?? 0);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  cloud.links = rows.filter((row) => points.places.has(keyOf(row))).map((row) => ({ place: points.places.get(keyOf(row)), weight: ((row.score ?? 0) - least) / (most - least || 1) }));
  cloud.ask();
  const measure = rows.some((row) => row.distance != null) ? "distance" : "score";
  fill(byId("near"), [
    ...(rows.some((row) => row.picture) ? [{ title: text("picture"), show: thumbnail }] : []),
    { title: text("name"), show: nameButton },
    { key: "label", title: text("label") },
    { key: measure, title: text(measure), number: true },
  ], rows);
  if (innerWidth < 960) byId("chosen").scrollIntoView({ block: "nearest" });
}

const thumbnail = (row) => (row.picture ? element("img", { src: row.picture, alt: "", class: "thumbnail" }) : "");

function nameButton(row) {
  const open = () => select(keyOf(row)).then(() => byId("chosen-title").focus({ preventScroll: true }));
  return element("button", { type: "button", class: "link", "data-key": keyOf(row), onclick: open }, row.name ?? row.item);
}

// Fetches the pictures that the cloud has room for.
const asked = new Set();
async function fetchPictures(places) {
  const wanted = places.filter((place) => !asked.has(place)).slice(0, 60);
  if (!wanted.length) return;
  const own = points;
  wanted.forEach((place) => asked.add(place));
  const query = new URLSearchParams(wanted.map((place) => ["item", points.item[place]]));
  const answer = await get("api/pictures", query).catch(() => null);
  wanted.forEach((place) => asked.delete(place));
  if (!answer || own !== points) return;
  for (const [at, place] of wanted.entries()) {
    cloud.pictures.set(place, null);
    if (answer.pictures[at]) load(answer.pictures[at]).then((picture) => cloud.pictures.set(place, picture) && cloud.ask(), () => null);
  }
  cloud.ask();
}

function load(source) {
  const picture = new Image();
  picture.src = source;
  return picture.decode().then(() => picture);
}

// --- a new picture, and photos for a text ---------------------------------------------------------------------------------

async function place(file) {
  const small = await tell("", () => shrunk(checkPicture(file)));
  if (!small) return;
  const answer = await tell(text("placing"), () => post("api/place", { run: byId("run").value, within: map().source }, small));
  if (!answer) return;
  const [x, y, z] = answer.place;
  remember({ at: null });
  const source = URL.createObjectURL(small);
  Object.assign(cloud, { chosen: null, guest: { x, y, z, picture: await load(source).catch(() => null) } });
  showNear(text("near_picture"), answer.near, source);
  sql.near = answer.sql;
  showSQL(sql.items, sql.near);
  say(text("placed_done"));
  byId("chosen-title").focus({ preventScroll: true });
}

async function findPhotos(words) {
  const answer = await tell(text("working"), () => get("api/find", { find: words }));
  if (!answer) return;
  found = new Set(answer.found.map(keyOf));
  Object.assign(cloud, { chosen: null, guest: null });
  showNear(text("found_of", { words }), answer.found);
  cloud.links = [];
  sql.near = answer.sql;
  shown();
}

function reset() {
  byId("find").value = "";
  found = null;
  cloud.lasso = [];
  remember({ find: null, lasso: null, keep: [] }, true);
  shown();
}

byId("run").addEventListener("change", () => {
  remember({ run: byId("run").value, at: null, lasso: null, keep: [], by: [] }, true);
  byId("near").replaceChildren();
  byId("chosen-text").textContent = text("near_hint");
  loadMap();
});
byId("colour").addEventListener("change", () => {
  remember({ colour: byId("colour").value }, true);
  loadColour();
});
byId("by").addEventListener("change", async () => {
  const key = byId("by").value;
  byId("by").value = "";
  await valuesOf([key]);
  if (!state.getAll("by").includes(key)) remember({ by: [...state.getAll("by"), key] }, true);
  list();
});
let typing = 0;
byId("find").addEventListener("input", () => {
  remember({ find: byId("find").value });
  [found, visible] = [null, ROWS];
  light();
  clearTimeout(typing);
  typing = setTimeout(list, SETTLED);
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("find").value.trim()) findPhotos(byId("find").value.trim());
});
byId("all").addEventListener("click", reset);
byId("more").addEventListener("click", () => {
  visible += ROWS;
  list();
});
takePictures([byId("file")], byId("main"), place);
addEventListener("popstate", () => location.reload());
start();
