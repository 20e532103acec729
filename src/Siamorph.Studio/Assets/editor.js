// The mask editor: a canvas that shows an image and its mask, and the tools that change the mask. No stroke asks the server.
import { Mask } from "./mask.js";

const steps = 100;
const colour = [64, 224, 160];

export class Editor {
  /** @param box holds the canvas and the buttons with data-tool, data-act; see EditTools. */
  constructor(box, width, height) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.mask = new Mask(width, height);
    this.layer = new OffscreenCanvas(width, height);
    this.image = null;
    Object.assign(this, { tool: "brush", size: Math.max(3, Math.round(width / 24)), undone: [], done: [], points: [], cursor: [width >> 1, height >> 1], zoom: 1, pan: [0, 0], shown: true, filled: true });
    this.changed = () => {};
    this.listen();
    new ResizeObserver(() => this.fit()).observe(this.canvas);
    this.choose("brush");
  }

  /** Shows a mask without a way back to the one before. */
  load(bits) {
    this.mask = Mask.unpack(bits, this.mask.width, this.mask.height);
    this.done = [];
    this.undone = [];
    this.paint();
  }

  async show(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    this.image = image;
    this.draw();
  }

  fit() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.zoomTo(Math.min(this.canvas.width / this.mask.width, this.canvas.height / this.mask.height));
  }

  zoomTo(zoom, [cx, cy] = [this.canvas.width / 2, this.canvas.height / 2]) {
    const middle = this.fitted ? [(cx - this.pan[0]) / this.zoom, (cy - this.pan[1]) / this.zoom] : [this.mask.width / 2, this.mask.height / 2];
    const [mx, my] = this.fitted && zoom > this.smallest ? middle : [this.mask.width / 2, this.mask.height / 2];
    const [ox, oy] = this.fitted && zoom > this.smallest ? [cx, cy] : [this.canvas.width / 2, this.canvas.height / 2];
    this.zoom = Math.min(64, Math.max(this.smallest, zoom));
    this.pan = [ox - mx * this.zoom, oy - my * this.zoom];
    this.fitted = true;
    this.draw();
  }

  get smallest() {
    return Math.min(this.canvas.width / this.mask.width, this.canvas.height / this.mask.height) / 2;
  }

  /** The pixel under a place of the window. */
  pixel(event) {
    const ratio = this.canvas.width / this.canvas.clientWidth, box = this.canvas.getBoundingClientRect();
    const place = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    return place.map((p, i) => Math.floor((p - this.pan[i]) / this.zoom));
  }

  // What the mask was before a change is kept, and given back by undo.
  begin() {
    this.before = this.mask.pack();
  }

  end(text) {
    const after = this.mask.pack();
    if (!this.before || after.every((b, i) => b === this.before[i])) return this.paint();
    this.done.push(this.before);
    if (this.done.length > steps) this.done.shift();
    this.undone = [];
    this.before = null;
    this.paint();
    this.tell(`${text}. The lesion has ${this.mask.area} pixels.`);
    this.changed(after);
  }

  change(text, action) {
    this.begin();
    action(this.mask);
    this.end(text);
  }

  undo(from = this.done, to = this.undone, text = "Undone") {
    if (from.length === 0) return this.tell("There is nothing more.");
    to.push(this.mask.pack());
    this.mask = Mask.unpack(from.pop(), this.mask.width, this.mask.height);
    this.points = [];
    this.paint();
    this.tell(text);
    this.changed(this.mask.pack());
  }

  act(name) {
    const acts = {
      undo: () => this.undo(), redo: () => this.undo(this.undone, this.done, "Done again"),
      holes: () => this.change("Holes filled", m => m.fillHoles()), grow: () => this.change("Grown by a pixel", m => m.grow()),
      shrink: () => this.change("Shrunk by a pixel", m => m.grow(false)), smooth: () => this.change("Smoothed", m => m.smooth()),
      largest: () => this.change("Largest island kept", m => m.largest()), clear: () => this.change("Cleared", m => m.data.fill(0)),
      smaller: () => this.resize(-1), larger: () => this.resize(1), whole: () => this.fit(), full: () => this.zoomTo(devicePixelRatio || 1),
      closer: () => this.zoomTo(this.zoom * 1.5), farther: () => this.zoomTo(this.zoom / 1.5),
      hide: () => { this.shown = !this.shown; this.draw(); }, outline: () => { this.filled = !this.filled; this.paint(); },
      close: () => this.close(), cancel: () => { this.points = []; this.draw(); },
    };
    acts[name]?.();
  }

  resize(by) {
    this.size = Math.min(256, Math.max(1, this.size + by));
    this.box.querySelectorAll("[data-size]").forEach(e => { e.value = this.size; });
    this.draw();
  }

  choose(tool) {
    this.tool = tool;
    this.points = [];
    this.box.querySelectorAll("[data-tool]").forEach(b => b.setAttribute("aria-pressed", String(b.dataset.tool === tool)));
    this.draw();
  }

  // A place was chosen, by the mouse or by Enter at the cursor.
  place(at, take) {
    const value = take ? 0 : 1;
    if (this.tool === "brush" || this.tool === "eraser") this.change(this.tool === "brush" ? "Painted" : "Erased", m => m.stroke(this.last ?? at, at, this.size, this.tool === "brush" ? value : 0));
    else if (this.tool === "bucket") this.change("Filled", m => m.bucket(...at, this.mask.at(...at) ? 0 : 1));
    else if (this.tool === "polygon") {
      this.take = take;
      const first = this.points[0];
      if (first && this.points.length > 2 && Math.hypot(first[0] - at[0], first[1] - at[1]) * this.zoom < 8 * (devicePixelRatio || 1)) return this.close();
      this.points.push(at);
      this.tell(`Corner ${this.points.length}. Enter on the first corner, or C, closes the polygon.`);
      this.draw();
    } else if (this.tool === "ellipse" || this.tool === "move") {
      this.points.push(at);
      if (this.points.length < 2) return this.draw();
      const [a, b] = this.points;
      this.points = [];
      if (this.tool === "ellipse") this.change("Ellipse", m => m.ellipse(a, b, value));
      else this.change("Moved", m => m.move(b[0] - a[0], b[1] - a[1]));
    }
  }

  close() {
    const points = this.points;
    this.points = [];
    if (points.length > 2) this.change(this.take ? "Polygon taken away" : "Polygon", m => m.polygon(points, this.take ? 0 : 1));
    else this.draw();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", e => this.down(e));
    canvas.addEventListener("pointermove", e => this.moved(e));
    canvas.addEventListener("pointerup", e => this.up(e));
    canvas.addEventListener("pointercancel", e => this.up(e));
    canvas.addEventListener("wheel", e => this.wheel(e), { passive: false });
    canvas.addEventListener("keydown", e => this.key(e));
    canvas.addEventListener("keyup", e => { if (e.key === " ") this.panning = false; });
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
    this.box.querySelectorAll("[data-tool]").forEach(b => b.addEventListener("click", () => this.choose(b.dataset.tool)));
    this.box.querySelectorAll("[data-act]").forEach(b => b.addEventListener("click", () => this.act(b.dataset.act)));
    this.box.querySelectorAll("[data-size]").forEach(e => { e.value = this.size; e.addEventListener("input", () => { this.size = Number(e.value); this.draw(); }); });
  }

  down(event) {
    if (event.button > 1) return;
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.pixel(event);
    this.cursor = at;
    if (this.panning || event.button === 1) return void (this.grip = [event.clientX, event.clientY, ...this.pan]);
    if (this.tool === "brush" || this.tool === "eraser") {
      this.begin();
      this.value = this.tool === "brush" && !event.shiftKey ? 1 : 0;
      this.mask.disc(...at, this.size, this.value);
      this.last = at;
      this.paint(at, at);
    } else if (this.tool === "lasso" || this.tool === "ellipse" || this.tool === "move") {
      if (this.points.length && this.tool !== "lasso") return this.place(at, event.shiftKey);
      this.dragging = true;
      this.take = event.shiftKey;
      this.points = [at];
    } else this.place(at, event.shiftKey);
  }

  moved(event) {
    const at = this.pixel(event);
    this.cursor = at;
    if (this.grip) {
      const ratio = this.canvas.width / this.canvas.clientWidth;
      this.pan = [this.grip[2] + (event.clientX - this.grip[0]) * ratio, this.grip[3] + (event.clientY - this.grip[1]) * ratio];
      return this.draw();
    }
    if (this.last) {
      const from = this.last;
      for (const part of event.getCoalescedEvents?.() ?? [event]) {
        const to = this.pixel(part);
        this.mask.stroke(this.last, to, this.size, this.value);
        this.last = to;
      }
      return this.paint(from, this.last);
    }
    if (this.dragging && this.tool === "lasso") this.points.push(at);
    this.draw();
  }

  up(event) {
    this.grip = null;
    if (this.last) {
      this.last = null;
      return this.end(this.value ? "Painted" : "Erased");
    }
    if (!this.dragging) return;
    this.dragging = false;
    const at = this.pixel(event), [first] = this.points;
    if (this.tool === "lasso") return this.close();
    if (at[0] !== first[0] || at[1] !== first[1]) this.place(at, this.take);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const forward = (event.deltaY || event.deltaX) < 0;
    if (event.shiftKey) return this.resize(forward ? 1 : -1);
    const ratio = this.canvas.width / this.canvas.clientWidth, box = this.canvas.getBoundingClientRect();
    this.zoomTo(this.zoom * (forward ? 1.2 : 1 / 1.2), [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio]);
  }

  // Letters act here alone, while the canvas has the focus.
  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const tools = { b: "brush", e: "eraser", p: "polygon", l: "lasso", o: "ellipse", v: "move", k: "bucket" };
    const acts = { f: "holes", m: "smooth", i: "largest", "[": "smaller", "]": "larger", 0: "whole", 1: "full", "+": "closer", "-": "farther", h: "hide", t: "outline", c: "close", Escape: "cancel" };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z") return;
      this.act(event.shiftKey ? "redo" : "undo");
    } else if (moves[key]) {
      this.cursor = this.cursor.map((c, i) => Math.min([this.mask.width, this.mask.height][i] - 1, Math.max(0, c + moves[key][i] * (event.shiftKey ? 10 : 1))));
      this.draw();
    } else if (key === "Enter") this.place(this.cursor, event.shiftKey);
    else if (key === " ") this.panning = true;
    else if (key === "g") this.act(event.shiftKey ? "shrink" : "grow");
    else if (tools[key]) this.choose(tools[key]);
    else if (acts[key]) this.act(acts[key]);
    else return;
    event.preventDefault();
  }

  // The layer of the mask is made anew where it changed.
  paint([ax, ay] = [0, 0], [bx, by] = [this.mask.width - 1, this.mask.height - 1]) {
    const edge = this.last ? this.size + 1 : 0, { width, height } = this.mask;
    const x1 = Math.max(0, Math.min(ax, bx) - edge), y1 = Math.max(0, Math.min(ay, by) - edge);
    const x2 = Math.min(width - 1, Math.max(ax, bx) + edge), y2 = Math.min(height - 1, Math.max(ay, by) + edge);
    if (x2 < x1 || y2 < y1) return this.draw();
    const part = new ImageData(x2 - x1 + 1, y2 - y1 + 1);
    for (let y = y1, i = 0; y <= y2; y++)
      for (let x = x1; x <= x2; x++, i += 4) {
        if (!this.mask.data[y * width + x]) continue;
        const border = !(this.mask.at(x - 1, y) && this.mask.at(x + 1, y) && this.mask.at(x, y - 1) && this.mask.at(x, y + 1));
        part.data.set([...colour, border ? 255 : this.filled ? 90 : 0], i);
      }
    this.layer.getContext("2d").putImageData(part, x1, y1);
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.render(); });
  }

  render() {
    const { context: c, canvas, zoom, mask } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = "#5f5f5f";
    c.fillRect(0, 0, canvas.width, canvas.height);
    c.setTransform(zoom, 0, 0, zoom, ...this.pan);
    c.imageSmoothingEnabled = false;
    c.fillStyle = "#000";
    c.fillRect(0, 0, mask.width, mask.height);
    if (this.image) c.drawImage(this.image, 0, 0, mask.width, mask.height);
    if (this.shown) c.drawImage(this.layer, 0, 0);
    this.outlines(c);
  }

  outlines(c) {
    const thin = 1 / this.zoom;
    for (const [style, width] of [["#000", 3 * thin], ["#fff", thin]]) {
      c.strokeStyle = style;
      c.lineWidth = width;
      c.beginPath();
      if (this.tool === "ellipse" && this.points.length) {
        const [[ax, ay], [bx, by]] = [this.points[0], this.cursor];
        c.ellipse((ax + bx + 1) / 2, (ay + by + 1) / 2, (Math.abs(bx - ax) + 1) / 2, (Math.abs(by - ay) + 1) / 2, 0, 0, 2 * Math.PI);
      } else {
        this.points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x + 0.5, y + 0.5));
        if (this.points.length && this.tool !== "lasso") c.lineTo(this.cursor[0] + 0.5, this.cursor[1] + 0.5);
      }
      const [x, y] = this.cursor;
      if (this.tool === "brush" || this.tool === "eraser") {
        const shift = this.size % 2 ? 0.5 : 0;
        c.moveTo(x + shift + this.size / 2, y + shift);
        c.arc(x + shift, y + shift, this.size / 2, 0, 2 * Math.PI);
      } else for (const [i, j] of [[1, 0], [0, 1]]) { c.moveTo(x + 0.5 - i * 6 * thin, y + 0.5 - j * 6 * thin); c.lineTo(x + 0.5 + i * 6 * thin, y + 0.5 + j * 6 * thin); }
      c.stroke();
    }
  }

  tell(text) {
    const line = this.box.querySelector("[role=status]");
    if (line) line.textContent = text;
  }
}
