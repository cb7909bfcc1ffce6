// Draws clouds of points with Plotly: colours that colour-blind people tell apart, and a mark of its own for each.
import { text } from "./common.js";

const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#8C8C8C"]; // Okabe and Ito, 2008
const MARKS = ["circle", "square", "diamond", "cross", "x", "circle-open", "square-open", "diamond-open"];
const OTHERS = COLOURS.length - 1;
const CROWD = 1000; // points in space that are all squares: their marks are too small to tell apart, and squares turn faster

const hasWebGL = Boolean(document.createElement("canvas").getContext("webgl"));

// Tells whether a cloud can be drawn: one of three dimensions needs WebGL, one of two is slow without it.
export const canDraw = (points) => typeof window.Plotly === "object" && (hasWebGL || !isDeep(points));
export const isDeep = (points) => points.some((point) => point.z != null);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Gives the traces of a cloud. Points have x, y and perhaps z; value(point) is a text or, by a scale, a number.
export function traces(points, value, { scale = "" } = {}) {
  const plain = isDeep(points) && points.length > CROWD ? { symbol: "square", line: { width: 0 } } : {};
  if (scale) return [trace(points, { name: scale, showlegend: false }, { ...scaled(points, value, scale), ...plain })];
  const groups = grouped(points, value);
  const largest = [...groups.keys()].filter((name) => name !== "").sort((a, b) => groups.get(b).length - groups.get(a).length);
  const named = largest.slice(0, largest.length > OTHERS + 1 ? OTHERS : OTHERS + 1);
  const rest = [...groups].filter(([name]) => !named.includes(name)).flatMap(([, members]) => members);
  const clouds = named.map((name, place) => [name, groups.get(name), Math.min(place, OTHERS)]);
  if (rest.length) clouds.push([text("others"), rest, OTHERS]);
  return clouds.map(([name, members, place]) => trace(members, { name }, { color: COLOURS[place], symbol: MARKS[place], ...plain }));
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
  return { color: points.map(value), colorscale: "Viridis", showscale: true, colorbar: shown };
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

// A single point that stands out: a ring around what is chosen, a star where a picture lies.
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

// Tells whether a place is inside of a polygon: how often a ray from it crosses the edges.
export function inside([x, y], polygon) {
  let within = false;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here++) {
    const [ax, ay] = polygon[here];
    const [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}
