// Draws points into the pixels of a canvas by the processor: it needs no graphics card, no WebGL and no library.

const STAR = Array.from({ length: 10 }, (_, turn) => {
  const [radius, angle] = [turn % 2 ? 0.5 : 1.25, (turn * Math.PI) / 5];
  return `${(radius * Math.sin(angle)).toFixed(3)},${(-radius * Math.cos(angle)).toFixed(3)}`;
});

// Outlines of the marks, in a square from -1 to 1.
const OUTLINES = {
  circle: "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z",
  square: "M-.85,-.85H.85V.85H-.85Z",
  diamond: "M0,-1.2L1.2,0L0,1.2L-1.2,0Z",
  cross: "M-.38,-1.1H.38V-.38H1.1V.38H.38V1.1H-.38V.38H-1.1V-.38H-.38Z",
  "triangle-up": "M0,-1.15L1.1,.8H-1.1Z",
  x: "M-1,-.5L-.5,-1L0,-.5L.5,-1L1,-.5L.5,0L1,.5L.5,1L0,.5L-.5,1L-1,.5L-.5,0Z",
  star: `M${STAR.join("L")}Z`,
};

const outline = (symbol) => OUTLINES[symbol.replace("-open", "")];
const isOpen = (symbol) => symbol.endsWith("-open");

// Returns a mark as a picture for a legend.
export function markPicture(symbol, colour) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", outline(symbol));
  path.setAttribute("fill", isOpen(symbol) ? "none" : colour);
  path.setAttribute("stroke", colour);
  path.setAttribute("stroke-width", isOpen(symbol) ? 0.5 : 0);
  svg.append(path);
  return svg;
}

// Returns a colour as the three parts of a pixel.
export function parts(colour) {
  const value = parseInt(colour.trim().slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const mixed = (a, b, share) => a.map((part, at) => Math.round(part * (1 - share) + b[at] * share));
const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // as pixels lie in memory

// Returns where the pixels of a mark lie around its middle, in rows of a width, and how much of each the mark covers.
function stamp(symbol, radius, width) {
  const half = Math.ceil(radius * 1.3);
  const side = 2 * half + 1;
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pen = canvas.getContext("2d");
  pen.setTransform(radius, 0, 0, radius, side / 2, side / 2);
  const path = new Path2D(outline(symbol));
  pen.lineWidth = 0.5;
  if (isOpen(symbol)) pen.stroke(path);
  else pen.fill(path);
  const { data } = pen.getImageData(0, 0, side, side);
  const [full, edge, cover] = [[], [], []];
  for (let at = 0; at < side * side; at++) {
    const alpha = data[4 * at + 3];
    const offset = (Math.floor(at / side) - half) * width + (at % side) - half;
    if (alpha > (radius < 2.5 ? 110 : 230)) full.push(offset);
    else if (alpha > 20) [edge.push(offset), cover.push(alpha)];
  }
  return { half, full: Int32Array.from(full), edge: Int32Array.from(edge), cover: Uint8Array.from(cover) };
}

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.looks = [];
  }

  resize(width, height) {
    [this.canvas.width, this.canvas.height] = [width, height];
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.dress();
  }

  // Sets the looks of points: each has a symbol and a colour. A mark that stands back mixes with the ground.
  dress(looks = this.looks, ground = this.ground ?? "#ffffff", radius = this.radius ?? 3) {
    Object.assign(this, { looks, ground, radius });
    if (!this.pixels) return;
    const back = parts(ground);
    const stamps = new Map();
    const stampOf = (symbol, size) => {
      const key = `${symbol} ${size}`;
      if (!stamps.has(key)) stamps.set(key, stamp(symbol, size, this.canvas.width));
      return stamps.get(key);
    };
    const made = ({ symbol, colour }, size, share) => {
      const rgb = mixed(parts(colour), back, share);
      return { ...stampOf(symbol, size), rgb, pixel: packed(rgb) };
    };
    this.bright = looks.map((look) => made(look, radius, 0));
    this.faint = looks.map((look) => made(look, radius * 0.8, 0.78));
    this.empty = packed(back);
  }

  // Draws points in an order. xs and ys are pixels, look is the number of a look, back tells which stand back.
  draw(order, xs, ys, look, back) {
    this.pixels.fill(this.empty);
    const smooth = order.length <= 20000;
    if (back) for (let at = 0; at < order.length; at++) if (back[order[at]]) this.mark(this.faint[look[order[at]]], xs[order[at]], ys[order[at]], smooth);
    for (let at = 0; at < order.length; at++) if (!back?.[order[at]]) this.mark(this.bright[look[order[at]]], xs[order[at]], ys[order[at]], smooth);
    this.pen.putImageData(this.image, 0, 0);
  }

  mark({ half, full, edge, cover, rgb, pixel }, left, top, smooth) {
    const { width, height } = this.canvas;
    const [x, y, pixels] = [Math.round(left), Math.round(top), this.pixels];
    if (!(x >= half && y >= half && x < width - half && y < height - half)) return;
    const middle = y * width + x;
    for (let at = 0; at < full.length; at++) pixels[middle + full[at]] = pixel;
    if (!smooth) return;
    const { data } = this.image;
    for (let at = 0; at < edge.length; at++) {
      const byte = 4 * (middle + edge[at]);
      for (let part = 0; part < 3; part++) data[byte + part] += ((rgb[part] - data[byte + part]) * cover[at]) >> 8;
    }
  }
}
