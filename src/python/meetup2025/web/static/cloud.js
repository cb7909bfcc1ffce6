// A cloud of points in two or three dimensions: it is moved, turned and zoomed, points are chosen, regions are drawn.
import { element, text } from "./common.js";
import { Painter } from "./painter.js";

const NEAR = 12; // most pixels between a point and the pointer that chooses it
const CLICK = 5; // pixels from which a press is a drag
const MARGIN = 36;
const TOOLS = 48; // pixels of the buttons at the right
const LABELS = 160; // most texts at once
const PICTURES = 60; // most pictures at once
const ROOM = 600; // most points in the window when single points have their names and pictures
const FONT = '"Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic UI", IPAPGothic, system-ui, sans-serif';

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const sizeFor = (count) => (count <= 500 ? 5 : count <= 5000 ? 3.5 : count <= 20000 ? 2.5 : 1.6);

export class Cloud {
  // on has functions: chosen(place), region(corners), pictures(places) for pictures that are wanted, moved().
  constructor(host, on = {}) {
    Object.assign(this, { host, on, count: 0, frames: 0, lasso: [], links: [], titles: [], pictures: new Map(), drawing: false });
    host.cloud = this;
    this.below = host.appendChild(element("canvas", { "aria-hidden": "true" }));
    this.above = host.appendChild(element("canvas", { "aria-hidden": "true" }));
    this.hint = host.appendChild(element("p", { class: "tip", hidden: "" }));
    this.painter = new Painter(this.below);
    this.pen = this.above.getContext("2d");
    this.buttons();
    this.gestures();
    new ResizeObserver(() => this.resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.dress());
  }

  // --- the points -----------------------------------------------------------------------------------------------------

  // Takes the coordinates; z is empty for a map of two dimensions. names has the names that may be written at points.
  load({ x, y, z = null, names = [] }) {
    Object.assign(this, { x, y, z, names, count: x.length, links: [], titles: [], guest: null, chosen: null, lasso: [] });
    this.deep = Boolean(z);
    this.order = Uint32Array.from(x, (_, place) => place);
    this.look = new Uint16Array(this.count);
    this.back = null;
    [this.sx, this.sy, this.depth] = [new Float32Array(this.count), new Float32Array(this.count), new Float32Array(this.count)];
    this.pictures.clear();
    this.host.classList.toggle("deep", this.deep);
    this.fit();
  }

  // Sets the look of each point, and the order in which they are drawn. looks have a symbol and a colour.
  dress(looks = this.looks, look = this.look, order = this.order) {
    Object.assign(this, { looks, look, order });
    if (!looks) return;
    this.painter.dress(looks, style("--ground"), sizeFor(this.count) * this.scale);
    this.ask();
  }

  get scale() {
    return Math.min(devicePixelRatio || 1, 2);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height || (width === this.width && height === this.height)) return;
    const isFirst = !this.width;
    if (!isFirst) [this.ox, this.oy] = [this.ox + (width - this.width) / 2, this.oy + (height - this.height) / 2];
    Object.assign(this, { width, height });
    this.painter.resize(Math.round(width * this.scale), Math.round(height * this.scale));
    Object.assign(this.above, { width: width * this.scale, height: height * this.scale });
    if (isFirst) this.fit();
    this.dress();
  }

  // Shows all points: in space from the front, around their middle.
  fit() {
    if (!this.count || !this.width) return;
    const range = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const axes = [this.x, this.y, ...(this.deep ? [this.z] : [])].map(range);
    this.middle = axes.map(([low, high]) => (low + high) / 2);
    this.turn = this.deep ? [0.6, 0.35] : [0, 0];
    this.far = 1.75 * Math.hypot(...axes.map(([low, high]) => high - low || 1));
    [this.k, this.ox, this.oy] = [1, 0, 0];
    this.projectAll();
    const sides = [[this.sx, this.width - TOOLS], [this.sy, this.height]].map(([values, room]) => {
      const [low, high] = range(values).map((value) => value / this.scale);
      return { middle: (low + high) / 2, span: high - low || 1, room };
    });
    this.k = Math.min(...sides.map(({ span, room }) => (room - 2 * MARGIN) / span));
    [this.ox, this.oy] = sides.map(({ middle, room }) => room / 2 - this.k * middle);
    this.home = { k: this.k, ox: this.ox, oy: this.oy };
    this.ask();
  }

  // Returns how the map was zoomed, moved and turned since all of it was shown; see does the same to another map.
  seen() {
    const factor = this.k / this.home.k;
    return { factor, across: this.ox - factor * this.home.ox, down: this.oy - factor * this.home.oy, turn: this.turn };
  }

  see({ factor, across, down, turn }) {
    this.k = factor * this.home.k;
    [this.ox, this.oy, this.turn] = [across + factor * this.home.ox, down + factor * this.home.oy, turn];
    this.ask();
  }

  // Returns where a place is drawn, in pixels of the page, and how near it is to the eye.
  project(x, y, z) {
    const [dx, dy] = [x - this.middle[0], y - this.middle[1]];
    if (!this.deep) return [this.ox + this.k * dx, this.oy - this.k * dy, 0];
    const dz = z - this.middle[2];
    const [sin, cos, tip, tap] = [Math.sin(this.turn[0]), Math.cos(this.turn[0]), Math.sin(this.turn[1]), Math.cos(this.turn[1])];
    const [across, away] = [dx * cos + dz * sin, dz * cos - dx * sin];
    const [up, near] = [dy * tap - away * tip, away * tap + dy * tip];
    const size = (this.k * this.far) / (this.far - near);
    return [this.ox + size * across, this.oy - size * up, near];
  }

  // Does what project does for all points at once, without an array for each.
  projectAll() {
    const { x, y, z, sx, sy, depth, scale, k, far, ox, oy, count, deep } = this;
    const [mx, my, mz] = this.middle;
    const [sin, cos, tip, tap] = [Math.sin(this.turn[0]), Math.cos(this.turn[0]), Math.sin(this.turn[1]), Math.cos(this.turn[1])];
    for (let place = 0; place < count; place++) {
      const dx = x[place] - mx;
      const dy = y[place] - my;
      const dz = deep ? z[place] - mz : 0;
      const away = dz * cos - dx * sin;
      const near = deep ? away * tap + dy * tip : 0;
      const size = (deep ? (k * far) / (far - near) : k) * scale;
      sx[place] = ox * scale + size * (deep ? dx * cos + dz * sin : dx);
      sy[place] = oy * scale - size * (deep ? dy * tap - away * tip : dy);
      depth[place] = near;
    }
  }

  screen(place) {
    return this.project(this.x[place], this.y[place], this.z?.[place]);
  }

  placeAt(left, top) {
    return [(left - this.ox) / this.k + this.middle[0], (this.oy - top) / this.k + this.middle[1]];
  }

  // Returns the point nearest to a pixel of the page, or null.
  nearest(left, top, reach = NEAR) {
    let [best, least] = [null, reach * reach];
    for (let place = 0; place < this.count; place++) {
      const [across, down] = [this.sx[place] / this.scale - left, this.sy[place] / this.scale - top];
      const distance = across * across + down * down - (this.deep ? this.depth[place] * 1e-3 : 0);
      if (distance <= least && !this.back?.[place]) [best, least] = [place, distance];
    }
    return best;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  ask() {
    if (this.asked || !this.count || !this.width || !this.looks) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  draw() {
    this.projectAll();
    this.painter.draw(this.deep ? byDepth(this.depth) : this.order, this.sx, this.sy, this.look, this.back);
    this.frames += 1;
    this.annotate();
  }

  annotate() {
    const { pen, scale } = this;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    Object.assign(pen, { lineJoin: "round", textAlign: "center", textBaseline: "middle" });
    this.drawRegion();
    this.drawLinks();
    const taken = [];
    this.drawGuest(taken);
    this.drawChosen(taken);
    for (const title of this.titles) this.write(title, taken, { bold: true });
    if (this.moving) return; // names and pictures of single points come when the hand rests
    const seen = this.inWindow();
    if (seen.length > ROOM) return;
    this.drawPictures(seen, taken);
    for (const place of seen) if (taken.length < LABELS && this.names[place]) this.write({ place, text: this.names[place] }, taken, { under: 9 });
  }

  inWindow() {
    const seen = [];
    for (let place = 0; place < this.count && seen.length <= ROOM; place++) {
      const [left, top] = [this.sx[place] / this.scale, this.sy[place] / this.scale];
      if (left > 0 && top > 0 && left < this.width && top < this.height && !this.back?.[place]) seen.push(place);
    }
    return seen;
  }

  // Writes a text at a point or at a place, where nothing else is written.
  write({ place, x, y, z, text: words }, taken, { bold = false, under = 0 } = {}) {
    const { pen } = this;
    const [left, top] = place == null ? this.project(x, y, z) : [this.sx[place] / this.scale, this.sy[place] / this.scale];
    pen.font = `${bold ? "700 14px" : "12px"} ${FONT}`;
    const wide = pen.measureText(words).width;
    const box = [left - wide / 2 - 3, top + under - 2, left + wide / 2 + 3, top + under + 16];
    if (box[0] < 0 || box[1] < 0 || box[2] > this.width || box[3] > this.height || taken.some((other) => meet(box, other))) return;
    taken.push(box);
    Object.assign(pen, { strokeStyle: style("--ground"), fillStyle: style("--text"), lineWidth: bold ? 4 : 3 });
    pen.strokeText(words, left, top + under + 7);
    pen.fillText(words, left, top + under + 7);
  }

  drawPictures(seen, taken) {
    const wanted = [];
    const side = seen.length < 40 ? 64 : 44;
    let shown = 0;
    for (const place of seen) {
      if (shown >= PICTURES || !this.hasPicture?.(place)) continue;
      const [left, top] = [this.sx[place] / this.scale, this.sy[place] / this.scale];
      const box = [left - side / 2, top - side / 2, left + side / 2, top + side / 2];
      if (taken.some((other) => meet(box, other))) continue;
      shown += 1;
      const picture = this.pictures.get(place);
      if (picture === undefined) wanted.push(place);
      if (!picture) continue;
      taken.push(box);
      this.drawPicture(picture, left, top, side, this.painter.looks[this.look[place]].colour);
    }
    if (wanted.length) this.on.pictures?.(wanted);
  }

  drawPicture(picture, left, top, side, colour) {
    const { pen } = this;
    const [wide, high] = [picture.naturalWidth, picture.naturalHeight];
    const size = side / Math.max(wide, high);
    pen.drawImage(picture, left - (wide * size) / 2, top - (high * size) / 2, wide * size, high * size);
    Object.assign(pen, { strokeStyle: colour, lineWidth: 2 });
    pen.strokeRect(left - (wide * size) / 2, top - (high * size) / 2, wide * size, high * size);
  }

  drawRegion() {
    if (this.deep || !this.lasso.length) return;
    this.trace(this.lasso.map(([x, y]) => this.project(x, y)), !this.drawing);
  }

  trace(corners, closed) {
    const { pen } = this;
    pen.beginPath();
    for (const [left, top] of corners) pen.lineTo(left, top);
    if (closed) pen.closePath();
    Object.assign(pen, { strokeStyle: style("--mark"), lineWidth: 2 });
    pen.stroke();
  }

  // Draws lines from the chosen point, or from the picture of the user, to the nearest by vector: thick is near.
  drawLinks() {
    const from = this.guest ?? (this.chosen == null ? null : { x: this.x[this.chosen], y: this.y[this.chosen], z: this.z?.[this.chosen] });
    if (!from) return;
    const [left, top] = this.project(from.x, from.y, from.z);
    for (const { place, weight } of this.links) {
      const [right, bottom] = this.screen(place);
      this.pen.beginPath();
      this.pen.moveTo(left, top);
      this.pen.lineTo(right, bottom);
      Object.assign(this.pen, { strokeStyle: style("--mark"), lineWidth: 1 + 3 * weight });
      this.pen.stroke();
    }
  }

  ring(left, top, radius) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(left, top, radius, 0, 2 * Math.PI);
    Object.assign(pen, { strokeStyle: style("--mark"), lineWidth: 3 });
    pen.stroke();
  }

  drawChosen(taken) {
    if (this.chosen == null) return;
    const [left, top] = this.screen(this.chosen);
    this.ring(left, top, 10);
    this.write({ place: this.chosen, text: this.titleOf?.(this.chosen) ?? "" }, taken, { bold: true, under: 12 });
    for (const { place } of this.links) this.write({ place, text: this.titleOf?.(place) ?? "" }, taken, { under: 9 });
  }

  drawGuest(taken) {
    if (!this.guest) return;
    const [left, top] = this.project(this.guest.x, this.guest.y, this.guest.z);
    const side = 72;
    if (this.guest.picture?.complete) this.drawPicture(this.guest.picture, left, top, side, style("--mark"));
    else this.ring(left, top, 10);
    taken.push([left - side / 2, top - side / 2, left + side / 2, top + side / 2]);
    for (const { place } of this.links) this.write({ place, text: this.titleOf?.(place) ?? "" }, taken, { under: 9 });
  }

  // --- hands ----------------------------------------------------------------------------------------------------------

  buttons() {
    const made = (sign, name, onclick) => element("button", { type: "button", title: text(name), "aria-label": text(name), onclick }, sign);
    this.pencil = made("✎", "draw_region", () => this.pickUp(!this.drawing));
    this.pencil.classList.add("flat");
    const zoom = (factor) => () => this.zoom(factor, this.width / 2, this.height / 2);
    const all = [this.pencil, made("+", "zoom_in", zoom(1.5)), made("−", "zoom_out", zoom(1 / 1.5)), made("⤢", "show_whole", () => this.fit())];
    this.host.append(element("div", { class: "tools" }, ...all));
  }

  pickUp(drawing) {
    this.drawing = drawing;
    this.pencil.setAttribute("aria-pressed", String(drawing));
    this.host.classList.toggle("pencil", drawing);
  }

  zoom(factor, left, top) {
    this.k *= factor;
    [this.ox, this.oy] = [left + (this.ox - left) * factor, top + (this.oy - top) * factor];
    this.rest();
  }

  // Draws now without what takes long, and all when the hand has rested.
  rest() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      this.ask();
    }, 180);
    this.on.moved?.();
    this.ask();
  }

  gestures() {
    const held = new Map(); // pointer -> where it is
    let from = null;
    let travelled = 0;
    const where = (event) => {
      const box = this.host.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const surface = this.above;
    surface.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      surface.setPointerCapture(event.pointerId);
      held.set(event.pointerId, where(event));
      [from, travelled] = [where(event), 0];
      if (this.drawing || event.shiftKey) [this.drawing, this.lasso] = [!this.deep, []];
      if (held.size > 1) this.lasso = [];
    });
    surface.addEventListener("pointermove", (event) => {
      const at = where(event);
      if (!held.has(event.pointerId)) return this.hover(at);
      const before = held.get(event.pointerId);
      held.set(event.pointerId, at);
      travelled = Math.max(travelled, Math.hypot(at[0] - from[0], at[1] - from[1]));
      if (held.size === 2) this.pinch(event.pointerId, before, held);
      else if (this.drawing && !this.deep) this.lasso.push(this.placeAt(...at));
      else this.drag(at[0] - before[0], at[1] - before[1], event.ctrlKey);
      this.rest();
    });
    const end = (event) => {
      if (!held.delete(event.pointerId) || held.size) return;
      if (event.type === "pointerup" && travelled < CLICK) this.choose(...where(event));
      else if (event.type === "pointerup" && this.drawing && this.lasso.length > 2) this.on.region?.(this.lasso);
      this.pickUp(false);
    };
    surface.addEventListener("pointerup", end);
    surface.addEventListener("pointercancel", end);
    surface.addEventListener("pointerleave", () => (this.hint.hidden = true));
    surface.addEventListener("dblclick", () => this.fit());
    surface.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), ...where(event));
    }, { passive: false });
    this.host.addEventListener("keydown", (event) => this.key(event));
  }

  drag(across, down, shifting = false) {
    if (!this.deep || shifting) [this.ox, this.oy] = [this.ox + across, this.oy + down];
    else this.turn = [this.turn[0] + across / 150, Math.max(-1.5, Math.min(1.5, this.turn[1] + down / 150))];
  }

  pinch(moved, before, held) {
    const [other] = [...held].filter(([pointer]) => pointer !== moved).map(([, at]) => at);
    const at = held.get(moved);
    const span = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    if (span(before) > 1) this.zoom(span(at) / span(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  key(event) {
    const steps = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
    if (event.target !== this.host) return;
    if (steps[event.key]) this.drag(...steps[event.key]);
    else if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? 1.3 : 1 / 1.3, this.width / 2, this.height / 2);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    this.rest();
  }

  choose(left, top) {
    const place = this.nearest(left, top);
    if (place != null) this.on.chosen?.(place);
  }

  hover([left, top]) {
    const place = this.nearest(left, top, 8);
    this.above.style.cursor = place == null ? "" : "pointer";
    this.hint.hidden = place == null || !this.titleOf;
    if (this.hint.hidden) return;
    this.hint.textContent = this.titleOf(place);
    const picture = this.pictures.get(place);
    if (picture) this.hint.prepend(picture.cloneNode());
    else if (picture === undefined && this.hasPicture?.(place)) this.on.pictures?.([place]);
    this.hint.style.transform = `translate(${Math.min(left + 12, this.width - 160)}px, ${Math.max(4, top - 30)}px)`;
  }
}

const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// Returns the points from the farthest to the nearest, by counting.
function byDepth(depth) {
  let [low, high] = [Infinity, -Infinity];
  for (const each of depth) [low, high] = [Math.min(low, each), Math.max(high, each)];
  const [steps, shift] = [1023, 1023 / (high - low || 1)];
  const counts = new Uint32Array(steps + 2);
  for (const each of depth) counts[Math.floor((each - low) * shift) + 1] += 1;
  for (let step = 1; step < counts.length; step++) counts[step] += counts[step - 1];
  const order = new Uint32Array(depth.length);
  for (let place = 0; place < depth.length; place++) order[counts[Math.floor((depth[place] - low) * shift)]++] = place;
  return order;
}
