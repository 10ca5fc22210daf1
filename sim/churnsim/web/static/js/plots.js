// Figures in SVG: fans over seeds, waterfalls, heat maps, histograms. Each has a text that says what it shows.

import { h, s } from "./dom.js";

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
export const plainNumber = (value) => String(Number(value.toPrecision(6)));

function frame(width, height, margins, alt) {
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "figure", role: "img", "aria-label": alt, preserveAspectRatio: "xMidYMid meet" });
  return { svg, left: margins.left, right: width - margins.right, top: margins.top, bottom: height - margins.bottom };
}

const scaled = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

// Spread labels that would lie on each other.
export function apart(labels, gap, least, most) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, k) => {
    label.y = Math.max(label.y, k ? labels[k - 1].y + gap : least);
  });
  const over = labels.length ? labels[labels.length - 1].y - most : 0;
  if (over > 0) for (const label of labels) label.y -= over;
  return labels;
}

// lines: [{name, color, dash, low, middle, high}], each an array over ticks.
export function fan({ ticks, lines, format, alt, zero = false, width = 560, height = 250 }) {
  const all = lines.flatMap((line) => [...line.low, ...line.high, ...line.middle]).filter((value) => value !== null);
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (zero) low = Math.min(0, low);
  const room = (high - low) * 0.06 || 1;
  if (!zero || low < 0) low -= room;
  high += room;
  const box = frame(width, height, { left: 58, right: 126, top: 10, bottom: 26 }, alt);
  const x = scaled(ticks[0], ticks[ticks.length - 1], box.left, box.right);
  const y = scaled(low, high, box.bottom, box.top);
  for (const value of niceTicks(low, high)) {
    box.svg.append(s("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: value === 0 ? "zero" : "grid" }), s("text", { x: box.left - 7, y: y(value) + 4, class: "axis end" }, format(value)));
  }
  for (const value of niceTicks(ticks[0], ticks[ticks.length - 1], 6)) box.svg.append(s("text", { x: x(value), y: box.bottom + 17, class: "axis middle" }, plainNumber(value)));
  const path = (points) => points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const known = (column) => ticks.map((tick, k) => [tick, column[k]]).filter(([, value]) => value !== null);
  for (const line of lines) {
    const upper = known(line.high).map(([tick, value]) => [x(tick), y(value)]);
    const lower = known(line.low).map(([tick, value]) => [x(tick), y(value)]).reverse();
    if (upper.length) box.svg.append(s("path", { d: `${path([...upper, ...lower])}Z`, fill: line.color, opacity: 0.14 }));
  }
  const labels = [];
  for (const line of lines) {
    const points = known(line.middle).map(([tick, value]) => [x(tick), y(value)]);
    if (!points.length) continue;
    box.svg.append(s("path", { d: path(points), fill: "none", stroke: line.color, "stroke-width": 2.4, "stroke-dasharray": line.dash ?? null }));
    labels.push({ line, y: points[points.length - 1][1] });
  }
  for (const { line, y: at } of apart(labels, 15, box.top, box.bottom)) box.svg.append(s("text", { x: box.right + 7, y: at + 4, class: "label", fill: line.text ?? line.color }, short(line.name, 15)));
  return box.svg;
}

export const short = (name, most) => {
  const wide = [...name].reduce((sum, letter) => sum + (/[\u2e80-\uffff]/.test(letter) ? 2 : 1), 0);
  if (wide <= most) return name;
  let kept = "";
  let sum = 0;
  for (const letter of name) {
    sum += /[\u2e80-\uffff]/.test(letter) ? 2 : 1;
    if (sum > most - 1) break;
    kept += letter;
  }
  return `${kept}…`;
};

// steps: [{name, value, total}]; totals stand on zero, others on what came before. `good` says which sign is welcome.
export function waterfall({ steps, format, alt, good = 1, width = 560 }) {
  const row = 27;
  const height = steps.length * row + 12;
  const box = frame(width, height, { left: 186, right: 84, top: 4, bottom: 4 }, alt);
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
    const y = box.top + k * row;
    const kind = step.total ? "total" : step.value * good >= 0 ? "good" : "bad";
    box.svg.append(
      s("text", { x: box.left - 8, y: y + 17, class: `axis end${step.total ? " strong" : ""}` }, short(step.name, 25)),
      s("rect", { x: x(a), y: y + 5, width: Math.max(1.5, x(b) - x(a)), height: row - 10, rx: 2, class: `step ${kind}` }),
      s("text", { x: x(b) + 6, y: y + 17, class: "axis strong" }, (step.total || step.value <= 0 ? "" : "+") + format(step.value)));
  });
  return box.svg;
}

export function heatMap({ xs, ys, cells, format, xName, yName, xText, yText, alt, onPick, width = 620, height = 400 }) {
  const box = frame(width, height, { left: 92, right: 90, top: 12, bottom: 52 }, alt);
  const known = cells.flat().filter((cell) => cell !== null).map((cell) => cell.mean);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const across = (box.right - box.left) / xs.length;
  const down = (box.bottom - box.top) / ys.length;
  ys.forEach((yValue, j) => {
    const y = box.bottom - (j + 1) * down;
    box.svg.append(s("text", { x: box.left - 8, y: y + down / 2 + 4, class: "axis end" }, yText(yValue)));
    xs.forEach((xValue, i) => {
      const cell = cells[j][i];
      if (!cell) return;
      const part = (cell.mean - low) / (high - low || 1);
      const words = `${xName} ${xText(xValue)}, ${yName} ${yText(yValue)}: ${format(cell.mean)}`;
      const group = s("g", { class: "cell", tabindex: onPick ? 0 : null, role: onPick ? "button" : null, "aria-label": words, onclick: () => onPick?.(xValue, yValue), onkeydown: (event) => {
        if (event.key === "Enter") onPick?.(xValue, yValue);
      } }, s("rect", { x: box.left + i * across, y, width: across - 1.5, height: down - 1.5, rx: 2, fill: cividis(part) }), s("title", {}, words));
      if (across > 44 && down > 18) group.append(s("text", { x: box.left + (i + 0.5) * across, y: y + down / 2 + 4, class: "middle on-cell", fill: part > 0.55 ? "#111" : "#fff" }, format(cell.mean)));
      box.svg.append(group);
    });
  });
  const every = Math.ceil((xs.length * 46) / (box.right - box.left));
  xs.forEach((value, i) => {
    if (i % every === 0) box.svg.append(s("text", { x: box.left + (i + 0.5) * across, y: box.bottom + 17, class: "axis middle" }, xText(value)));
  });
  box.svg.append(s("text", { x: (box.left + box.right) / 2, y: height - 8, class: "axis middle strong" }, xName), s("text", { x: 14, y: (box.top + box.bottom) / 2, class: "axis middle strong", transform: `rotate(-90 14 ${(box.top + box.bottom) / 2})` }, yName));
  for (let k = 0; k < 20; k += 1) box.svg.append(s("rect", { x: box.right + 16, y: box.bottom - ((k + 1) * (box.bottom - box.top)) / 20, width: 12, height: (box.bottom - box.top) / 20 + 0.5, fill: cividis(k / 19) }));
  box.svg.append(s("text", { x: box.right + 33, y: box.top + 10, class: "axis" }, format(high)), s("text", { x: box.right + 33, y: box.bottom, class: "axis" }, format(low)));
  return box.svg;
}

// bars: [{name, value, mark}]; a histogram of answers.
export function histogram(bars, { format, marked }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  return h("div", { class: "histogram", role: "list" }, bars.map((bar) => h("div", { class: `bin${bar.mark ? " mark" : ""}`, role: "listitem" },
    h("span", {}, bar.name, bar.mark ? h("em", {}, marked) : null),
    h("i", { css: { "--size": `${(100 * bar.value) / most}%` }, "aria-hidden": "true" }), h("b", {}, format(bar.value)))));
}
