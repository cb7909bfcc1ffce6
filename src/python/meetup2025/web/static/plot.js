// Draws clouds of points with Plotly, with the colours, the symbols and the order of categories of figures/palette.py.
import { text } from "./common.js";

const PALETTE = JSON.parse(document.getElementById("palette").textContent);
const CROWD = 1000; // points in space that are all squares: their marks are too small to tell apart, and squares turn faster

const hasWebGL = Boolean(document.createElement("canvas").getContext("webgl"));

// Returns whether a cloud can be drawn. In three dimensions it needs WebGL, and in two it is slow without it.
export const canDraw = (points) => typeof window.Plotly === "object" && (hasWebGL || !isDeep(points));
export const isDeep = (points) => points.some((point) => point.z != null);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Returns the traces of a cloud. A point has x, y and perhaps z. value(point) is a text or, with a scale, a number.
export function traces(points, value, { scale = "" } = {}) {
  const plain = isDeep(points) && points.length > CROWD ? { symbol: "square", line: { width: 0 } } : {};
  if (scale) return [trace(points, { name: scale, showlegend: false }, { ...scaled(points, value, scale), ...plain })];
  const groups = grouped(points, value);
  const named = categories(groups);
  const rest = [...groups].filter(([name]) => !named.includes(name)).flatMap(([, members]) => members);
  const clouds = named.map((name, rank) => trace(groups.get(name), { name }, { ...look(rank, isDeep(points)), ...plain }));
  const others = { name: text("others"), legendrank: 2000 };
  return rest.length ? [trace(rest, others, { color: PALETTE.other, symbol: PALETTE.symbols[0], ...plain }), ...clouds] : clouds;
}

// Returns the categories that get a colour of their own, as `categories` of figures/palette.py. Clusters are in order.
function categories(groups) {
  const size = (name) => groups.get(name).length;
  const largest = [...groups.keys()].filter((name) => name !== "").sort((a, b) => size(b) - size(a));
  const named = largest.length > PALETTE.most ? largest.filter((name) => size(name) > 1).slice(0, PALETTE.most) : largest;
  return named.every((name) => /^\d+:/.test(name)) ? named.sort((a, b) => parseInt(a) - parseInt(b)) : named;
}

function look(rank, deep) {
  const symbols = deep ? PALETTE.symbolsInSpace : PALETTE.symbols;
  return { color: PALETTE.colours[rank % PALETTE.colours.length], symbol: symbols[rank % symbols.length] };
}

function grouped(points, value) {
  const groups = new Map();
  for (const point of points) {
    if (!groups.has(value(point))) groups.set(value(point), []);
    groups.get(value(point)).push(point);
  }
  return groups;
}

function scaled(points, value, title) {
  const shown = { title: { text: title }, thickness: 12 };
  return { color: points.map(value), colorscale: PALETTE.scale, showscale: true, colorbar: shown };
}

export function trace(points, own, marker) {
  const deep = isDeep(points);
  return {
    type: deep ? "scatter3d" : hasWebGL ? "scattergl" : "scatter",
    mode: "markers",
    x: points.map((point) => point.x),
    y: points.map((point) => point.y),
    ...(deep && { z: points.map((point) => point.z) }),
    text: points.map((point) => point.name ?? point.item ?? ""),
    customdata: points.map((point) => point.place),
    hoverinfo: "text",
    marker: { size: deep ? 4 : 8, opacity: deep ? 1 : 0.85, ...marker },
    ...own,
  };
}

// Returns a marker: a ring around the chosen point, or a star at the place of a picture.
export function spot(point, name, symbol, scale = 1) {
  const deep = point.z != null;
  const deepSymbol = symbol === "star" ? "diamond" : "circle-open";
  const marker = {
    symbol: deep ? deepSymbol : symbol,
    size: (deep ? 11 : 20) * scale,
    color: style("--mark"),
    line: { width: 3 * scale, color: style("--mark") },
    opacity: 1,
  };
  const bright = deep ? {} : { unselected: { marker: { opacity: 1 } } }; // outside of a region too
  return { ...trace([point], { name, hoverinfo: "name", ...bright }, marker) };
}

export function layout(deep, key, more = {}) {
  const axis = { gridcolor: style("--line"), zeroline: false, showticklabels: false, title: { text: "" }, backgroundcolor: style("--ground") };
  return {
    autosize: true,
    paper_bgcolor: style("--ground"),
    plot_bgcolor: style("--ground"),
    font: { color: style("--text") },
    margin: { l: 8, r: 8, t: 44, b: 8 },
    legend: { orientation: "h", y: -0.02, yanchor: "top" },
    hovermode: "closest",
    uirevision: key,
    dragmode: deep ? "orbit" : "lasso",
    ...(deep ? { scene: { xaxis: axis, yaxis: axis, zaxis: axis, aspectmode: "data" } } : { xaxis: axis, yaxis: { ...axis, scaleanchor: "x" } }),
    ...more,
  };
}

export const SETTINGS = {
  responsive: true,
  displaylogo: false,
  scrollZoom: true,
  modeBarButtonsToRemove: ["toImage", "sendChartToCloud", "autoScale2d", "hoverClosest3d", "tableRotation", "resetCameraLastSave3d"],
};

// Draws again when the colours of the page change.
export function onScheme(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

// Returns whether a place is in a polygon, by the number of edges that a ray from the place crosses.
export function inside([x, y], polygon) {
  let within = false;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here++) {
    const [ax, ay] = polygon[here];
    const [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}
