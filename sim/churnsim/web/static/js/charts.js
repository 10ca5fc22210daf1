// Lines over time: the run as far as it has been seen, the other future as a ghost, moves as flags, names at the ends.

import { both, kindOf, measureName, moneyUnit, number, percent, periods, shown, symbolOf, tickAxis, tickLabel, w } from "./texts.js";
import { colorOf, css, DASHES } from "./palette.js";
import { h, replace, saveCsv } from "./dom.js";

const WHOLES = ["share", "customers"]; // measures of which the firms have parts
const DIGIT = 7; // pixels that a digit of an axis takes
const ROOM = 14; // beside the last tick, for half of its number
const PAIR = 2; // names that find room over the lines; more of them would cover these
const NAME_PART = [0.45, 0.3]; // of a chart's width that a name may take: of few firms over the lines, of more beside them
const uPlot = () => window.uPlot;

export class LineChart {
  // `onNamed` hears of every change in whether the names stand at the ends of the lines.
  constructor(holder, { measure, onMeasure, onSeek, onNamed }) {
    Object.assign(this, { measure, onSeek, onNamed });
    this.plotted = h("div", { class: "plot", role: "img" });
    this.says = h("p", { class: "says", "aria-live": "off" });
    this.choice = h("select", { class: "title-choice", "aria-label": w("chart.measure"), onchange: () => {
      this.measure = this.choice.value;
      onMeasure();
      this.rebuild();
    } });
    this.rows = h("div", { class: "table-holder" });
    this.twin = h("details", { class: "twin", ontoggle: () => this.fillTable() }, h("summary", {}, w("chart.table")), this.rows);
    holder.append(h("div", { class: "chart-head" }, this.choice, this.says), this.plotted, this.twin);
    new ResizeObserver(() => this.fit()).observe(this.plotted);
  }

  // The measures that can be chosen; one that is not known any more gives way to the first that is left.
  offer(measures) {
    if (this.offered?.join() === measures.join()) return;
    this.offered = measures;
    if (!measures.includes(this.measure)) this.measure = measures[0];
    replace(this.choice, measures.map((name) => h("option", { value: name, selected: name === this.measure }, measureName(name))));
  }

  show(run, { ghost = null, moves = [], time = 0, seen = 0 } = {}) {
    const fresh = this.run !== run || this.ghost !== ghost || this.moves !== moves;
    Object.assign(this, { run, ghost, moves, time, seen });
    if (fresh || !this.chart) this.rebuild();
    else this.refresh();
  }

  turn(measure) {
    if (measure === this.measure) return;
    this.measure = this.choice.value = measure;
    this.rebuild();
  }

  data() {
    const ticks = Array.from({ length: this.run.horizon + 1 }, (_, tick) => tick);
    const own = this.run.series(this.measure).map((column) => ticks.map((tick) => (tick <= this.seen ? column[tick] ?? null : null)));
    const past = this.ghost ? this.ghost.series(this.measure).map((column) => ticks.map((tick) => column[tick] ?? null)) : [];
    return [ticks, ...past, ...own];
  }

  limits() {
    const kind = kindOf(this.measure);
    let [low, high] = [Infinity, -Infinity];
    for (const run of [this.run, this.ghost]) {
      for (const column of run?.series(this.measure) ?? []) {
        for (const value of column) {
          if (value === null) continue;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
    if (low > high) return [0, 1];
    if (this.measure === "share") return [0, Math.min(1, Math.max(0.5, Math.ceil(high * 10 + 0.5) / 10))];
    if (kind === "index") return [0, 1];
    if (kind === "rate" || kind === "count") return [0, high * 1.08 || 1];
    if (kind === "total") return low === 0 && high === 0 ? [0, 1] : [Math.min(0, low * 1.08), Math.max(0, high * 1.08)];
    const room = (high - low) * 0.1 || Math.abs(high) * 0.1 || 1;
    return [low - room, high + room];
  }

  unit() {
    const [low, high] = this.range;
    return moneyUnit(Math.max(Math.abs(low), Math.abs(high)));
  }

  // The numbers of an axis, with as many digits as it takes to say what they are, and no more.
  axisTexts(values) {
    const kind = kindOf(this.measure);
    const [size] = kind === "rate" ? [0.01] : kind === "total" ? this.unit() : [1];
    const scaled = values.map((value) => value / size);
    const digits = [0, 1, 2].find((some) => scaled.every((value) => Math.abs(value - Number(value.toFixed(some))) < 1e-6)) ?? 3;
    return scaled.map((value, k) => (kind === "rate" ? percent(values[k], digits) : number(value, digits)));
  }

  rebuild() {
    if (!this.run || !this.plotted.clientWidth) return;
    this.chart?.destroy();
    this.range = this.limits();
    this.named = this.haveRoom();
    this.onNamed?.();
    const faint = css("--grid");
    const ink = css("--muted");
    const line = (firm, past) => ({
      label: both(this.run.firms[firm].name),
      stroke: past ? `${colorOf(firm)}66` : colorOf(firm),
      width: past ? 1.25 : 2.5,
      dash: DASHES[firm % DASHES.length],
      points: { show: false },
    });
    const firms = this.run.firms.map((_, firm) => firm);
    const axis = { stroke: ink, font: `12px ${css("--font")}`, grid: { stroke: faint, width: 1 }, ticks: { show: false } };
    const Chart = uPlot();
    this.chart = new Chart({
      width: this.plotted.clientWidth,
      height: this.height(),
      padding: [10, this.room(), 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: [0, this.run.horizon] }, y: { range: () => this.range } },
      axes: [
        { ...axis, size: 24, gap: 4, space: 34, incrs: periods(this.run.head.tick), values: (_, splits) => splits.map((value) => number(value)) },
        { ...axis, size: (_, texts) => Math.max(46, 14 + DIGIT * Math.max(...(texts ?? []).map((text) => text.length), 0)), gap: 6, space: 26, values: (_, splits) => this.axisTexts(splits) },
      ],
      series: [{}, ...(this.ghost ? firms.map((firm) => line(firm, true)) : []), ...firms.map((firm) => line(firm, false))],
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
      hooks: { draw: [(chart) => this.marks(chart)], setCursor: [(chart) => this.point(chart)] },
    }, this.data(), this.plotted);
    this.chart.over.addEventListener("click", () => {
      if (this.chart.cursor.idx !== null && this.chart.cursor.idx !== undefined) this.onSeek?.(this.chart.cursor.idx);
    });
    if (this.twin.open) this.fillTable();
    this.describe();
  }

  widest() {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `600 12px ${css("--font")}`;
    return Math.max(...this.run.firms.map((firm) => pen.measureText(both(firm.name)).width));
  }

  // Whether every firm's whole name has room at the end of its line.
  haveRoom() {
    return this.widest() <= NAME_PART[Number(this.run.firms.length > PAIR)] * this.plotted.clientWidth;
  }

  // Beside the last tick.
  room() {
    return this.named && this.run.firms.length > PAIR ? 10 + Math.max(ROOM, this.widest()) : ROOM;
  }

  height() {
    return this.plotted.clientHeight > 60 ? this.plotted.clientHeight : 170;
  }

  refresh() {
    const range = this.limits();
    if (range.some((value, end) => value !== this.range[end])) this.range = range;
    this.chart.setData(this.data());
    this.describe();
  }

  at(time) {
    this.time = time;
    this.chart?.redraw(false, false);
  }

  fit() {
    if (!this.chart || this.named !== this.haveRoom()) this.rebuild();
    else this.chart.setSize({ width: this.plotted.clientWidth, height: this.height() });
  }

  // Flags of moves, the present, and the firms' names at the ends of their lines.
  marks(chart) {
    const { ctx, bbox } = chart;
    const ratio = pixelRatio();
    const x = (tick) => Math.round(chart.valToPos(tick, "x", true)) + 0.5;
    ctx.save();
    ctx.lineWidth = ratio;
    for (const tick of new Set(this.moves.map((move) => move.tick))) {
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.strokeStyle = css("--muted");
      ctx.beginPath();
      ctx.moveTo(x(tick), bbox.top);
      ctx.lineTo(x(tick), bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = css("--muted");
      ctx.beginPath();
      ctx.moveTo(x(tick), bbox.top - 1);
      ctx.lineTo(x(tick) + 7 * ratio, bbox.top + 3 * ratio);
      ctx.lineTo(x(tick), bbox.top + 7 * ratio);
      ctx.fill();
    }
    ctx.setLineDash([5 * ratio, 3 * ratio]);
    ctx.strokeStyle = css("--ink");
    ctx.beginPath();
    ctx.moveTo(x(this.time), bbox.top);
    ctx.lineTo(x(this.time), bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    if (this.range[0] < 0) {
      const zero = Math.round(chart.valToPos(0, "y", true)) + 0.5;
      ctx.strokeStyle = css("--muted");
      ctx.beginPath();
      ctx.moveTo(bbox.left, zero);
      ctx.lineTo(bbox.left + bbox.width, zero);
      ctx.stroke();
    }
    if (this.named) this.ends(chart, ctx, ratio);
    ctx.restore();
  }

  ends(chart, ctx, ratio) {
    const ends = this.run.series(this.measure).map((column, firm) => {
      let tick = Math.min(this.seen, column.length - 1);
      while (tick > 0 && column[tick] === null) tick -= 1;
      return { firm, tick, value: column[tick] };
    }).filter((end) => end.value !== null && end.value !== undefined);
    ctx.font = `600 ${12 * ratio}px ${css("--font")}`;
    const edge = chart.bbox.left + chart.bbox.width + (this.room() - 2) * ratio;
    for (const end of ends) {
      end.name = both(this.run.firms[end.firm].name);
      end.size = ctx.measureText(end.name).width;
      end.x = chart.valToPos(end.tick, "x", true) + 6 * ratio;
      end.y = chart.valToPos(end.value, "y", true);
    }
    // Behind the end of its line while there is room, else above the upper lines and beneath the lower ones.
    ends.sort((a, b) => a.y - b.y);
    const gap = 14 * ratio;
    if (ends.some((end) => end.x + end.size > edge)) {
      ends.forEach((end, k) => {
        end.x = edge - end.size;
        end.y += (k < ends.length / 2 ? -0.8 : 0.8) * gap;
      });
    }
    const [top, bottom] = [chart.bbox.top, chart.bbox.top + chart.bbox.height - gap / 2];
    ends.forEach((end, k) => {
      end.y = Math.max(end.y, k ? ends[k - 1].y + gap : top + gap / 2);
    });
    for (let k = ends.length - 1, least = bottom; k >= 0; least = ends[k].y - gap, k -= 1) ends[k].y = Math.min(ends[k].y, least);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.lineJoin = "round";
    for (const end of ends) {
      ctx.lineWidth = 4 * ratio;
      ctx.strokeStyle = css("--card");
      ctx.strokeText(end.name, end.x, end.y);
      ctx.fillStyle = css(`--firm-text-${end.firm}`) || colorOf(end.firm);
      ctx.fillText(end.name, end.x, end.y);
    }
  }

  point(chart) {
    const tick = chart.cursor.idx;
    if (tick === null || tick === undefined || chart.cursor.left < 0) {
      this.describe();
      return;
    }
    replace(this.says, this.values(tick));
  }

  values(tick) {
    const head = this.run.head;
    const parts = this.run.firms.map((firm, place) => `${both(firm.name)} ${shown(this.measure, this.run.value(this.measure, place, tick), head.currency)}`);
    const rest = WHOLES.includes(this.measure) ? this.run.outside(this.measure, tick) : null;
    if (rest !== null) parts.push(`${w("mood.outside")} ${shown(this.measure, rest, head.currency)}`);
    return `${tickLabel(head.tick, tick)}${w("colon")}${parts.join(w("list_gap"))}`;
  }

  describe() {
    const kind = kindOf(this.measure);
    const unit = kind === "total" ? `${symbolOf(this.run.head.currency)} ${this.unit()[1]}`.trim() : null;
    replace(this.says, [unit, tickAxis(this.run.head.tick)].filter(Boolean).join(w("list_gap")));
    const alt = w("chart.alt", { measure: measureName(this.measure), values: this.values(Math.min(this.seen, this.run.last)) });
    this.plotted.setAttribute("aria-label", alt);
  }

  table() {
    const head = [w("chart.tick"), ...this.run.firms.map((firm) => both(firm.name))];
    const rows = [];
    for (let tick = 0; tick <= Math.min(this.seen, this.run.last); tick += 1) {
      rows.push([tick, ...this.run.firms.map((_, firm) => this.run.value(this.measure, firm, tick))]);
    }
    return [head, rows];
  }

  fillTable() {
    if (!this.twin.open || !this.run) return;
    const [head, rows] = this.table();
    const currency = this.run.head.currency;
    replace(this.rows,
      h("button", { type: "button", class: "quiet", onclick: () => saveCsv(`${this.measure}.csv`, [head, ...rows]) }, w("csv")),
      h("table", { class: "data" },
        h("caption", { class: "visually-hidden" }, measureName(this.measure)),
        h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, cell)))),
        h("tbody", {}, rows.map(([tick, ...values]) => h("tr", {}, h("th", { scope: "row" }, tick), values.map((value) => h("td", {}, shown(this.measure, value, currency))))))));
  }
}

function pixelRatio() {
  return window.devicePixelRatio || 1;
}
