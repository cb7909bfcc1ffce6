// A stored map: the cloud, the neighbours of a point, the items of a region, and the place of a new picture.
import { byId, checkPicture, complain, element, fill, get, number, post, remember, say, shrunk, showSQL, state, takePictures, tell, text } from "./common.js";
import { Cloud } from "./cloud.js";
import { offerMaking } from "./making.js";
import { byCategory, byScale, onScale } from "./looks.js";
import { markPicture } from "./painter.js";

const ROWS = 100;
const NAMED = 12; // most names of categories on the map
const SETTLED = 250; // milliseconds after the last letter of a search
let runs = [];
let maps = []; // those of the runs that are maps
let points = { count: 0 }; // a column each: item, name, source, label, and places by key
let colour = { values: [], named: [] }; // what colours the points
let listing = { items: [], counts: [] };
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
  offerColours();
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

// Offers the runs that have items of the map, and chooses the run of the link.
function offerColours() {
  const { source } = map();
  const parts = (name) => (name === "Both" ? ["Fish", "FishImage"] : [name]);
  const fits = (run) => ["Clusters", "Outliers"].includes(run.kind) && parts(run.source).some((each) => parts(source).includes(each));
  const offered = runs.filter(fits).map((run) => option(`${run.kind}:${run.run}`, `${text(run.kind)} ${run.run} – ${run.source}`));
  byId("colour").replaceChildren(option("label", text("label")), option("source", text("source")), ...offered);
  const hasPictures = ["Fish", "FishImage", "Both"].includes(source);
  for (const each of [byId("file").parentElement, byId("search").querySelector("button")]) each.hidden = !hasPictures;
  choose(byId("colour"), state.get("colour") ?? (source === "Both" ? "source" : "label"));
}

async function loadMap() {
  const run = byId("run").value;
  const answer = await tell(text("working"), () => get("api/map", { run }));
  if (!answer) return;
  const { columns } = answer;
  const decoded = ({ values, places }) => places.map((place) => values[place]);
  points = { count: columns.item.length, item: columns.item, name: columns.name, source: decoded(columns.source), label: decoded(columns.label) };
  points.key = points.item.map((item, place) => `${points.source[place]}/${item}`);
  points.places = new Map(points.key.map((key, place) => [key, place]));
  points.total = answer.total;
  byId("shortened").hidden = points.count >= answer.total;
  byId("shortened").textContent = text("drawn_at_random", { count: points.count, total: answer.total });
  const isName = (place) => points.source[place] === "Fish";
  const names = points.name.map((name, place) => (isName(place) ? name : ""));
  cloud.load({ x: columns.x, y: columns.y, z: columns.z ?? null, names });
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

async function loadColour() {
  const [kind, run] = byId("colour").value.split(":");
  const answer = run && (await tell(text("working"), () => get(kind === "Clusters" ? "api/clusters" : "api/outliers", { run })));
  colour = !answer ? { kind, values: points[kind], titleOf: (value) => value } : kind === "Clusters" ? ofClusters(answer) : ofScores(answer);
  await list();
  dress();
}

function ofClusters(answer) {
  const clusters = new Map(answer.items.map((row) => [keyOf(row), row.cluster]));
  const names = new Map(answer.groups.map((row) => [row.cluster, `${row.cluster}: ${row.name ?? ""}`]));
  return { kind: "Clusters", values: points.key.map((key) => clusters.get(key) ?? null), titleOf: (value) => names.get(value) ?? value };
}

function ofScores(answer) {
  const scores = new Map(answer.items.map((row) => [keyOf(row), row]));
  const values = points.key.map((key) => scores.get(key)?.odd ?? null);
  return { kind: "Outliers", values, scores: points.key.map((key) => scores.get(key)?.score ?? null), titleOf: (value) => text(value ? "odd" : "normal") };
}

// Gives the points their colours and marks, and writes the names of the categories into their middle.
function dress() {
  const counts = new Map();
  for (const value of colour.values) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (!filters().length) for (const { value, items } of listing.counts) counts.set(value, items);
  const dressed = colour.scores ? byScale(colour.scores, cloud.deep) : byCategory(colour.values, counts, cloud.deep);
  Object.assign(colour, dressed, { all: counts });
  const isGrouped = colour.kind !== "source"; // a source lies all over the map
  cloud.titles = dressed.named.filter((value) => isGrouped && counts.get(value) > 2).sort((a, b) => counts.get(b) - counts.get(a)).slice(0, NAMED).map(titleAt);
  cloud.dress(dressed.looks, dressed.look, dressed.order);
  showBars();
}

function titleAt(value) {
  const members = [...points.key.keys()].filter((place) => colour.values[place] === value);
  const middle = (axis) => {
    const sorted = members.map((place) => cloud[axis][place]).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  };
  const name = String(colour.titleOf(value));
  const words = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  return { x: middle("x"), y: middle("y"), z: cloud.deep ? middle("z") : undefined, text: `${words} ${colour.all.get(value)}` };
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
  const value = state.get("value");
  const tests = [];
  if (hasRegion()) tests.push((place) => inside([cloud.x[place], cloud.y[place]], corners));
  if (found) tests.push((place) => found.has(points.key[place]));
  else if (wanted) tests.push((place) => [points.name[place], points.item[place], points.label[place]].some((each) => each?.toLowerCase().includes(wanted)));
  if (value) tests.push((place) => String(colour.values[place]) === value);
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

function shown() {
  byId("changed").replaceChildren();
  light();
  return list();
}

function question() {
  const asked = { run: byId("run").value, colour: byId("colour").value };
  if (hasRegion()) asked.region = state.get("lasso");
  if (byId("find").value.trim() && !found) asked.find = byId("find").value.trim();
  if (state.get("value")) asked.value = state.get("value");
  return asked;
}

async function list() {
  const asked = question();
  const answer = await tell("", () => get("api/items", { ...asked, k: visible }));
  if (!answer || JSON.stringify(asked) !== JSON.stringify(question())) return;
  listing = answer;
  sql.items = answer.sql;
  light();
  byId("summary").textContent = text("listed", { count: answer.total, total: points.total });
  byId("all").hidden = !filters().length;
  byId("more").hidden = answer.items.length >= answer.total;
  byId("download").href = `api/items.csv?${new URLSearchParams(asked)}`;
  byId("gallery").replaceChildren(...answer.items.filter((row) => row.picture).slice(0, 12).map(card));
  const value = (row) => (colour.scores ? [number(row.score), row.odd ? text("odd") : ""].join(" ") : colour.kind === "Clusters" && row.cluster != null ? colour.titleOf(row.cluster) : "");
  fill(byId("list"), [
    { title: text("name"), show: nameButton },
    { key: "source", title: text("source") },
    { key: "label", title: text("label") },
    ...(["label", "source"].includes(colour.kind) ? [] : [{ title: text(colour.kind), show: value, long: true }]),
  ], answer.items, { mark: (row) => keyOf(row) === state.get("at") });
  showBars();
  offerLabels();
  showSQL(sql.items, sql.near);
}

// --- labels and marks for what is shown ---------------------------------------------------------------------------------

const MOST = 2000; // items that are changed at once

// Offers to label or mark what is shown, where it is a part of the map.
function offerLabels() {
  byId("labelling").hidden = document.body.dataset.adding !== "yes" || !filters().length || !listing.total || listing.total > MOST;
  byId("naming").hidden = !listing.items.some((row) => row.source === "FishImage");
  const known = colour.kind === "label" ? listing.counts.map((row) => row.value).filter(Boolean) : [];
  const names = [...new Set([...known, ...points.label.filter(Boolean)])].slice(0, 500);
  byId("labels").replaceChildren(...names.map((name) => element("option", { value: name })));
}

// Changes all items that are shown, and offers to undo it.
async function changeAll(what, value, said) {
  const answer = await tell("", () => get("api/items", { ...question(), k: MOST }));
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

function card(row) {
  const picture = element("img", { src: row.picture, alt: row.name ?? row.item, loading: "lazy" });
  return element("li", {}, element("button", { type: "button", class: "card", onclick: () => select(keyOf(row)) }, picture, element("span", {}, row.label ?? row.name ?? row.item)));
}

// Shows how many items each category has, with its mark: a legend that chooses.
function showBars() {
  if (!colour.looks) return;
  const most = Math.max(1, ...listing.counts.map((row) => row.items));
  const bars = listing.counts.filter((row) => row.value != null && row.value !== "").slice(0, 20).map((row) => bar(row, most));
  const scale = colour.scores && Number.isFinite(colour.low) ? [scaleBar()] : [];
  byId("bars").replaceChildren(...scale, ...bars);
}

function bar({ value, items }, most) {
  const chosen = state.get("value") === String(value);
  const look = colour.looks[colour.named.indexOf(value) + 1] ?? colour.looks[0];
  const mark = colour.scores ? "" : markPicture(look.symbol, look.colour);
  const length = element("meter", { min: 0, max: most, value: items, "aria-hidden": "true" });
  const toggle = () => {
    remember({ value: chosen ? null : value }, true);
    shown();
  };
  return element("li", {}, element("button", { type: "button", class: "bar", "aria-pressed": String(chosen), onclick: toggle }, mark, element("span", {}, colour.titleOf(value)), length, element("b", {}, items)));
}

function scaleBar() {
  const strip = element("canvas", { width: 64, height: 1, class: "strip", "aria-hidden": "true" });
  const pen = strip.getContext("2d");
  for (let step = 0; step < 64; step++) [pen.fillStyle] = [onScale(step / 63), pen.fillRect(step, 0, 1, 1)];
  return element("li", { class: "scale" }, `${text("outlier_score")}: ${number(colour.low)}`, strip, number(colour.high));
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
  remember({ find: null, lasso: null, value: null }, true);
  shown();
}

byId("run").addEventListener("change", () => {
  remember({ run: byId("run").value, at: null, lasso: null, value: null }, true);
  byId("near").replaceChildren();
  byId("chosen-text").textContent = text("near_hint");
  offerColours();
  loadMap();
});
byId("colour").addEventListener("change", () => {
  remember({ colour: byId("colour").value, value: null }, true);
  loadColour();
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
