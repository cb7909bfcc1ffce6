// A stored map: the cloud, the neighbours of a point, the items of a region, and the place of a new picture.
import { byId, checkPicture, complain, element, fill, get, number, post, remember, say, showSQL, state, takePictures, tell, text } from "./common.js";
import { SETTINGS, canDraw, inside, isDeep, layout, onScheme, spot, traces } from "./plot.js";

const ROWS = 100;
let runs = [];
let maps = []; // those of the runs that are maps
let points = []; // each with place, key, name, label, x, y, z
let colour = { kind: "label", of: (point) => point.label ?? "", title: text("label") };
let picture = null; // where a new picture lies
let visible = ROWS;
let drawing = false; // Plotly tells of changes of a selection that this script makes too
const sql = { map: "", colour: "", near: "" };

const keyOf = (row) => `${row.source}/${row.item}`;

async function start() {
  const answer = await tell(text("working"), () => get("api/runs"));
  if (!answer) return;
  maps = answer.runs.filter((run) => run.kind === "Map");
  byId("run").replaceChildren(...maps.map((run) => option(run.run, `${run.run} – ${run.source}, ${dimensions(run)} (${run.items})`)));
  runs = answer.runs;
  if (!maps.length) {
    showSQL(answer.sql);
    return complain(text("no_maps"));
  }
  const isThere = choose(byId("run"), state.get("run"));
  offerColours();
  await loadMap();
  if (state.get("run") && !isThere) complain(text("no_such_map", { run: state.get("run") }));
}

const option = (value, title) => element("option", { value }, title);
function dimensions(run) {
  const found = JSON.parse(run.parameters).dimensions;
  return found ? `${found}D` : text("placed");
}
function choose(select, value) {
  const is = [...select.options].some((each) => each.value === value);
  if (is) select.value = value;
  return is;
}

// Offers the runs that have items of the map, and chooses the run of the link.
function offerColours() {
  const { source } = maps.find((run) => String(run.run) === byId("run").value);
  const parts = (name) => (name === "Both" ? ["Fish", "FishImage"] : [name]);
  const fits = (run) => ["Clusters", "Outliers"].includes(run.kind) && parts(run.source).some((each) => parts(source).includes(each));
  const offered = runs.filter(fits).map((run) => option(`${run.kind}:${run.run}`, `${text(run.kind)} ${run.run} – ${run.source}`));
  byId("colour").replaceChildren(option("label", text("label")), option("source", text("source")), ...offered);
  choose(byId("colour"), state.get("colour") ?? (source === "Both" ? "source" : "label"));
}

async function loadMap() {
  const run = byId("run").value;
  const answer = await tell(text("working"), () => get("api/map", { run }));
  if (!answer) return;
  points = answer.points.map((row, place) => ({ ...row, place, key: keyOf(row) }));
  const all = maps.find((each) => String(each.run) === run).items;
  byId("shortened").hidden = points.length >= all;
  byId("shortened").textContent = text("shortened", { count: points.length, total: all });
  [sql.map, sql.near, picture] = [answer.sql, "", null];
  byId("find").value = state.get("find") ?? "";
  await loadColour();
  const at = points.find((point) => point.key === state.get("at"));
  if (at) await select(at.place);
}

async function loadColour() {
  const [kind, run] = byId("colour").value.split(":");
  const answer = run && (await tell(text("working"), () => get(kind === "Clusters" ? "api/clusters" : "api/outliers", { run })));
  colour = !answer ? byColumn(kind) : kind === "Clusters" ? byCluster(answer) : byScore(answer);
  sql.colour = answer ? answer.sql : "";
  refresh();
}

const byColumn = (name) => ({ kind: "label", of: (point) => point[name] ?? "", title: text(name) });

function byCluster(answer) {
  const found = new Map(answer.items.map((row) => [keyOf(row), row.cluster]));
  const names = new Map(answer.groups.map((row) => [row.cluster, `${row.cluster}: ${row.name ?? ""}`]));
  return { kind: "cluster", of: (point) => names.get(found.get(point.key)) ?? "", title: text("Clusters") };
}

function byScore(answer) {
  const found = new Map(answer.items.map((row) => [keyOf(row), row]));
  return { kind: "score", of: (point) => found.get(point.key)?.score ?? null, odd: (point) => found.get(point.key)?.odd, title: text("outlier_score") };
}

function refresh() {
  draw();
  list();
  showSQL(sql.map, sql.colour, sql.near);
}

// --- the cloud ------------------------------------------------------------------------------------------------------

function draw() {
  byId("no-plot").hidden = canDraw(points);
  byId("cloud").hidden = !canDraw(points);
  if (!canDraw(points) || !points.length) return;
  const shown = traces(points, colour.of, colour.kind === "score" ? { scale: colour.title } : {});
  if (hasRegion()) for (const each of shown) each.selectedpoints = within(each.customdata);
  const at = points.find((point) => point.key === state.get("at"));
  if (at) shown.push(spot(at, at.name ?? at.item, "circle-open"));
  if (picture) shown.push(spot(picture, text("your_picture"), "star"));
  const plot = byId("plot");
  const first = !plot.on;
  drawing = true;
  const done = window.Plotly.react(plot, shown, layout(isDeep(points), byId("run").value, outline()), SETTINGS);
  done.then(() => (drawing = false));
  byId("plot-note").textContent = text(isDeep(points) ? "plot_note_3d" : "plot_note_2d");
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", text("plot_label", { count: points.length }));
  if (!first) return;
  plot.on("plotly_click", (event) => event.points[0].customdata != null && select(event.points[0].customdata));
  plot.on("plotly_selected", (event) => event && !drawing && region(event));
  plot.on("plotly_deselect", () => drawing || region({}));
}

// Keeps a region as a polygon with few corners, so that it fits into a link.
function region({ lassoPoints, range }) {
  const corners = lassoPoints ? lassoPoints.x.map((x, place) => [x, lassoPoints.y[place]]) : range ? box(range) : [];
  const step = Math.max(1, Math.ceil(corners.length / 60));
  const kept = corners.filter((_, place) => place % step === 0);
  remember({ lasso: kept.map((corner) => corner.map((each) => each.toFixed(3)).join(",")).join(";") });
  refresh();
}

const box = ({ x: [a, b], y: [c, d] }) => [[a, c], [b, c], [b, d], [a, d]];

const lasso = () => (state.get("lasso") ?? "").split(";").filter(Boolean).map((corner) => corner.split(",").map(Number));

const hasRegion = () => !isDeep(points) && lasso().length >= 3;

function within(places) {
  const corners = lasso();
  return [...places.keys()].filter((at) => inside([points[places[at]].x, points[places[at]].y], corners));
}

// Replaces the outline of the mouse by the region of the link. A new outline shows all points again.
function outline() {
  const own = { selections: [], selectionrevision: state.get("lasso") ?? "" };
  if (!hasRegion()) return own;
  const corners = lasso();
  const path = `M${corners.map((corner) => corner.join(",")).join("L")}Z`;
  const mark = getComputedStyle(document.documentElement).getPropertyValue("--mark").trim();
  return { ...own, shapes: [{ type: "path", path, line: { color: mark, width: 2 } }] };
}

// --- one point ------------------------------------------------------------------------------------------------------

async function select(place) {
  const point = points[place];
  const answer = await near({ x: point.x, y: point.y, z: point.z ?? 0 });
  if (!answer) return;
  remember({ at: point.key });
  const others = answer.near.filter((row) => keyOf(row) !== point.key);
  showNear(text("near_of", { name: point.name ?? point.item }), others);
  const own = answer.near.find((row) => keyOf(row) === point.key)?.picture;
  if (own) byId("chosen-text").prepend(thumbnail({ picture: own }));
  sql.near = answer.sql;
  refresh();
}

const near = (where) => tell(text("working"), () => get("api/near", { run: byId("run").value, ...where, k: 6 }));

function showNear(title, rows) {
  byId("chosen-text").textContent = title;
  fill(byId("near"), [
    ...(rows.some((row) => row.picture) ? [{ title: text("picture"), show: thumbnail }] : []),
    { title: text("name"), show: (row) => nameButton(row.name ?? row.item, points.findIndex((point) => point.key === keyOf(row))) },
    { key: "label", title: text("label") },
    { key: "distance", title: text("distance"), number: true },
  ], rows);
}

const thumbnail = (row) => (row.picture ? element("img", { src: row.picture, alt: "", class: "thumbnail" }) : "");

const nameButton = (name, place) =>
  element("button", { type: "button", class: "link", onclick: () => select(place).then(() => byId("chosen-title").focus()) }, name);

// --- the list: all items, the items of a region, or the items with a text ----------------------------------------------

function listed() {
  const corners = lasso();
  const wanted = byId("find").value.trim().toLowerCase();
  const isIn = (point) => !hasRegion() || inside([point.x, point.y], corners);
  const has = (point) => !wanted || `${point.name ?? ""} ${point.item} ${point.label ?? ""}`.toLowerCase().includes(wanted);
  return points.filter((point) => isIn(point) && has(point));
}

function list() {
  const found = listed();
  byId("summary").textContent = summary(found);
  byId("all").hidden = found.length === points.length;
  byId("more").hidden = found.length <= visible;
  const value = (point) => (colour.kind === "score" ? number(colour.of(point)) + (colour.odd(point) ? ` ${text("odd")}` : "") : colour.of(point));
  fill(byId("list"), [
    { title: text("name"), show: (point) => nameButton(point.name ?? point.item, point.place) },
    { key: "source", title: text("source") },
    { key: "label", title: text("label") },
    ...(colour.kind === "label" ? [] : [{ title: colour.title, show: value, long: true }]),
  ], found.slice(0, visible), { mark: (point) => point.key === state.get("at") });
}

function summary(found) {
  const counts = new Map();
  for (const point of found) {
    const name = colour.kind === "score" ? (point.label ?? "") : colour.of(point);
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5).map(([name, count]) => `${name} (${count})`);
  const parts = [text("listed", { count: found.length, total: points.length }), top.length ? text("most_are", { names: top.join(", ") }) : ""];
  if (colour.kind === "score") parts.push(text("odd_count", { count: found.filter(colour.odd).length }));
  return parts.filter(Boolean).join(" ");
}

// --- a new picture --------------------------------------------------------------------------------------------------

async function place(file) {
  const answer = await tell(text("placing"), () => post("api/place", { run: byId("run").value }, checkPicture(file)));
  if (!answer) return;
  const [x, y, z] = answer.place;
  picture = { x, y, z, name: text("your_picture"), place: null };
  showNear(text("near_picture"), answer.near);
  sql.near = answer.sql;
  refresh();
  say(text("placed_done"));
  byId("chosen-title").focus();
}

byId("run").addEventListener("change", () => {
  remember({ run: byId("run").value, at: null, lasso: null });
  byId("near").replaceChildren();
  byId("chosen-text").textContent = text("near_hint");
  offerColours();
  loadMap();
});
byId("colour").addEventListener("change", () => {
  remember({ colour: byId("colour").value });
  loadColour();
});
byId("find").addEventListener("input", () => {
  remember({ find: byId("find").value });
  visible = ROWS;
  list();
});
byId("all").addEventListener("click", () => {
  byId("find").value = "";
  remember({ find: null, lasso: null });
  refresh();
});
byId("more").addEventListener("click", () => {
  visible += ROWS;
  list();
});
takePictures([byId("file")], byId("plot"), place);
onScheme(draw);
start();
