// Drawing the line that one expects, and laying the real one over it: by pointer, or step by step.

import { button, h, replace, s } from "./dom.js";
import { apart, isNarrow as isNarrowNow, niceTicks, plainNumber } from "./plots.js";
import { both, kindOf, measureName, number, percent, sentences, shown, tickAxis, tickLabel, timeTicks, w } from "./texts.js";

// Narrow screens get a picture of their own, in which letters stay readable.
const isNarrow = isNarrowNow();
const WIDTH = isNarrow ? 372 : 640;
const HEIGHT = isNarrow ? 270 : 300;
const BOX = { left: isNarrow ? 50 : 62, right: WIDTH - (isNarrow ? 84 : 112), top: 14, bottom: HEIGHT - 44 };
const CLOSE = 0.05; // of the axis: nearer than that a drawn line counts as close

// What is drawn: whose measure, and in which variant where it is not the case itself.
export const drawnName = (line) => `${both(line.firm_name)}${w("colon")}${measureName(line.measure)}${line.arm_title ? w("in_brackets", { text: both(line.arm_title) }) : ""}`;

const said = (line, value) => shown(line.measure, value, line.currency);

// A difference in the measure's own unit; shares differ by points of a hundred.
function gapText(line, value) {
  return kindOf(line.measure) === "rate" ? w("compare.points", { number: number(Math.abs(100 * value), 1) }) : said(line, Math.abs(value));
}

const scales = (line) => {
  const [first, last] = [line.knots[0], line.knots[line.knots.length - 1]];
  return {
    x: (tick) => BOX.left + ((tick - first) / (last - first || 1)) * (BOX.right - BOX.left),
    y: (value) => BOX.bottom - ((value - line.low) / (line.high - line.low)) * (BOX.bottom - BOX.top),
    tick: (x) => first + ((x - BOX.left) / (BOX.right - BOX.left)) * (last - first),
    value: (y) => Math.min(line.high, Math.max(line.low, line.low + ((BOX.bottom - y) / (BOX.bottom - BOX.top)) * (line.high - line.low))),
  };
};

const path = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// The axes that are drawn in, empty.
export function axes(line, alt) {
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "figure sketch", role: "img", "aria-label": alt });
  const { x, y } = scales(line);
  for (const value of niceTicks(line.low, line.high)) svg.append(s("line", { x1: BOX.left, x2: BOX.right, y1: y(value), y2: y(value), class: value === line.low ? "zero" : "grid" }), s("text", { x: BOX.left - 7, y: y(value) + 4, class: "axis end" }, kindOf(line.measure) === "rate" ? percent(value) : said(line, value)));
  for (const tick of timeTicks(line.tick, line.knots[0], line.knots[line.knots.length - 1], isNarrow ? 5 : 9)) svg.append(s("line", { x1: x(tick), x2: x(tick), y1: BOX.top, y2: BOX.bottom, class: "grid" }), s("text", { x: x(tick), y: BOX.bottom + 18, class: "axis middle" }, plainNumber(tick)));
  svg.append(s("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 6, class: "axis middle strong" }, tickAxis(line.tick)));
  return svg;
}

export class Sketch {
  constructor(line, { values, closed, onPlace }) {
    Object.assign(this, { line, closed, onPlace });
    this.values = values ? values.slice() : line.knots.map(() => (line.low + line.high) / 2);
    this.touched = Boolean(values);
    this.svg = axes(line, "");
    this.mark = s("path", { class: "mine", fill: "none" });
    this.dots = line.knots.map(() => s("circle", { r: 4.5, class: "knot" }));
    this.svg.append(this.mark, ...this.dots);
    this.place = button(w("draw.place"), null, () => this.onPlace(this.values.map((value) => Number(value.toPrecision(4)))), { class: "primary", disabled: true });
    this.steps = line.knots.map((tick, k) => this.step(tick, k));
    this.node = h("div", { class: "sketch-box" }, this.svg, h("div", { class: "sketch-tools" }, this.place, h("p", { class: "hint" }, closed ? w("error.vote_closed") : w("draw.how"))),
      h("details", { class: "twin" }, h("summary", {}, w("draw.steps")), h("div", { class: "sketch-steps" }, this.steps.map((one) => one.node))));
    if (!closed) this.listen();
    this.show();
  }

  step(tick, k) {
    const { line } = this;
    const written = h("output", {});
    const input = h("input", { type: "range", min: line.low, max: line.high, step: (line.high - line.low) / 100, disabled: this.closed, oninput: () => {
      this.values[k] = Number(input.value);
      this.touch();
    } });
    return { node: h("label", {}, h("span", {}, tickLabel(line.tick, tick)), input, written), input, written };
  }

  touch() {
    this.touched = true;
    this.show();
  }

  show() {
    const { line, values } = this;
    const { x, y } = scales(line);
    this.mark.setAttribute("d", path(line.knots.map((tick, k) => [x(tick), y(values[k])])));
    this.mark.classList.toggle("untouched", !this.touched);
    line.knots.forEach((tick, k) => {
      this.dots[k].setAttribute("cx", x(tick));
      this.dots[k].setAttribute("cy", y(values[k]));
      const { input, written } = this.steps[k];
      input.value = values[k];
      input.setAttribute("aria-valuetext", said(line, values[k]));
      replace(written, said(line, values[k]));
    });
    this.place.disabled = !this.touched || this.closed;
    const [first, last] = [0, line.knots.length - 1];
    this.svg.setAttribute("aria-label", this.touched ? w("draw.alt", { name: drawnName(line), from: said(line, values[first]), to: said(line, values[last]), tick: tickLabel(line.tick, line.knots[last]) }) : w("draw.alt_empty", { name: drawnName(line) }));
  }

  // Every point that the pointer passes is set, also where it moves fast.
  listen() {
    let before = null;
    const at = (event) => {
      const rect = this.svg.getBoundingClientRect();
      const [px, py] = [((event.clientX - rect.left) * WIDTH) / rect.width, ((event.clientY - rect.top) * HEIGHT) / rect.height];
      const { tick, value } = scales(this.line);
      return [tick(px), value(py)];
    };
    const trace = (event) => {
      const [tick, value] = at(event);
      const { knots } = this.line;
      const nearest = knots.reduce((best, knot, k) => (Math.abs(knot - tick) < Math.abs(knots[best] - tick) ? k : best), 0);
      this.values[nearest] = value;
      if (before) {
        const [from, level] = before;
        knots.forEach((knot, k) => {
          if ((knot - from) * (knot - tick) < 0) this.values[k] = level + ((value - level) * (knot - from)) / (tick - from);
        });
      }
      before = [tick, value];
      this.touch();
    };
    this.svg.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.svg.setPointerCapture(event.pointerId);
      before = null;
      trace(event);
    });
    this.svg.addEventListener("pointermove", (event) => this.svg.hasPointerCapture(event.pointerId) && trace(event));
    this.svg.classList.add("open");
  }
}

const middle = (values) => {
  const sorted = values.slice().sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

export const medianLine = (lines) => (lines.length ? lines[0].map((_, k) => middle(lines.map((one) => one[k]))) : null);

// What the run says, over what was drawn: the class faint, its median, one's own line, and the real one.
export function overlaid(line, { mine = null, course = null, others = [] }) {
  const svg = axes(line, overlayWords(line, mine, course));
  const { x, y } = scales(line);
  const level = (value) => y(Math.min(line.high, Math.max(line.low, value)));
  const drawn = (values) => path(line.knots.map((tick, k) => [x(tick), level(values[k])]));
  for (const one of others) svg.append(s("path", { d: drawn(one), class: "other", fill: "none" }));
  const labels = [];
  const add = (d, name, kind, end) => {
    svg.append(s("path", { d, class: kind, fill: "none" }));
    labels.push({ y: level(end), name, kind });
  };
  const half = others.length > 1 ? medianLine(others) : null;
  if (half) add(drawn(half), w("draw.median"), "median", half[half.length - 1]);
  if (mine) add(drawn(mine), w("draw.mine"), "mine", mine[mine.length - 1]);
  if (course) {
    const points = course.ticks.map((tick, k) => [tick, course.values[k]]).filter(([, value]) => value !== null);
    add(path(points.map(([tick, value]) => [x(tick), level(value)])), w("draw.real"), "real", points[points.length - 1][1]);
  }
  for (const label of apart(labels, 15, BOX.top, BOX.bottom)) svg.append(s("text", { x: BOX.right + 7, y: label.y + 4, class: `label ${label.kind}` }, label.name));
  return svg;
}

const atKnots = (line, course) => line.knots.map((tick) => course.values[course.ticks.indexOf(tick)] ?? null);

// The difference between a drawn line and the real one, in words.
export function differenceWords(line, drawn, course, whose) {
  const real = atKnots(line, course);
  // Where it begins is no prediction.
  const gaps = drawn.map((value, k) => (real[k] === null || line.knots[k] === 0 ? null : value - real[k]));
  const known = gaps.map((gap, k) => [gap, k]).filter(([gap]) => gap !== null);
  const off = known.reduce((sum, [gap]) => sum + Math.abs(gap), 0) / known.length;
  const [, worst] = known.reduce((most, one) => (Math.abs(one[0]) > Math.abs(most[0]) ? one : most));
  const close = off <= CLOSE * (line.high - line.low);
  const last = known[known.length - 1][1];
  const end = Math.abs(gaps[last]) <= CLOSE * (line.high - line.low) ? "right" : gaps[last] > 0 ? "high" : "low";
  return sentences(
    w(close ? `draw.${whose}_close` : `draw.${whose}_off`, { gap: gapText(line, off) }),
    close ? "" : w("draw.worst", { tick: tickLabel(line.tick, line.knots[worst]), drawn: said(line, drawn[worst]), real: said(line, real[worst]) }),
    w(`draw.end_${end}`, { gap: gapText(line, gaps[last]), real: said(line, real[last]) }),
  );
}

function overlayWords(line, mine, course) {
  if (!course) return drawnName(line);
  return `${drawnName(line)}${w("colon")}${mine ? differenceWords(line, mine, course, "mine") : w("draw.real")}`;
}
