// The colours and marks of points, and their order: those of figures/palette.py.
const PALETTE = JSON.parse(document.getElementById("palette").textContent);
const CROWD = 5000; // points from which marks are too small to tell apart: categories differ in lightness too
const STEPS = 64; // colours of a scale
const LIGHTER = [0, 0.45, -0.35, 0.7]; // how categories that share a colour differ in a crowd

const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const joined = (rgb) => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
const between = (a, b, share) => joined(parts(a).map((part, at) => part + (parts(b)[at] - part) * share));

// Returns the looks of points by a category of each, with the categories from the largest to the smallest. counts has the
// number of items of each category in the whole run, and deep tells of a map in space.
export function byCategory(values, counts, deep) {
  const named = categories(counts);
  const marks = values.length > CROWD ? ["circle"] : deep ? PALETTE.symbolsInSpace : PALETTE.symbols;
  const looks = [{ symbol: marks[0], colour: PALETTE.other }, ...named.map((_, rank) => ({ symbol: marks[rank % marks.length], colour: colourOf(rank, values.length) }))];
  const ranks = new Map(named.map((name, rank) => [name, rank + 1]));
  const look = Uint16Array.from(values, (value) => ranks.get(value) ?? 0);
  return { looks, look, order: ordered(look), named };
}

function colourOf(rank, count) {
  const colour = PALETTE.colours[rank % PALETTE.colours.length];
  const shade = count > CROWD ? LIGHTER[Math.floor(rank / PALETTE.colours.length) % LIGHTER.length] : 0;
  return between(colour, shade > 0 ? "#ffffff" : "#000000", Math.abs(shade));
}

// Returns the categories that get a look of their own, as `categories` of figures/palette.py. Numbers are in order.
function categories(counts) {
  const largest = [...counts].filter(([name]) => name !== "" && name != null).sort((a, b) => b[1] - a[1]);
  const kept = largest.length > PALETTE.most ? largest.filter(([, count]) => count > 1).slice(0, PALETTE.most) : largest;
  const named = kept.map(([name]) => name);
  return named.every((name) => typeof name === "number") ? named.sort((a, b) => a - b) : named;
}

// Returns the looks of points by a number of each, or null where there is none.
export function byScale(values, deep) {
  const known = values.filter((value) => value != null);
  const [low, high] = known.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  const symbol = (deep ? PALETTE.symbolsInSpace : PALETTE.symbols)[0];
  const looks = [{ symbol, colour: PALETTE.other }, ...Array.from({ length: STEPS }, (_, step) => ({ symbol, colour: onScale(step / (STEPS - 1)) }))];
  const look = Uint16Array.from(values, (value) => (value == null ? 0 : 1 + Math.round(((value - low) / (high - low || 1)) * (STEPS - 1))));
  return { looks, look, order: ordered(look), low, high, named: [] };
}

export function onScale(share) {
  const at = share * (PALETTE.scale.length - 1);
  const before = Math.min(Math.floor(at), PALETTE.scale.length - 2);
  return between(PALETTE.scale[before], PALETTE.scale[before + 1], at - before);
}

// Items without a look of their own are drawn first, then the others, mixed, so that no category covers another.
function ordered(look) {
  const all = Uint32Array.from(look, (_, place) => place);
  const mixed = (place) => (place * 48271) % 65537;
  return all.sort((a, b) => (look[a] > 0) - (look[b] > 0) || mixed(a) - mixed(b));
}
