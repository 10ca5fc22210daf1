// Sweeps: studies of many runs. Two factors as a heat map, one as a line, and any cell opens its run in Play.

import { get } from "./api.js";
import { button, h, replace, saveCsv } from "./dom.js";
import { COLORS, DASHES } from "./palette.js";
import { fan, heatMap } from "./plots.js";
import { has, measureName, number, percent, shown, t, w } from "./texts.js";

const MOST_LEVELS = 40;
const MOST_ROWS = 500;

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function quantile(sorted, part) {
  const at = (sorted.length - 1) * part;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

export class SweepsPage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "page" });
  }

  async open() {
    const { link } = this.lab;
    const studies = await get("/api/sweeps");
    if (!studies.length) {
      replace(this.main, h("h1", {}, w("sweep.title")), h("section", { class: "card prose" }, h("p", {}, w("sweep.none")), h("pre", {}, h("code", {}, "churnsim sweep experiments/…yaml --out results/mine\nchurnsim results export results/mine --csv results/mine.csv\nchurnsim play --studies results"))));
      return;
    }
    const names = studies.map((one) => one.id);
    link.study = names.includes(link.study) ? link.study : names[0];
    this.study = await get(`/api/sweep?id=${encodeURIComponent(link.study)}`);
    this.factors = Object.keys(this.study.factors);
    this.outcomes = Object.keys(this.study.outcomes);
    link.x = this.factors.includes(link.x) ? link.x : this.factors[0];
    link.y = this.factors.includes(link.y) && link.y !== link.x ? link.y : this.factors.find((name) => name !== link.x);
    link.outcome = this.outcomes.includes(link.outcome) ? link.outcome : this.outcomes[0];
    this.names = names;
    this.draw();
  }

  choice(label, value, options, set, name = (one) => one) {
    return h("label", {}, h("span", {}, label), h("select", { onchange: (event) => {
      set(event.target.value);
    } }, options.map((one) => h("option", { value: one, selected: one === value }, name(one)))));
  }

  outcomeName(name) {
    const [path, at] = name.split("@");
    const [measure, firm] = path.split(".");
    const label = has(`measure.firm.${measure}`) ? measureName(measure) : has(`measure.market.${measure}`) ? t(`measure.market.${measure}`) : measure;
    return [label, firm, at ? `@${at}` : ""].filter(Boolean).join(" ");
  }

  format(value) {
    return shown(this.lab.link.outcome.split(".")[0], value, "CNY");
  }

  levels(factor) {
    const values = [...new Set(this.study.factors[factor])].filter((value) => value !== null);
    return values.sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1));
  }

  text(value) {
    return typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
  }

  // Factors with many values are put into classes, so that designs drawn at random make a map too.
  binned(factor) {
    const levels = this.levels(factor);
    if (levels.length <= MOST_LEVELS && (levels.length <= 12 || typeof levels[0] !== "number")) return { levels, place: (value) => levels.indexOf(value) };
    const [low, high] = [levels[0], levels[levels.length - 1]];
    const count = 8;
    const centres = Array.from({ length: count }, (_, k) => low + ((k + 0.5) * (high - low)) / count);
    return { levels: centres, place: (value) => Math.min(count - 1, Math.floor(((value - low) / (high - low)) * count)) };
  }

  draw() {
    const { link } = this.lab;
    const again = (name) => (value) => {
      link[name] = value;
      if (name === "study") this.lab.turn();
      else this.draw();
      this.lab.save();
    };
    replace(this.main,
      h("h1", {}, w("sweep.title")),
      h("section", { class: "card" }, h("div", { class: "toolbar" },
        this.choice(w("sweep.study"), link.study, this.names, again("study")),
        this.choice(w("sweep.outcome"), link.outcome, this.outcomes, again("outcome"), (name) => this.outcomeName(name)),
        this.choice(w("sweep.x"), link.x, this.factors, again("x")),
        link.y ? this.choice(w("sweep.y"), link.y, this.factors.filter((name) => name !== link.x), again("y")) : null),
      h("p", { class: "hint" }, w("sweep.size", { rows: number(this.study.rows), factors: this.factors.length, outcomes: this.outcomes.length }))),
      h("section", { class: "card words" }, h("h2", {}, w("compare.in_words")), h("p", {}, this.sentence())),
      h("div", { class: "pair" }, link.y ? this.map() : null, this.slice()),
      this.table());
  }

  map() {
    const { x, y, outcome } = this.lab.link;
    const [across, up] = [this.binned(x), this.binned(y)];
    const cells = up.levels.map(() => across.levels.map(() => []));
    const values = this.study.outcomes[outcome];
    values.forEach((value, row) => {
      const [i, j] = [across.place(this.study.factors[x][row]), up.place(this.study.factors[y][row])];
      if (value !== null && i >= 0 && j >= 0) cells[j][i].push(value);
    });
    const filled = cells.map((line) => line.map((found) => (found.length ? { mean: mean(found), count: found.length } : null)));
    return h("section", { class: "card" }, h("h2", {}, this.outcomeName(outcome)),
      heatMap({ xs: across.levels, ys: up.levels, cells: filled, format: (value) => this.format(value), xName: x, yName: y, xText: (value) => this.text(value), yText: (value) => this.text(value), alt: w("sweep.map_alt", { outcome: this.outcomeName(outcome), x, y }),
        onPick: this.study.scenario ? (xValue, yValue) => this.play({ [x]: xValue, [y]: yValue }) : null }),
      h("p", { class: "hint" }, this.study.scenario ? w("sweep.map_hint") : w("sweep.map_hint_plain")));
  }

  slice() {
    const { x, y, outcome } = this.lab.link;
    const across = this.binned(x);
    if (typeof across.levels[0] !== "number" || across.levels.length < 2) return null;
    const rows = y ? this.binned(y) : { levels: [null], place: () => 0 };
    const picked = rows.levels.length > 5 ? [0, 1, 2, 3, 4].map((k) => Math.round((k * (rows.levels.length - 1)) / 4)) : rows.levels.map((_, k) => k);
    const lines = picked.map((j, order) => {
      const groups = across.levels.map(() => []);
      this.study.outcomes[outcome].forEach((value, row) => {
        const i = across.place(this.study.factors[x][row]);
        if (value !== null && i >= 0 && (!y || rows.place(this.study.factors[y][row]) === j)) groups[i].push(value);
      });
      const sorted = groups.map((group) => group.sort((a, b) => a - b));
      return {
        name: y ? this.text(rows.levels[j]) : this.outcomeName(outcome), color: COLORS[order % COLORS.length], text: "var(--ink)", dash: DASHES[order % DASHES.length].join(" ") || null,
        low: sorted.map((group) => (group.length ? quantile(group, 0.05) : null)), middle: sorted.map((group) => (group.length ? mean(group) : null)), high: sorted.map((group) => (group.length ? quantile(group, 0.95) : null)),
      };
    });
    return h("section", { class: "card" }, h("h2", {}, w("sweep.slice", { x })), y ? h("p", { class: "hint" }, w("sweep.slice_by", { y })) : null,
      fan({ ticks: across.levels, lines, format: (value) => this.format(value), alt: w("sweep.slice_alt", { outcome: this.outcomeName(outcome), x }), height: 360 }), h("p", { class: "hint" }, w("sweep.slice_hint")));
  }

  // How far the outcome moves between the levels of each factor, the others averaged over.
  sentence() {
    const { outcome } = this.lab.link;
    const values = this.study.outcomes[outcome];
    const total = values.filter((value) => value !== null);
    const centre = mean(total);
    const whole = mean(total.map((value) => (value - centre) ** 2)) || 1;
    const effects = this.factors.map((factor) => {
      const { levels, place } = this.binned(factor);
      const groups = levels.map(() => []);
      values.forEach((value, row) => {
        const at = place(this.study.factors[factor][row]);
        if (value !== null && at >= 0) groups[at].push(value);
      });
      const full = groups.filter((group) => group.length);
      const means = full.map(mean);
      const explained = full.reduce((sum, group, k) => sum + group.length * (means[k] - centre) ** 2, 0) / total.length / whole;
      return { factor, explained, low: Math.min(...means), high: Math.max(...means) };
    }).sort((a, b) => b.explained - a.explained);
    const [first] = effects;
    return w("sweep.sentence", { outcome: this.outcomeName(outcome), factor: first.factor, part: percent(first.explained), low: this.format(first.low), high: this.format(first.high), runs: number(total.length) });
  }

  play(set) {
    this.lab.go({ p: "play", s: this.study.scenario, set });
  }

  table() {
    const columns = [...this.factors, ...this.outcomes];
    const cell = (name, row) => (this.study.factors[name] ?? this.study.outcomes[name])[row];
    const rows = Array.from({ length: Math.min(this.study.rows, MOST_ROWS) }, (_, row) => row);
    const all = () => [["seed", ...columns], ...Array.from({ length: this.study.rows }, (_, row) => [this.study.seed[row], ...columns.map((name) => cell(name, row))])];
    return h("details", { class: "card twin" }, h("summary", {}, w("sweep.table")), button(w("csv"), "down", () => saveCsv("study.csv", all()), { class: "quiet" }),
      h("div", {}, h("table", { class: "data" }, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((name) => h("td", {}, this.text(cell(name, row) ?? "–")))))))));
  }
}
