// Figures in SVG: fans over seeds, waterfalls, heat maps, histograms. Each has a text that says what it shows.

import { h, s } from "./dom.js";
import { MINUS, timeTicks, w } from "./texts.js";

// Narrow screens get pictures of their own, in which letters stay readable and nothing is cut off.
const NARROW = 600;
export const isNarrow = () => matchMedia(`(max-width: ${NARROW}px)`).matches;
const PHONE = 340;

const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];

export function cividis(part) {
  const at = Math.max(0, Math.min(1, part)) * (CIVIDIS.length - 1);
  const low = Math.floor(at);
  const mix = (k) => Math.round(parseInt(CIVIDIS[low].slice(k, k + 2), 16) * (1 - at + low) + parseInt(CIVIDIS[Math.min(low + 1, CIVIDIS.length - 1)].slice(k, k + 2), 16) * (at - low));
  return `rgb(${mix(1)} ${mix(3)} ${mix(5)})`;
}

export function niceTicks(low, high, count = 5) {
  const span = high - low || 1;
  const size = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((k) => k * size).find((one) => span / one <= count) ?? size;
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) ticks.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return ticks;
}

// A number of an axis, without the digits that sums of steps leave behind.
export const plainNumber = (value) => String(Number(value.toPrecision(6))).replace(/^-/, MINUS);

function frame(width, height, margins, alt) {
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "figure", role: "img", "aria-label": alt, preserveAspectRatio: "xMidYMid meet" });
  return { svg, left: margins.left, right: width - margins.right, top: margins.top, bottom: height - margins.bottom };
}

const scaled = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

// Spread labels that would lie on each other; each is as high as its `lines` are many.
export function apart(labels, gap, least, most) {
  const high = (label) => gap * (label.lines?.length ?? 1);
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, k) => {
    label.y = Math.max(label.y, k ? labels[k - 1].y + high(labels[k - 1]) : least);
  });
  // From below, only those that have to give way are moved up.
  let bottom = most + gap;
  for (const label of labels.slice().reverse()) bottom = label.y = Math.min(label.y, bottom - high(label));
  return labels;
}

// How wide a text is, in halves of a square letter: letters of Chinese are square.
const isSquare = (letter) => /[\u2e80-\uffff]/.test(letter);
const wide = (text) => [...text].reduce((sum, letter) => sum + (isSquare(letter) ? 2 : 1), 0);

// A name in lines of at most so many halves; Chinese breaks anywhere but before a mark that closes and after one that
// opens, other writing between words.
export function wrapped(name, most) {
  const lines = [""];
  for (const part of name.match(/[（《\u201c]*[\u2e80-\uffff][，。、；：？！）》\u201d]*|[^\s\u2e80-\uffff]+\s*|\s+/g) ?? []) {
    const at = lines.length - 1;
    if (lines[at] && wide(lines[at] + part.trimEnd()) > most) lines.push(part);
    else lines[at] += part;
  }
  return lines.map((line) => line.trimEnd()).filter(Boolean);
}

const LABEL = 20;
const LETTER = 7.4; // pixels of half a square letter at 12 pixels, bold
const LINE = 14;

// How the values of one figure are written: where two of them would read the same, in full, without a unit's rounding.
// `format` takes a value and, for amounts of money, an amount in whose unit it is written.
export function apartIn(values, format) {
  const different = [...new Set(values.map((value) => Number(value.toPrecision(3))))];
  const same = new Set(different.map((value) => format(value))).size < different.length;
  return same ? (value) => format(value, 1) : (value) => format(value);
}

// Marks of an axis without the zeros that all of them end with: ¥50.0 k beside ¥100 k is ¥50 k.
export function withoutZeros(texts) {
  const fraction = /\.(\d+)/;
  const some = texts.filter((text) => fraction.test(text));
  if (!some.length || !some.every((text) => fraction.exec(text)[1].endsWith("0"))) return texts;
  return withoutZeros(texts.map((text) => text.replace(/(\.\d*?)0(?!\d)/, (_, kept) => (kept === "." ? "" : kept))));
}

// lines: [{name, color, dash, low, middle, high}], each an array over ticks.
// A line is named at its end; where there is no room for that, in a key below. The axis is of time where `unit` says
// what a tick is; otherwise `across` writes its values and `name` says what they are of.
export function fan({ ticks, lines, format, alt, unit = null, across = plainNumber, name = null, zero = false, width = 560, height = 250 }) {
  const narrow = isNarrow();
  const all = lines.flatMap((line) => [...line.low, ...line.high, ...line.middle]).filter((value) => value !== null);
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (zero) low = Math.min(0, low);
  const room = (high - low) * 0.06 || 1;
  if (!zero || low < 0) low -= room;
  high += room;
  const steps = niceTicks(low, high);
  const texts = withoutZeros(steps.map(apartIn(steps, format)));
  const values = steps.map((value, k) => [value, texts[k]]);
  const names = lines.map((line) => wrapped(line.name, LABEL));
  const longest = Math.max(...names.flat().map(wide));
  const margins = { left: Math.max(38, 14 + LETTER * Math.max(...values.map(([, text]) => wide(text)))), right: narrow ? 24 : 32 + longest * LETTER, top: 10, bottom: name ? 42 : 26 };
  const box = frame(narrow ? PHONE : width, narrow ? 230 : height, margins, alt);
  const x = scaled(ticks[0], ticks[ticks.length - 1], box.left, box.right);
  const y = scaled(low, high, box.bottom, box.top);
  for (const [value, text] of values) {
    box.svg.append(s("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: value === 0 ? "zero" : "grid" }), s("text", { x: box.left - 7, y: y(value) + 4, class: "axis end" }, text));
  }
  const [first, last] = [ticks[0], ticks[ticks.length - 1]];
  // A few levels that stand apart are marked themselves.
  const few = ticks.length <= (narrow ? 4 : 6) && ticks.every((tick, k) => !k || x(tick) - x(ticks[k - 1]) > 40);
  const marks = unit ? timeTicks(unit, first, last, narrow ? 5 : 9) : few ? ticks : niceTicks(first, last, narrow ? 3 : 5);
  const marked = unit ? plainNumber : apartIn(marks, across);
  for (const value of marks) box.svg.append(s("text", { x: x(value), y: box.bottom + 17, class: "axis middle" }, marked(value)));
  if (name) box.svg.append(s("text", { x: box.right, y: box.bottom + 34, class: "axis end strong" }, short(name, narrow ? 40 : 60)));
  const path = (points) => points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const known = (column) => ticks.map((tick, k) => [tick, column[k]]).filter(([, value]) => value !== null);
  for (const line of lines) {
    const upper = known(line.high).map(([tick, value]) => [x(tick), y(value)]);
    const lower = known(line.low).map(([tick, value]) => [x(tick), y(value)]).reverse();
    if (upper.length) box.svg.append(s("path", { d: `${path([...upper, ...lower])}Z`, fill: line.color, opacity: 0.14 }));
  }
  const labels = [];
  lines.forEach((line, k) => {
    const points = known(line.middle).map(([tick, value]) => [x(tick), y(value)]);
    if (!points.length) return;
    box.svg.append(s("path", { d: path(points), fill: "none", stroke: line.color, "stroke-width": 2.4, "stroke-dasharray": line.dash ?? null }));
    labels.push({ line, lines: names[k], y: points[points.length - 1][1] });
  });
  if (narrow) return h("div", {}, box.svg, key(lines));
  for (const { line, lines: words, y: at } of apart(labels, LINE, box.top + 4, box.bottom)) {
    box.svg.append(sample(line, box.right + 6, box.right + 22, at), s("text", { class: "label", fill: line.text ?? line.color }, stacked(words, box.right + 27, at + 4)));
  }
  return box.svg;
}

// Which line is which, where they are not named at their ends: its colour and its dashes.
function key(lines) {
  return h("ul", { class: "key" }, lines.map((line) => h("li", {}, s("svg", { viewBox: "0 0 26 8", class: "key-line", "aria-hidden": "true" }, sample(line, 0, 26, 4)), line.name)));
}

const sample = (line, from, to, y) => s("line", { x1: from, x2: to, y1: y, y2: y, stroke: line.color, "stroke-width": 2.6, "stroke-dasharray": line.dash ?? null });

export const short = (name, most) => {
  if (wide(name) <= most) return name;
  let kept = "";
  let sum = 0;
  for (const letter of name) {
    sum += isSquare(letter) ? 2 : 1;
    if (sum > most - 1) break;
    kept += letter;
  }
  return `${kept}…`;
};

// steps: [{name, value, total}]; totals stand on zero, others on what came before. `good` says which sign is welcome.
// On a narrow screen a step is named above its bar.
export function waterfall({ steps, format, alt, good = 1, width = 560 }) {
  const narrow = isNarrow();
  const row = narrow ? 40 : 27;
  const height = steps.length * row + 12;
  const above = narrow ? 14 : 0;
  const box = frame(narrow ? PHONE : width, height, { left: narrow ? 10 : 186, right: 84, top: 4, bottom: 4 }, alt);
  let at = 0;
  const spans = steps.map((step) => {
    const from = step.total ? 0 : at;
    at = step.total ? step.value : at + step.value;
    return [Math.min(from, at), Math.max(from, at)];
  });
  const low = Math.min(0, ...spans.map(([a]) => a));
  const high = Math.max(0, ...spans.map(([, b]) => b));
  const x = scaled(low, high, box.left, box.right);
  box.svg.append(s("line", { x1: x(0), x2: x(0), y1: 0, y2: height, class: "zero" }));
  steps.forEach((step, k) => {
    const [a, b] = spans[k];
    const y = box.top + k * row + above;
    const kind = step.total ? "total" : step.value * good >= 0 ? "good" : "bad";
    const strong = step.total ? " strong" : "";
    box.svg.append(
      narrow ? s("text", { x: 2, y: y + 1, class: `axis${strong}` }, short(step.name, 50)) : s("text", { x: box.left - 8, y: y + 17, class: `axis end${strong}` }, short(step.name, step.total ? 23 : 28), s("title", {}, step.name)),
      s("rect", { x: x(a), y: y + 5, width: Math.max(1.5, x(b) - x(a)), height: 17, rx: 2, class: `step ${kind}` }),
      s("text", { x: x(b) + 6, y: y + 17, class: "axis strong" }, (step.total || step.value <= 0 ? "" : "+") + format(step.value)));
  });
  return box.svg;
}

const NAME = 20; // halves of a letter: longer names of a map's rows are broken
const stacked = (lines, x, y) => lines.map((line, k) => s("tspan", { x, y: y + k * LINE }, line));
const CELL = { width: 112, height: 56 }; // a cell at most: four values are no reason to fill the screen

// The names of its axes stand above and below it, where they have room however small the map is.
export function heatMap({ xs, ys, cells, format, xName, yName, xText, yText, alt, onPick, width = 620, height = 400 }) {
  const narrow = isNarrow();
  const known = cells.flat().filter((cell) => cell !== null).map((cell) => cell.mean);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const told = apartIn(known, format);
  const written = LETTER * Math.max(...known.map((value) => wide(told(value))));
  const rows = ys.map((value) => wrapped(yText(value), NAME));
  const margins = { left: 16 + LETTER * Math.max(...rows.flat().map(wide)), right: 38 + written, top: 8, bottom: 26 };
  const size = [Math.min((narrow ? PHONE : width) - margins.left - margins.right, xs.length * CELL.width), Math.max(96, Math.min(height, ys.length * CELL.height))];
  // Numbers may be left out where they are close; names are all written, in as many lines as they need.
  const named = xs.some((value) => typeof value !== "number");
  const columns = xs.map((value) => (named ? wrapped(xText(value), size[0] / xs.length / LETTER - 1) : [xText(value)]));
  margins.bottom += LINE * (Math.max(...columns.map((lines) => lines.length)) - 1);
  const whole = margins.left + size[0] + margins.right;
  const box = frame(whole, margins.top + size[1] + margins.bottom, margins, alt);
  box.svg.style.setProperty("max-width", `${Math.round(1.1 * whole)}px`);
  const across = size[0] / xs.length;
  const inCell = across > written + 12 ? told : across > LETTER * Math.max(...known.map((value) => wide(format(value)))) + 6 ? (value) => format(value) : null;
  const down = size[1] / ys.length;
  ys.forEach((yValue, j) => {
    const y = box.bottom - (j + 1) * down;
    box.svg.append(s("text", { class: "axis end" }, stacked(rows[j], box.left - 8, y + down / 2 + 4 - (LINE * (rows[j].length - 1)) / 2)));
    xs.forEach((xValue, i) => {
      const cell = cells[j][i];
      if (!cell) return;
      const part = (cell.mean - low) / (high - low || 1);
      const words = `${xName} ${xText(xValue)}${w("list_gap")}${yName} ${yText(yValue)}${w("colon")}${told(cell.mean)}`;
      const group = s("g", { class: "cell", tabindex: onPick ? 0 : null, role: onPick ? "button" : null, "aria-label": words, onclick: () => onPick?.(xValue, yValue), onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onPick?.(xValue, yValue);
      } }, s("rect", { x: box.left + i * across, y, width: across - 1.5, height: down - 1.5, rx: 2, fill: cividis(part) }), s("title", {}, words));
      if (inCell && down > 18) group.append(s("text", { x: box.left + (i + 0.5) * across, y: y + down / 2 + 4, class: "middle on-cell", fill: part > 0.55 ? "#111" : "#fff" }, inCell(cell.mean)));
      box.svg.append(group);
    });
  });
  const every = named ? 1 : Math.ceil((8 + LETTER * Math.max(...columns.flat().map(wide))) / across);
  columns.forEach((lines, i) => {
    if (i % every === 0) box.svg.append(s("text", { class: "axis middle" }, stacked(lines, box.left + (i + 0.5) * across, box.bottom + 17)));
  });
  for (let k = 0; k < 20; k += 1) box.svg.append(s("rect", { x: box.right + 10, y: box.bottom - ((k + 1) * size[1]) / 20, width: 12, height: size[1] / 20 + 0.5, fill: cividis(k / 19) }));
  box.svg.append(s("text", { x: box.right + 27, y: box.top + 10, class: "axis" }, told(high)), s("text", { x: box.right + 27, y: box.bottom, class: "axis" }, told(low)));
  return h("div", { class: "map" }, h("p", { class: "axis-name" }, "\u2191 ", yName), box.svg, h("p", { class: "axis-name" }, "\u2192 ", xName));
}

// bars: [{name, value, mark}]; a histogram of answers.
export function histogram(bars, { format, marked }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  return h("div", { class: "histogram", role: "list" }, bars.map((bar) => h("div", { class: `bin${bar.mark ? " mark" : ""}`, role: "listitem" },
    h("span", {}, bar.name, bar.mark ? h("em", {}, marked) : null),
    h("i", { css: { "--size": `${(100 * bar.value) / most}%` }, "aria-hidden": "true" }), h("b", {}, format(bar.value)))));
}
