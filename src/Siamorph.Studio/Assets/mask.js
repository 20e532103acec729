// A mask as one byte a pixel, 0 or 1, at the image's resolution. Every tool works on whole pixels: nothing is ever half inside.

export class Mask {
  constructor(width, height, data = new Uint8Array(width * height)) {
    Object.assign(this, { width, height, data });
  }

  /** One bit a pixel, from the lowest of each byte; rows without padding. */
  static unpack(bits, width, height) {
    const mask = new Mask(width, height);
    for (let i = 0; i < mask.data.length; i++) mask.data[i] = (bits[i >> 3] >> (i & 7)) & 1;
    return mask;
  }

  pack() {
    const bits = new Uint8Array((this.data.length + 7) >> 3);
    for (let i = 0; i < this.data.length; i++) if (this.data[i]) bits[i >> 3] |= 1 << (i & 7);
    return bits;
  }

  at(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height ? this.data[y * this.width + x] : 0;
  }

  get area() {
    let sum = 0;
    for (const v of this.data) sum += v;
    return sum;
  }

  /** A disc of so many pixels across; of an even number the middle lies on the corner above and left of (x, y). */
  disc(x, y, diameter, value) {
    const middle = (diameter - 1) / 2, shift = Math.floor(diameter / 2);
    for (let j = 0; j < diameter; j++) {
      const py = y - shift + j;
      if (py < 0 || py >= this.height) continue;
      for (let i = 0; i < diameter; i++) {
        const px = x - shift + i;
        if (px < 0 || px >= this.width || 4 * ((i - middle) ** 2 + (j - middle) ** 2) > diameter * diameter) continue;
        this.data[py * this.width + px] = value;
      }
    }
  }

  /** Discs along the pixels of a straight line. */
  stroke(from, to, diameter, value) {
    let [x, y] = from;
    const [dx, dy] = [Math.abs(to[0] - x), -Math.abs(to[1] - y)], [sx, sy] = [Math.sign(to[0] - x), Math.sign(to[1] - y)];
    for (let error = dx + dy; ;) {
      this.disc(x, y, diameter, value);
      if (x === to[0] && y === to[1]) return;
      const twice = 2 * error;
      if (twice >= dy) { error += dy; x += sx; }
      if (twice <= dx) { error += dx; y += sy; }
    }
  }

  /** The pixels whose middle lies within a polygon (even-odd rule), and those of its border. */
  polygon(points, value) {
    for (let y = 0; y < this.height; y++) {
      const cuts = [];
      for (let i = 0; i < points.length; i++) {
        const [ax, ay] = points[i], [bx, by] = points[(i + 1) % points.length];
        if ((ay <= y) !== (by <= y)) cuts.push(ax + (y - ay) * (bx - ax) / (by - ay));
      }
      cuts.sort((a, b) => a - b);
      for (let i = 0; i + 1 < cuts.length; i += 2)
        for (let x = Math.max(0, Math.ceil(cuts[i])); x <= Math.min(this.width - 1, Math.floor(cuts[i + 1])); x++) this.data[y * this.width + x] = value;
    }
    for (let i = 0; i < points.length; i++) this.stroke(points[i], points[(i + 1) % points.length], 1, value);
  }

  /** The ellipse that fills a rectangle of whole pixels. */
  ellipse([x1, y1], [x2, y2], value) {
    const [cx, cy, rx, ry] = [(x1 + x2) / 2, (y1 + y2) / 2, (Math.abs(x2 - x1) + 1) / 2, (Math.abs(y2 - y1) + 1) / 2];
    for (let y = Math.max(0, Math.min(y1, y2)); y <= Math.min(this.height - 1, Math.max(y1, y2)); y++)
      for (let x = Math.max(0, Math.min(x1, x2)); x <= Math.min(this.width - 1, Math.max(x1, x2)); x++)
        if (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1) this.data[y * this.width + x] = value;
  }

  /** Turns the region of equal pixels around a point, over its four neighbours, to a value. */
  bucket(x, y, value) {
    const old = this.at(x, y);
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || old === value) return;
    const waiting = [y * this.width + x];
    while (waiting.length) {
      const i = waiting.pop();
      if (this.data[i] !== old) continue;
      this.data[i] = value;
      const px = i % this.width;
      if (px > 0) waiting.push(i - 1);
      if (px < this.width - 1) waiting.push(i + 1);
      if (i >= this.width) waiting.push(i - this.width);
      if (i + this.width < this.data.length) waiting.push(i + this.width);
    }
  }

  /** Fills what is shut off from the border of the picture. */
  fillHoles() {
    const outside = new Mask(this.width, this.height, this.data.map(v => v));
    for (let x = 0; x < this.width; x++) for (const y of [0, this.height - 1]) if (!outside.at(x, y)) mark(outside, x, y);
    for (let y = 0; y < this.height; y++) for (const x of [0, this.width - 1]) if (!outside.at(x, y)) mark(outside, x, y);
    for (let i = 0; i < this.data.length; i++) this.data[i] = outside.data[i] === 2 ? 0 : 1;
  }

  move(dx, dy) {
    const old = this.data.slice();
    for (let y = 0; y < this.height; y++)
      for (let x = 0; x < this.width; x++) {
        const [fx, fy] = [x - dx, y - dy];
        this.data[y * this.width + x] = fx >= 0 && fy >= 0 && fx < this.width && fy < this.height ? old[fy * this.width + fx] : 0;
      }
  }

  /** One pixel more to every side, or with false one less. */
  grow(more = true) {
    const old = new Mask(this.width, this.height, this.data.slice());
    const own = more ? 1 : 0;
    for (let y = 0; y < this.height; y++)
      for (let x = 0; x < this.width; x++) {
        if (old.at(x, y) === own) continue;
        const near = [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]].filter(([a, b]) => a >= 0 && b >= 0 && a < this.width && b < this.height);
        if (near.some(([a, b]) => old.at(a, b) === own)) this.data[y * this.width + x] = own;
      }
  }

  /** Every pixel becomes what most of the nine around it are. */
  smooth() {
    const old = new Mask(this.width, this.height, this.data.slice());
    for (let y = 0; y < this.height; y++)
      for (let x = 0; x < this.width; x++) {
        let sum = 0;
        for (let j = -1; j <= 1; j++) for (let i = -1; i <= 1; i++) sum += old.at(x + i, y + j);
        this.data[y * this.width + x] = sum >= 5 ? 1 : 0;
      }
  }

  /** Keeps the largest island alone. */
  largest() {
    const seen = new Mask(this.width, this.height, this.data.slice());
    let best = null, size = 0;
    for (let i = 0; i < seen.data.length; i++) {
      if (seen.data[i] !== 1) continue;
      const island = mark(seen, i % this.width, Math.floor(i / this.width));
      if (island.length > size) [best, size] = [island, island.length];
    }
    this.data.fill(0);
    for (const i of best ?? []) this.data[i] = 1;
  }
}

// Turns the region around a point to 2 and tells its pixels.
function mark(mask, x, y) {
  const old = mask.at(x, y), found = [], waiting = [y * mask.width + x];
  while (waiting.length) {
    const i = waiting.pop();
    if (mask.data[i] !== old) continue;
    mask.data[i] = 2;
    found.push(i);
    const px = i % mask.width;
    if (px > 0) waiting.push(i - 1);
    if (px < mask.width - 1) waiting.push(i + 1);
    if (i >= mask.width) waiting.push(i - mask.width);
    if (i + mask.width < mask.data.length) waiting.push(i + mask.width);
  }
  return found;
}
