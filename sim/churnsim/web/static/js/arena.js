// The arena: a fixed sample of customers around the firms they are with. Place, colour and shape say with whom;
// solid, light or hollow says how content. Whoever moves glides over and wears a ring for a moment.

import { colorOf, css, isStill, SHAPES, trace } from "./palette.js";
import { PROVIDER } from "./seats.js";

const GOLDEN = Math.PI * (3 - Math.sqrt(5));
const DISSATISFIED = 2;
const EVEN = 1;
const NEWCOMER = 64;
const OUTSIDE = 0;
const TITLE = 34;
const NAMED = 138; // width of a crowd whose name stands above it
const LEAST_STRIP = 58; // below the firms: a name, and a row of dots
const FLATTEST = 1.35; // of a crowd, where there is more room beside it than above: its width by a circle's

const eased = (x) => (x < 0.5 ? 4 * x * x * x : 1 - (-2 * x + 2) ** 3 / 2);

export class Arena {
  constructor(canvas, { onPick } = {}) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onPick = onPick;
    this.run = null;
    this.time = 0;
    this.picked = null;
    this.sprites = new Map();
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const dot = this.near(event.clientX - box.left, event.clientY - box.top);
      if (dot !== null) this.onPick?.(dot);
    });
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      canvas.style.cursor = this.near(event.clientX - box.left, event.clientY - box.top) === null ? "default" : "pointer";
    });
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  show(run) {
    this.run = run;
    if (this.ratio) {
      this.sprites.clear();
      this.arrange();
      this.draw(this.time);
    } else this.resize();
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ratio = ratio;
    this.sprites.clear();
    this.arrange();
    this.draw(this.time);
  }

  repaint() {
    this.sprites.clear();
    this.draw(this.time);
  }

  // Where the clusters are, and how far apart the seats: as far as the fullest cluster allows.
  arrange() {
    if (!this.run) return;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    const firms = this.run.firms.length;
    const most = Math.max(...this.run.most.slice(1), 12);
    const outside = Math.max(this.run.most[0], 12);
    // In one row or two, with as much room for those outside as makes the closest seats the widest.
    let best = null;
    const fitting = [1, 2, 3].filter((rows) => rows <= firms && width / Math.ceil(firms / rows) >= NAMED);
    for (const rows of fitting.length ? fitting : [Math.min(3, firms)]) {
      for (let strip = LEAST_STRIP; strip <= Math.max(LEAST_STRIP, height * 0.36); strip += 8) {
        const cell = { width: width / Math.ceil(firms / rows), height: (height - strip) / rows };
        const [across, up] = [cell.width / 2 - 6, Math.max(4, (cell.height - TITLE) / 2 - 6)];
        const wide = Math.min(FLATTEST, Math.max(1, Math.sqrt(across / up)));
        const inner = Math.min(Math.min(across / wide, up * wide) / Math.sqrt(most), 11);
        const outer = Math.sqrt((width * 0.46 * (strip - TITLE) * 0.46) / outside);
        const worst = Math.min(inner, outer);
        if (!best || worst > best.worst) best = { rows, strip, cell, wide, inner, outer, worst };
      }
    }
    const { rows, strip, cell, wide } = best;
    const perRow = Math.ceil(firms / rows);
    this.centres = [{ x: width / 2, y: height - (strip - TITLE) * 0.5, wide: Math.sqrt((width * 0.46) / ((strip - TITLE) * 0.46)) }];
    for (let firm = 0; firm < firms; firm += 1) {
      const row = Math.floor(firm / perRow);
      const inRow = Math.min(perRow, firms - row * perRow);
      this.centres.push({
        x: (width / inRow) * ((firm % perRow) + 0.5),
        y: cell.height * row + TITLE + (cell.height - TITLE) / 2,
        wide,
      });
    }
    this.spacing = best.inner;
    this.outer = Math.min(best.outer, this.spacing);
    this.arranged = this.run;
    const size = Math.max(1.6, this.spacing * 0.62);
    if (size !== this.size) this.sprites.clear();
    this.size = size;
  }

  // Where the names stand: above the fullest cluster of the row, so that they are level.
  titles() {
    const half = (cluster) => ((cluster ? this.spacing : this.outer) * Math.sqrt(this.run.most[cluster])) / this.centres[cluster].wide;
    const tallest = Math.max(...this.run.firms.map((_, firm) => half(firm + 1)));
    return this.centres.map((centre, cluster) => ({ x: centre.x, y: Math.max(2, centre.y - (cluster ? tallest : half(0)) - TITLE + 4) }));
  }

  place(cluster, seat) {
    const centre = this.centres[cluster];
    const far = (cluster ? this.spacing : this.outer) * Math.sqrt(seat + 0.5);
    const angle = seat * GOLDEN;
    return [centre.x + Math.cos(angle) * far * centre.wide, centre.y + (Math.sin(angle) * far) / centre.wide];
  }

  sprite(state) {
    const key = state & 63;
    if (this.sprites.has(key)) return this.sprites.get(key);
    const cluster = state & PROVIDER;
    const mood = (state >> 4) & 3;
    const color = cluster === OUTSIDE ? css("--outside") : colorOf(cluster - 1);
    const box = Math.ceil(this.size * 2 + 4);
    const sprite = document.createElement("canvas");
    sprite.width = sprite.height = Math.ceil(box * this.ratio);
    const pen = sprite.getContext("2d");
    pen.scale(this.ratio, this.ratio);
    pen.beginPath();
    const shape = cluster === OUTSIDE ? "circle" : SHAPES[(cluster - 1) % SHAPES.length];
    const hollow = mood === DISSATISFIED && cluster !== OUTSIDE;
    const full = cluster === OUTSIDE ? Math.min(this.size, Math.max(1.4, this.outer * 0.6)) : this.size;
    trace(pen, shape, box / 2, box / 2, full - (hollow ? 0.7 : 0.3));
    if (cluster === OUTSIDE) {
      pen.globalAlpha = 0.55;
      pen.fillStyle = color;
      pen.fill();
    } else if (hollow) {
      pen.lineWidth = Math.max(1.1, this.size * 0.3);
      pen.strokeStyle = color;
      pen.stroke();
    } else {
      pen.globalAlpha = mood === EVEN ? 0.46 : 1;
      pen.fillStyle = color;
      pen.fill();
    }
    this.sprites.set(key, { sprite, box });
    return this.sprites.get(key);
  }

  // Draw the run at a time between two ticks.
  draw(time) {
    this.time = time;
    const { run, context } = this;
    if (!run || !run.frames.length || !this.ratio) return;
    if (run.most.some((count, cluster) => count > (this.seen?.[cluster] ?? 0)) || this.arranged !== run) {
      this.seen = [...run.most];
      this.arrange();
    }
    const tick = Math.min(Math.floor(time), run.last);
    const now = run.frames[tick];
    const next = run.frames[Math.min(tick + 1, run.last)];
    const part = isStill() ? 0 : eased(Math.min(1, Math.max(0, time - tick)));
    context.clearRect(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    this.spots = [];
    const movers = [];
    for (let dot = 0; dot < now.states.length; dot += 1) {
      const from = now.states[dot];
      const to = next.states[dot];
      let [x, y] = this.place(from & PROVIDER, now.seats[dot]);
      let alpha = 1;
      if (part > 0 && (from & PROVIDER) === (to & PROVIDER) && now.seats[dot] === next.seats[dot]) {
        if (to & NEWCOMER) alpha = Math.abs(1 - 2 * part);
      } else if (part > 0) {
        const [tx, ty] = this.place(to & PROVIDER, next.seats[dot]);
        x += (tx - x) * part;
        y += (ty - y) * part;
        if ((from & PROVIDER) !== (to & PROVIDER)) {
          movers.push([dot, x, y, part < 0.5 ? from : to]);
          this.spots.push([dot, x, y]);
          continue;
        }
      }
      this.spots.push([dot, x, y]);
      this.stamp(part < 0.5 ? from : to, x, y, alpha);
    }
    for (const [, x, y, state] of movers) {
      this.stamp(state, x, y, 1);
      this.ring(x, y, this.size + 2, css("--ink"), 0.75 * (1 - Math.abs(2 * part - 1)), 1);
    }
    if (this.picked !== null && this.picked !== undefined) {
      const spot = this.spots.find(([dot]) => dot === this.picked);
      if (spot) this.ring(spot[1], spot[2], this.size + 4, css("--focus"), 1, 2.5);
    }
  }

  stamp(state, x, y, alpha) {
    const { sprite, box } = this.sprite(state);
    this.context.globalAlpha = alpha;
    this.context.drawImage(sprite, x - box / 2, y - box / 2, box, box);
    this.context.globalAlpha = 1;
  }

  ring(x, y, radius, color, alpha, width) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
    context.globalAlpha = 1;
  }

  near(x, y) {
    let best = null;
    let least = (this.size + 5) ** 2;
    for (const [dot, px, py] of this.spots ?? []) {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) {
        least = distance;
        best = dot;
      }
    }
    return best;
  }
}
