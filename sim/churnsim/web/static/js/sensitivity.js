// Which factors matter: Sobol bars with luck beside them, a tornado, the Morris plane; and parallel coordinates.

import { h, s } from "./dom.js";
import { apartIn, cividis, isNarrow, niceTicks, short, withoutZeros } from "./plots.js";
import { both, lang, number, percent, sentences, w } from "./texts.js";

// On a narrow screen a factor is named above its bars, not beside them.
const layout = () => (isNarrow() ? { width: 340, left: 30, above: 16, name: 44 } : { width: 620, left: 232, above: 0, name: 29 });
const ROW = 26;

const ratio = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

function canvas(width, height, alt) {
  return s("svg", { viewBox: `0 0 ${width} ${height}`, class: "figure", role: "img", "aria-label": alt, preserveAspectRatio: "xMidYMid meet" });
}

function ruler(svg, scale, ticks, top, bottom, format) {
  const told = withoutZeros(ticks.map(apartIn(ticks, format)));
  for (const [k, value] of ticks.entries()) svg.append(s("line", { x1: scale(value), x2: scale(value), y1: top, y2: bottom, class: value === 0 ? "zero" : "grid" }), s("text", { x: scale(value), y: bottom + 16, class: "axis middle" }, told[k]));
}

// rows: {factor, index, value, low, high, inert}, S1 and ST per factor; luck: [share, low, high] of a single run.
export function sobolBars({ rows, luck, name, alt }) {
  const { width, left, above, name: most_ } = layout();
  const factors = [...new Set(rows.map((row) => row.factor))];
  const lines = factors.length + (luck ? 1 : 0);
  const row_ = ROW + 8 + above;
  const height = lines * row_ + 40 + (luck ? 10 : 0);
  const named = (words, y, strong) => (above ? s("text", { x: 2, y: y + 11, class: `axis${strong}` }, short(words, most_)) : s("text", { x: left - 10, y: y + 17, class: `axis end${strong}` }, short(words, most_), s("title", {}, words)));
  const svg = canvas(width, height, alt);
  const most = Math.max(1e-9, ...rows.map((row) => row.high ?? row.value), luck ? (luck[2] ?? luck[0]) : 0);
  const least = Math.max(-0.5, Math.min(0, ...rows.map((row) => row.low ?? row.value)));
  const end = Math.min(most, 1.5);
  const x = ratio(least, end, left, width - 66);
  ruler(svg, x, niceTicks(least, end, above ? 4 : 5), 4, height - 26, (value) => percent(value));
  const bar = (value, low, high, y, size, kind, words) => {
    const [a, b] = [x(Math.min(0, value)), x(Math.max(0, value))];
    svg.append(s("rect", { x: a, y, width: Math.max(1, b - a), height: size, rx: 1.5, class: kind }, s("title", {}, words)));
    if (low !== null && low !== undefined && high !== null && high !== undefined) svg.append(s("line", { x1: x(Math.max(low, least)), x2: x(Math.min(high, end)), y1: y + size / 2, y2: y + size / 2, class: "whisker" }));
  };
  factors.forEach((factor, k) => {
    const y = 8 + k * row_ + above;
    const mine = rows.filter((row) => row.factor === factor);
    const inert = mine.some((row) => row.inert);
    const total = mine.find((row) => row.index === "ST") ?? mine[0];
    const first = mine.find((row) => row.index === "S1");
    svg.append(named(name(factor), y - above, inert ? "" : " strong"));
    const words = `${name(factor)}${w("colon")}ST ${percent(total.value, 1)}${inert ? w("in_brackets", { text: w("sense.inert") }) : ""}`;
    bar(total.value, total.low, total.high, y, 12, `total-index${inert ? " inert" : ""}`, words);
    if (first) bar(first.value, first.low, first.high, y + 14, 8, `first-index${inert ? " inert" : ""}`, `${name(factor)}${w("colon")}S1 ${percent(first.value, 1)}`);
    svg.append(s("text", { x: width - 4, y: y + 15, class: "axis end" }, percent(total.value, total.value < 0.0995 ? 1 : 0)));
  });
  if (luck) {
    const y = 18 + factors.length * row_ + above;
    svg.append(s("line", { x1: 0, x2: width, y1: y - 7 - above, y2: y - 7 - above, class: "split" }), named(w("sense.luck"), y - above - 2, " strong"));
    bar(luck[0], luck[1], luck[2], y + 2, 14, "luck", `${w("sense.luck")}${w("colon")}${percent(luck[0], 1)}`);
    svg.append(s("text", { x: width - 4, y: y + 14, class: "axis end" }, percent(luck[0], 0)));
  }
  return svg;
}

// rows: {factor, at_low, at_high, end_low, end_high, mean, swing, low, high, inert}.
export function tornado({ rows, name, format, text, alt }) {
  const { width, left, above, name: most } = layout();
  const row_ = ROW + above;
  const height = rows.length * row_ + 40;
  const svg = canvas(width, height, alt);
  const ends = rows.flatMap((row) => [row.at_low, row.at_high]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = (high - low) * 0.16 || 1;
  const x = ratio(low - room, high + room, left, width - 34);
  ruler(svg, x, niceTicks(low - room, high + room, above ? 3 : 4), 4, height - 26, format);
  const centre = rows[0].mean;
  svg.append(s("line", { x1: x(centre), x2: x(centre), y1: 2, y2: height - 24, class: "whisker" }));
  rows.forEach((row, k) => {
    const y = 6 + k * row_ + above;
    const words = `${name(row.factor)}${w("colon")}${text(row.end_low, row.factor)} → ${format(row.at_low)}, ${text(row.end_high, row.factor)} → ${format(row.at_high)}${row.inert ? w("in_brackets", { text: w("sense.inert") }) : ""}`;
    const strong = row.inert ? "" : " strong";
    svg.append(above ? s("text", { x: 2, y: y - 1, class: `axis halo${strong}` }, short(name(row.factor), most)) : s("text", { x: left - 10, y: y + 16, class: `axis end${strong}` }, short(name(row.factor), most), s("title", {}, name(row.factor))));
    for (const [value, end, kind] of [[row.at_low, row.end_low, "low-end"], [row.at_high, row.end_high, "high-end"]]) {
      svg.append(s("rect", { x: Math.min(x(value), x(centre)), y: y + 3, width: Math.max(1, Math.abs(x(value) - x(centre))), height: ROW - 8, rx: 1.5, class: `${kind}${row.inert ? " inert" : ""}` }, s("title", {}, words)));
      // Where both ends lie on one side, only the outer one has room for its value.
      const other = kind === "low-end" ? row.at_high : row.at_low;
      const hidden = (value - centre) * (other - centre) > 0 && Math.abs(other - centre) >= Math.abs(value - centre);
      if (!hidden && Math.abs(x(value) - x(centre)) > 2) svg.append(s("text", { x: x(value) + (value < centre ? -4 : 4), y: y + 16, class: `axis${value < centre ? " end" : ""}` }, short(text(end, row.factor), 12)));
    }
  });
  return svg;
}

// rows: {factor, mu_star, low, high, sigma, noise_floor, inert}: how much, and how unevenly.
export function morrisPlane({ rows, name, format, alt }) {
  const { width, above } = layout();
  const height = above ? 300 : 380;
  const svg = canvas(width, height, alt);
  const most = Math.max(...rows.map((row) => row.high ?? row.mu_star), 1e-12) * 1.06;
  const tall = Math.max(...rows.map((row) => row.sigma), 1e-12) * 1.12;
  const [left, right, top, bottom] = [74, width - 20, 24, height - 48];
  const x = ratio(0, most, left, right);
  const y = ratio(0, tall, bottom, top);
  ruler(svg, x, niceTicks(0, most, above ? 3 : 5), top, bottom, format);
  for (const value of niceTicks(0, tall)) svg.append(s("line", { x1: left, x2: right, y1: y(value), y2: y(value), class: value === 0 ? "zero" : "grid" }), s("text", { x: left - 8, y: y(value) + 4, class: "axis end" }, format(value)));
  const floor = Math.max(...rows.map((row) => row.noise_floor ?? 0));
  if (floor > 0) svg.append(s("line", { x1: x(floor), x2: x(floor), y1: top, y2: bottom, class: "floor" }), s("text", { x: x(floor), y: top - 8, class: "axis" }, w("sense.floor")));
  const taken = [];
  rows.forEach((row) => {
    const [px, py] = [x(row.mu_star), y(row.sigma)];
    const words = `${name(row.factor)}${w("colon")}μ* ${format(row.mu_star)}, σ ${format(row.sigma)}${row.inert ? w("in_brackets", { text: w("sense.inert") }) : ""}`;
    if (row.low !== null && row.high !== null) svg.append(s("line", { x1: x(row.low), x2: x(row.high), y1: py, y2: py, class: "whisker" }));
    svg.append(s("circle", { cx: px, cy: py, r: 5.5, class: `dot-factor${row.inert ? " inert" : ""}` }, s("title", {}, words)));
    if (row.inert) return;
    const label = short(name(row.factor), above ? 20 : 26);
    const right_ = px < (left + right) / 2;
    let at = py - 9;
    while (taken.some(([tx, ty]) => Math.abs(ty - at) < 13 && Math.abs(tx - px) < 190)) at -= 13;
    taken.push([px, at]);
    svg.append(s("text", { x: px + (right_ ? 6 : -6), y: Math.max(top + 10, at), class: `axis strong${right_ ? "" : " end"}` }, label));
  });
  svg.append(s("text", { x: (left + right) / 2, y: height - 8, class: "axis middle strong" }, w("sense.mu_star")), s("text", { x: 14, y: (top + bottom) / 2, class: "axis middle strong", transform: `rotate(-90 14 ${(top + bottom) / 2})` }, w("sense.sigma")));
  return svg;
}

// Which runs it is worked out from: of one arm, and of a design's independent points only where the method wants that.
function counted({ runs, of }, arm) {
  const part = runs < of ? w("sense.runs_part", { runs: number(runs), of: number(of) }) : w("sense.runs", { runs: number(runs) });
  return arm ? w("sense.runs_arm", { runs: part, arm }) : part;
}

// A method's card: its picture, its notes, and the same numbers as a table.
export function methodCard(found, { name, format, text, outcome, arm = null }) {
  if (found.problem) return h("section", { class: "card" }, h("h2", {}, w(`sense.title.${found.method}`)), h("p", { class: "hint" }, both(found.problem)));
  const alt = `${w(`sense.title.${found.method}`)} ${outcome}${w("colon")}${found.rows.slice(0, 3).map((row) => name(row.factor)).filter((one, k, all) => all.indexOf(one) === k).join(w("list_gap"))}`;
  const options = { rows: found.rows, luck: found.noise, name, format, text, alt };
  const picture = { sobol: sobolBars, swings: tornado, morris: morrisPlane }[found.method](options);
  const columns = Object.keys(found.rows[0]).filter((key) => !["factor", "inert"].includes(key));
  const cell = (key, value, row) => (value === null ? "–" : key.startsWith("end_") ? text(value, row.factor) : typeof value === "number" ? (found.method === "sobol" ? number(value, 3) : format(value)) : String(value));
  return h("section", { class: "card sense" }, h("h2", {}, w(`sense.title.${found.method}`)), picture,
    h("p", { class: "hint" }, sentences(counted(found, arm), w(`sense.hint.${found.method}`, { confidence: percent(found.confidence) }))),
    found.notes[lang()].map((note) => h("p", { class: "hint" }, note)),
    h("details", { class: "twin" }, h("summary", {}, w("chart.table")), h("div", {}, h("table", { class: "data" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, w("sense.factor")), columns.map((key) => h("th", { scope: "col" }, w(`sense.column.${key}`))))),
      h("tbody", {}, found.rows.map((row) => h("tr", {}, h("th", { scope: "row" }, name(row.factor), row.inert ? h("small", {}, ` ${w("sense.inert")}`) : null), columns.map((key) => h("td", {}, cell(key, row[key], row))))))))));
}

const MOST_LINES = 600;
const MOST_MARKS = 6; // kinds that are all named on an axis

// axes: [{name, values, levels}]: one line per design row; a band drawn on an axis picks the lines that pass through it.
// Axes stand side by side; on a narrow screen they lie one below the other, so that all of them are in sight.
export class Parallel {
  constructor({ axes, onPicked, alt }) {
    Object.assign(this, { axes, onPicked });
    this.bands = axes.map(() => null);
    this.lying = isNarrow();
    const apart_ = Math.max(1, axes.length - 1);
    [this.width, this.height] = this.lying ? [340, 44 + apart_ * 76 + 26] : [1120, 340];
    [this.from, this.to] = this.lying ? [16, this.width - 16] : [this.height - 26, 52];
    this.at = axes.map((_, k) => (this.lying ? 30 + k * 76 : 75 + (k * (this.width - 150)) / apart_));
    this.svg = canvas(this.width, this.height, alt);
    this.svg.classList.add("parallel");
    this.says = h("p", { class: "hint strong", role: "status" });
    this.scales = axes.map((axis) => {
      if (!axis.levels) return ratio(axis.low, axis.high, this.from, this.to);
      const last = axis.levels.length - 1;
      return (value) => ratio(0, 1, this.from, this.to)(last ? axis.levels.indexOf(value) / last : 0.5);
    });
    const count = axes[0].values.length;
    const every = Math.max(1, Math.ceil(count / MOST_LINES));
    this.rows = Array.from({ length: count }, (_, row) => row).filter((row) => row % every === 0 && axes.every((axis) => axis.values[row] !== null));
    const last = axes[axes.length - 1];
    this.lines = this.rows.map((row) => {
      const part = (last.values[row] - last.low) / (last.high - last.low || 1);
      const points = axes.map((axis, k) => this.point(k, this.scales[k](axis.values[row])).map((one) => one.toFixed(1)).join(" "));
      const line = s("path", { d: `M${points.join("L")}`, fill: "none", stroke: cividis(part), "stroke-width": 1.4 });
      this.svg.append(line);
      return line;
    });
    axes.forEach((axis, k) => this.axis(axis, k));
    this.node = h("div", {}, this.svg, this.says, h("details", { class: "twin" }, h("summary", {}, w("sense.bands")), h("div", { class: "bands" }, axes.map((axis, k) => this.fields(axis, k)))));
    this.pick();
  }

  // Where a place along an axis lies in the picture.
  point(k, along) {
    return this.lying ? [along, this.at[k]] : [this.at[k], along];
  }

  axis(axis, k) {
    const at = this.at[k];
    const [low, high] = [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    const across = (size) => (this.lying ? { y: at - size / 2, height: size } : { x: at - size / 2, width: size });
    const band = s("rect", { class: "band", ...across(18), ...this.span(0, 0) });
    const hit = s("rect", { class: "axis-hit", ...across(32), ...this.span(low, high) });
    const [[x1, y1], [x2, y2]] = [this.point(k, this.from), this.point(k, this.to)];
    const room = this.lying ? 46 : axes_room(this.axes.length);
    const end = k === 0 ? "" : k === this.axes.length - 1 ? " end" : " middle";
    const name = this.lying ? { x: 2, y: at - 14, class: "axis strong halo" } : { x: k === 0 ? 2 : end === " end" ? this.width - 2 : at, y: 15 + (k % 2) * 15, class: `axis strong${end}` };
    this.svg.append(s("line", { x1, x2, y1, y2, class: "zero" }), band, hit, s("text", name, short(axis.name, room), s("title", {}, axis.name)), ...this.marks(axis, k));
    axis.band = band;
    let from = null;
    const level = (event) => {
      const rect = this.svg.getBoundingClientRect();
      const along = this.lying ? ((event.clientX - rect.left) * this.width) / rect.width : ((event.clientY - rect.top) * this.height) / rect.height;
      return Math.max(low, Math.min(high, along));
    };
    hit.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      hit.setPointerCapture(event.pointerId);
      from = level(event);
    });
    hit.addEventListener("pointermove", (event) => from !== null && this.brush(k, from, level(event)));
    hit.addEventListener("pointerup", (event) => {
      if (Math.abs(level(event) - from) < 4) this.brush(k, null);
      from = null;
    });
  }

  span(low, high) {
    return this.lying ? { x: low, width: high - low } : { y: low, height: high - low };
  }

  // The ends of an axis of numbers; of few kinds (arms, strategies) each one, where its lines meet the axis.
  marks(axis, k) {
    const levels = axis.levels && axis.levels.length <= MOST_MARKS ? axis.levels : null;
    const told = levels ?? (axis.levels ? [axis.levels[0], axis.levels[axis.levels.length - 1]] : [axis.low, axis.high]);
    return told.map((value, place) => {
      const along = this.scales[k](value);
      const [first, last] = [place === 0, place === told.length - 1];
      const text = short(axis.text(value), this.lying ? Math.floor(46 / told.length) : 18);
      if (this.lying) return s("text", { x: first && told.length > 1 ? 2 : last && told.length > 1 ? this.width - 2 : along, y: this.at[k] + 15, class: `axis halo${told.length === 1 ? " middle" : first ? "" : last ? " end" : " middle"}` }, text);
      if (first || last) return s("text", { x: this.at[k], y: along + (first ? 15 : -5), class: "axis middle" }, text);
      const right = k < this.axes.length - 1;
      return s("text", { x: this.at[k] + (right ? 6 : -6), y: along + 4, class: `axis halo${right ? "" : " end"}` }, text);
    });
  }

  // The same by keyboard: two numbers per axis.
  fields(axis, k) {
    if (axis.levels) {
      return h("label", {}, h("span", {}, axis.name), h("select", { onchange: (event) => {
        const at = event.target.value;
        this.brush(k, ...(at === "" ? [null] : [this.scales[k](axis.levels[at]) - 3, this.scales[k](axis.levels[at]) + 3]));
      } }, h("option", { value: "" }, w("sense.all")), axis.levels.map((value, place) => h("option", { value: place }, axis.text(value)))));
    }
    const ends = ["low", "high"].map((end) => h("input", { type: "number", step: "any", value: Number(axis[end].toPrecision(4)), "aria-label": `${axis.name} ${w(`sense.${end}`)}`, onchange: () => this.brush(k, this.scales[k](Number(ends[1].value)), this.scales[k](Number(ends[0].value))) }));
    return h("label", {}, h("span", {}, axis.name), h("span", { class: "ends" }, ends));
  }

  brush(k, from, to) {
    this.bands[k] = from === null ? null : [Math.min(from, to), Math.max(from, to)];
    for (const [name, size] of Object.entries(this.span(...(this.bands[k] ?? [0, 0])))) this.axes[k].band.setAttribute(name, size);
    this.pick();
  }

  pick() {
    const picked = this.rows.filter((row, at) => {
      const inside = this.bands.every((band, k) => {
        if (!band) return true;
        const along = this.scales[k](this.axes[k].values[row]);
        return along >= band[0] && along <= band[1];
      });
      this.lines[at].classList.toggle("out", !inside);
      return inside;
    });
    this.says.textContent = this.onPicked(picked, this.rows);
  }
}

const axes_room = (count) => Math.max(10, Math.floor(230 / count) * 2);
