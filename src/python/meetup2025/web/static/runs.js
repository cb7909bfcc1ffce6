// Stored runs: their parameters, their metrics, and the differences of two runs.
import { byId, element, fill, get, post, remember, showSQL, state, tell, text } from "./common.js";
import { Cloud } from "./cloud.js";
import { byCategory } from "./looks.js";

let runs = [];
const halves = { first: null, second: null }; // each: run, details, columns
let moved = [];
const sql = { runs: "", first: "", second: "", changes: "" };
const COMPARED = ["Map", "Clusters"];

async function start() {
  const answer = await tell(text("working"), () => get("api/runs"));
  if (!answer) return;
  [runs, sql.runs] = [answer.runs, answer.sql];
  for (const id of ["run", "other"]) {
    const titles = runs.map((run) => element("option", { value: run.run }, titleOf(run)));
    byId(id).replaceChildren(element("option", { value: "" }, text("none")), ...titles);
    byId(id).value = state.get(id) ?? "";
  }
  listRuns();
  showSQL(sql.runs);
  await Promise.all([load("first", byId("run").value), load("second", byId("other").value)]);
  if (state.get("changes")) await showChanges(state.get("changes"));
}

const titleOf = (run) => `${run.run} – ${run.kind}, ${run.source} (${run.items})`;
const parametersOf = (run) => Object.entries(JSON.parse(run.parameters));

function listRuns() {
  fill(byId("runs"), [
    { title: text("run"), show: (run) => openButton(run) },
    { key: "kind", title: text("kind") },
    { key: "source", title: text("source") },
    { title: text("parameters"), show: (run) => parametersOf(run).map(([name, value]) => `${name} ${value}`).join(", "), long: true },
    { key: "items", title: text("items"), number: true },
    { key: "seconds", title: text("seconds"), number: true, digits: 2 },
    { title: text("created"), show: (run) => String(run.created).slice(0, 16) },
    { key: "asked", title: text("asked"), number: true },
  ], runs);
}

function openButton(run) {
  const open = () => {
    byId("run").value = run.run;
    byId("run").dispatchEvent(new Event("change"));
    byId("run").focus();
  };
  return element("button", { type: "button", class: "link", "aria-label": text("open_run", { run: run.run }), onclick: open }, run.run);
}

async function load(half, number) {
  const run = runs.find((each) => String(each.run) === String(number));
  halves[half] = null;
  byId(half).hidden = !run;
  sql[half] = "";
  if (run) {
    const details = await tell(text("working"), () => get("api/run", { run: run.run }));
    const points = run.kind === "Map" ? await tell(text("working"), () => get("api/map", { run: run.run })) : null;
    if (details) {
      halves[half] = { run, details, columns: points?.columns };
      sql[half] = [details.sql, points?.sql].filter(Boolean).join(";\n");
    }
  }
  for (const each of ["first", "second"]) if (halves[each]) show(each);
  ready();
}

function ready() {
  const [first, second] = [halves.first?.run, halves.second?.run];
  byId("compare").disabled = !(first && second && first.run !== second.run && first.kind === second.kind && COMPARED.includes(first.kind));
  showSQL(sql.runs, sql.first, sql.second, sql.changes);
}

function show(half) {
  const { run, details } = halves[half];
  const other = halves[half === "first" ? "second" : "first"];
  const part = byId(half);
  part.querySelector("h2").textContent = titleOf(run);
  part.querySelector(".changed").hidden = !details.changed;
  const facts = [...parametersOf(run), ["seed", run.seed], ["model", run.model], ["versions", run.versions]];
  const theirs = other ? new Map([...parametersOf(other.run), ["seed", other.run.seed], ["model", other.run.model]]) : null;
  const differs = ([name, value]) => theirs?.has(name) && theirs.get(name) !== value;
  fill(part.querySelector(".facts"), [
    { title: text("parameter"), show: ([name]) => name },
    { title: text("value"), show: ([, value]) => String(value ?? ""), long: true },
  ], facts, { caption: text("parameters"), mark: differs });
  fillMetrics(part.querySelector(".metrics"), details.metrics);
  draw(half);
}

function fillMetrics(table, metrics) {
  fill(table, [
    { title: text("metric"), show: (row) => [row.subject, row.name].filter(Boolean).join(" ") },
    { key: "value", title: text("value"), number: true },
    { title: text("interval"), number: true, show: (row) => (row.low == null ? "" : `${row.low.toFixed(3)} – ${row.high.toFixed(3)}`) },
  ], metrics, { caption: text("metrics") });
}

// Moves and turns the map of the other half as that of a half was.
function follow(half) {
  const { cloud } = byId(half).querySelector(".plot");
  const other = byId(half === "first" ? "second" : "first").querySelector(".plot").cloud;
  if (!other?.count || other.deep !== cloud.deep || !other.home) return;
  other.see(cloud.seen());
}

// Draws the map of a half. Both halves move and turn together, and the items that moved most have their names.
function draw(half) {
  const columns = halves[half]?.columns;
  const plot = byId(half).querySelector(".plot");
  plot.hidden = !columns;
  if (!columns) return;
  const cloud = plot.cloud ?? new Cloud(plot, { moved: () => follow(half) });
  const labels = columns.label.places.map((place) => columns.label.values[place]);
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const keys = columns.item.map((item, place) => `${columns.source.values[columns.source.places[place]]}/${item}`);
  const far = new Map(moved.slice(0, 10).map((row) => [`${row.source}/${row.item}`, row.name]));
  cloud.load({ x: columns.x, y: columns.y, z: columns.z ?? null });
  cloud.titleOf = (place) => columns.name[place] ?? columns.item[place];
  cloud.links = [];
  cloud.titles = keys.flatMap((key, place) => (far.has(key) ? [{ place, text: `○ ${cloud.titleOf(place)}` }] : []));
  const { looks, look, order } = byCategory(labels, counts, cloud.deep);
  cloud.dress(looks, look, order);
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", text("plot_label", { count: keys.length }));
}

async function showChanges(run) {
  const answer = await tell(text("working"), () => get("api/changes", { run }));
  if (!answer) return;
  moved = answer.moved;
  sql.changes = [sql.changes, answer.sql].filter(Boolean).join(";\n");
  byId("changes").hidden = false;
  // The metrics of each run are above already.
  fillMetrics(byId("differences"), answer.metrics.filter((row) => !/^run \d/.test(row.subject ?? "")));
  const groups = moved.some((row) => row.cluster != null);
  fill(byId("moved"), [
    { key: "name", title: text("name") },
    { key: "source", title: text("source") },
    ...(groups ? [{ key: "cluster", title: text("cluster"), number: true }, { key: "othercluster", title: text("other_cluster"), number: true }] : []),
    ...(moved.some((row) => row.moved != null) ? [{ key: "moved", title: text("moved"), number: true }] : []),
  ], moved, { caption: text("moved_most") });
  for (const half of ["first", "second"]) draw(half);
  ready();
}

for (const [id, half] of [["run", "first"], ["other", "second"]]) {
  byId(id).addEventListener("change", async () => {
    remember({ [id]: byId(id).value, changes: null });
    [moved, sql.changes] = [[], ""];
    byId("changes").hidden = true;
    await load(half, byId(id).value);
  });
}
byId("compare").addEventListener("click", async () => {
  const answer = await tell(text("working"), () => post("api/compare", { run: byId("run").value, other: byId("other").value }));
  if (!answer) return;
  sql.changes = answer.sql;
  remember({ changes: answer.run });
  await showChanges(answer.run);
  byId("changes-title").focus();
});
start();
