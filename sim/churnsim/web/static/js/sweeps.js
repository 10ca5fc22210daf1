// Sweeps: studies of many runs. Which factors matter; two of them as a map, one as a line; and any cell opens in Play.

import { get, post } from "./api.js";
import { button, h, replace, saveCsv } from "./dom.js";
import { COLORS, DASHES } from "./palette.js";
import { GameCards } from "./payoffs.js";
import { fan, heatMap, plainNumber } from "./plots.js";
import { methodCard, Parallel } from "./sensitivity.js";
import { SweepForm } from "./sweep_form.js";
import { methodWords, pointWords } from "./sweep_words.js";
import { both, has, measureName, number, settingText, shown, t, tickLabel, w } from "./texts.js";

const MOST_LEVELS = 40;
const MOST_ROWS = 500;
const MOST_AXES = 9;
const ALL = "*"; // instead of one variant

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
    this.form = new SweepForm(this.lab, { onDone: (name) => {
      Object.assign(link, { study: name, x: undefined, y: undefined, outcome: undefined, variant: undefined });
      this.reload();
    } });
    this.content = h("div", { class: "results" });
    replace(this.main, h("h1", {}, w("sweep.title")), this.form.node, this.content);
    await this.fill(studies);
  }

  async reload() {
    try {
      await this.fill(await get("/api/sweeps"));
      this.lab.save();
    } catch (error) {
      this.lab.complain(error);
    }
  }

  async fill(studies) {
    const { link } = this.lab;
    if (!studies.length) {
      replace(this.content, h("section", { class: "card prose" }, h("p", {}, w("sweep.none")), h("pre", {}, h("code", {}, "churnsim sweep two_hotels_screening --out results/screening\nchurnsim play --studies results"))));
      return;
    }
    this.names = studies.map((one) => one.id);
    link.study = this.names.includes(link.study) ? link.study : this.names[0];
    this.study = await get(`/api/sweep?id=${encodeURIComponent(link.study)}`);
    if (this.study.kind === "game") {
      replace(this.content, h("section", { class: "card" }, this.study.title ? h("h2", {}, both(this.study.title)) : null, h("div", { class: "toolbar" }, this.studyChoice())), new GameCards(this.lab, this.study).node);
      return;
    }
    this.factors = Object.keys(this.study.factors).sort((a, b) => (a === "arm") - (b === "arm")); // what is varied comes first
    this.outcomes = Object.keys(this.study.outcomes);
    link.x = this.factors.includes(link.x) ? link.x : this.factors[0];
    link.y = this.factors.includes(link.y) && link.y !== link.x ? link.y : this.factors.find((name) => name !== link.x);
    link.outcome = this.outcomes.includes(link.outcome) ? link.outcome : this.outcomes[0];
    this.arms = this.study.factors.arm ? [...new Set(this.study.factors.arm)].filter((arm) => arm !== null) : [];
    const usual = [this.study.baseline, "case"].find((arm) => this.arms.includes(arm)) ?? this.arms[0];
    link.variant = link.variant === ALL || this.arms.includes(link.variant) ? link.variant : usual;
    this.draw();
  }

  studyChoice() {
    return this.choice(w("sweep.study"), this.lab.link.study, this.names, (value) => {
      Object.assign(this.lab.link, { study: value, x: undefined, y: undefined, outcome: undefined, variant: undefined });
      this.reload();
    });
  }

  armName(arm) {
    if (arm === ALL) return w("sweep.all_arms");
    return both(this.study.arms?.[arm]) || (arm === "case" ? w("play.case") : arm.replaceAll("_", " "));
  }

  // The variant that is looked at; null where there are none to choose from, or where all of them are.
  get arm() {
    const { variant } = this.lab.link;
    return this.arms.length > 1 && variant !== ALL ? variant : null;
  }

  // Whether a row is of what is looked at: where variants are an axis, of any of them.
  isShown(row, ...axes) {
    return this.arm === null || axes.includes("arm") || this.study.factors.arm[row] === this.arm;
  }

  // What a factor is called: by its declaration, where the study knows it.
  factorName(path) {
    if (path === "arm") return w("play.arm");
    return both(this.study.labels?.[path]) || path;
  }

  choice(label, value, options, set, name = (one) => one) {
    return h("label", {}, h("span", {}, label), h("select", { onchange: (event) => {
      set(event.target.value);
    } }, options.map((one) => h("option", { value: one, selected: one === value }, name(one)))));
  }

  // What an outcome is: what its study works it out from, where that is one measure; else what the study calls it.
  outcomeName(name) {
    const found = /^(\w+)(?:\.(\w+))?(?:@(\d+)(?:-(\d+))?)?$/.exec(this.study.formulas?.[name] ?? name);
    const [, measure, firm, from, to] = found ?? [];
    const label = has(`measure.firm.${measure}`) ? measureName(measure) : has(`measure.market.${measure}`) ? t(`measure.market.${measure}`) : null;
    if (!label) return name;
    const whose = both(this.study.firms?.[firm]) || firm;
    const when = from === undefined ? "" : w("in_brackets", { text: this.study.tick ? tickLabel(this.study.tick, to ? `${from}\u2013${to}` : from) : `@${from}` });
    return `${whose ? `${whose}${w("colon")}${label}` : label}${when}`;
  }

  // In the unit of the measures that it is worked out from, where they are one.
  format(value, like) {
    return this.formatOf(this.lab.link.outcome, value, like);
  }

  formatOf(outcome, value, like) {
    const found = new Set((this.study.formulas?.[outcome] ?? outcome).match(/[a-z_]+(?=\.[a-z_]+)/g) ?? []);
    const [measure] = found;
    if (found.size !== 1 || !has(`measure.firm.${measure}`)) return value === null ? "\u2013" : this.text(value);
    return shown(measure, value, this.study.currency ?? "CNY", like);
  }

  levels(factor) {
    const values = [...new Set(this.study.factors[factor])].filter((value) => value !== null);
    return values.sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1));
  }

  // A value of a factor, with its unit; arms by their titles.
  valueOf(factor, value) {
    return factor === "arm" ? this.armName(value) : settingText(value, this.study.units?.[factor], this.study.currency, this.study.tick);
  }

  // A cell of the table: of a factor or of an outcome.
  cellOf(name, value) {
    return value === null || value === undefined ? "\u2013" : this.study.factors[name] ? this.valueOf(name, value) : this.formatOf(name, value);
  }

  text(value) {
    return typeof value === "number" ? plainNumber(Number(value.toPrecision(4))) : String(value);
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
      this.draw();
      this.lab.save();
    };
    const known = (value) => value !== null;
    const some = this.outcomes.length > 0 && this.factors.length > 0 && this.study.outcomes[link.outcome].some(known);
    const name = (path) => this.factorName(path);
    replace(this.content,
      h("section", { class: "card" }, this.study.title ? h("h2", {}, both(this.study.title)) : null, h("div", { class: "toolbar" },
        this.studyChoice(),
        some ? [this.choice(w("sweep.outcome"), link.outcome, this.outcomes, again("outcome"), (one) => this.outcomeName(one)),
          this.choice(w("sweep.x"), link.x, this.factors, again("x"), name),
          link.y ? this.choice(w("sweep.y"), link.y, this.factors.filter((one) => one !== link.x), again("y"), name) : null,
          this.arms.length > 1 ? this.choice(w("play.arm"), link.variant, [...this.arms, ALL], again("variant"), (one) => this.armName(one)) : null] : null),
      some && this.arms.length > 1 ? h("p", { class: "hint" }, w(this.arm ? "sweep.one_arm" : "sweep.mixed_arms")) : null,
      h("p", { class: "hint" }, w("sweep.size", { rows: number(this.study.rows), factors: this.factors.filter((one) => one !== "arm").length, outcomes: this.outcomes.length }), this.arms.length > 1 ? [" · ", w("sweep.variants", { count: this.arms.length })] : "", this.study.failed ? [" · ", w("sweep.failed", { count: number(this.study.failed) })] : "")),
      some ? [
        this.study.design && (this.arm || this.arms.length < 2) ? this.analysis() : this.wordsCard(h("p", {}, this.fromPoints())),
        h("div", { class: "pair" }, link.y ? this.map() : null, this.slice()),
        this.factors.length > 2 ? this.parallel() : null,
        this.table()] : h("section", { class: "card" }, h("p", {}, w("sweep.empty"))));
  }

  told() {
    return { name: (path) => this.factorName(path), format: (value, like) => this.format(value, like), text: (value, factor) => this.valueOf(factor, value), outcome: this.outcomeName(this.lab.link.outcome) };
  }

  // What the study's own method says of the outcome, in words and figures: asked for when it is looked at.
  analysis() {
    const { link } = this.lab;
    const { study, outcome } = link;
    const { arm } = this;
    const words = h("div", {}, h("p", { class: "hint" }, w("play.computing")));
    const holder = h("div", { class: "pair" });
    const ask = async () => {
      try {
        const found = await post("/api/sweep/analysis", { id: study, outcome, arm, lang: this.lab.lang });
        const [first] = found.methods;
        const told = this.told();
        replace(words, h("p", {}, first?.rows ? methodWords(first, told) : this.fromPoints()));
        replace(holder, found.methods.map((one) => methodCard(one, { ...told, arm: arm && this.armName(arm) })));
      } catch (error) {
        replace(words, h("p", {}, this.fromPoints()));
        replace(holder);
        this.lab.complain(error);
      }
    };
    ask();
    return [this.wordsCard(words), holder];
  }

  fromPoints() {
    const factors = this.factors.filter((path) => path !== "arm" || !this.arm).map((path) => ({ path, column: this.study.factors[path] }));
    const values = this.study.outcomes[this.lab.link.outcome].map((value, row) => (this.isShown(row) ? value : null));
    return pointWords({ factors, values, levelsOf: (path) => this.binned(path) }, this.told());
  }

  wordsCard(content) {
    return h("section", { class: "card words" }, h("h2", {}, w("compare.in_words")), content);
  }

  // One line per point of the design, its runs averaged.
  parallel() {
    const { outcome } = this.lab.link;
    const numeric = (values) => values.every((value) => value === null || typeof value === "number");
    const factors = this.factors.slice(0, MOST_AXES - 1);
    const points = new Map();
    this.study.outcomes[outcome].forEach((value, row) => {
      if (value === null) return;
      const key = this.factors.map((name) => this.study.factors[name][row]).join("|");
      if (!points.has(key)) points.set(key, { row, values: [] });
      points.get(key).values.push(value);
    });
    const rows = [...points.values()];
    const results = rows.map((point) => mean(point.values));
    const axes = factors.map((name) => {
      const values = rows.map((point) => this.study.factors[name][point.row]);
      const levels = this.levels(name);
      const axis = { name: this.factorName(name), values, text: (value) => this.valueOf(name, value) };
      return numeric(levels) ? { ...axis, low: levels[0], high: levels[levels.length - 1] } : { ...axis, levels };
    });
    axes.push({ name: this.outcomeName(outcome), values: results, low: Math.min(...results), high: Math.max(...results), text: (value) => this.format(value) });
    const drawn = new Parallel({ axes, alt: w("sense.parallel_alt", { outcome: this.outcomeName(outcome) }), onPicked: (picked, all) => {
      if (!picked.length) return w("sense.nothing_picked");
      const of = (some) => this.format(mean(some.map((row) => results[row])));
      return w("sense.picked", { count: number(picked.length), of: number(all.length), mean: of(picked), all: of(all), outcome: this.outcomeName(outcome) });
    } });
    return h("section", { class: "card" }, h("h2", {}, w("sense.parallel")), h("p", { class: "hint" }, w("sense.parallel_hint")), drawn.node,
      this.factors.length > factors.length ? h("p", { class: "hint" }, w("sense.left_out", { names: this.factors.slice(factors.length).map((name) => this.factorName(name)).join(w("list_gap")) })) : null);
  }

  map() {
    const { x, y, outcome } = this.lab.link;
    const [across, up] = [this.binned(x), this.binned(y)];
    const cells = up.levels.map(() => across.levels.map(() => []));
    const values = this.study.outcomes[outcome];
    values.forEach((value, row) => {
      const [i, j] = [across.place(this.study.factors[x][row]), up.place(this.study.factors[y][row])];
      if (value !== null && i >= 0 && j >= 0 && this.isShown(row, x, y)) cells[j][i].push(value);
    });
    const filled = cells.map((line) => line.map((found) => (found.length ? { mean: mean(found), count: found.length } : null)));
    return h("section", { class: "card" }, h("h2", {}, this.outcomeName(outcome)),
      heatMap({ xs: across.levels, ys: up.levels, cells: filled, format: (value, like) => this.format(value, like), xName: this.factorName(x), yName: this.factorName(y), xText: (value) => this.valueOf(x, value), yText: (value) => this.valueOf(y, value), alt: w("sweep.map_alt", { outcome: this.outcomeName(outcome), x: this.factorName(x), y: this.factorName(y) }),
        onPick: this.opens() ? (xValue, yValue) => this.play({ [x]: xValue, [y]: yValue }) : null }),
      h("p", { class: "hint" }, this.of(x, y), this.opens() ? w("sweep.map_hint") : w("sweep.map_hint_plain")));
  }

  // Which variant a figure with these axes is of.
  of(...axes) {
    if (this.arms.length < 2 || axes.includes("arm")) return "";
    return `${this.arm ? w("sweep.of_arm", { arm: this.armName(this.arm) }) : w("sweep.of_all")}${w("sweep.of_gap")}`;
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
        if (value !== null && i >= 0 && this.isShown(row, x, y) && (!y || rows.place(this.study.factors[y][row]) === j)) groups[i].push(value);
      });
      const sorted = groups.map((group) => group.sort((a, b) => a - b));
      return {
        name: y ? this.valueOf(y, rows.levels[j]) : this.outcomeName(outcome), color: COLORS[order % COLORS.length], text: "var(--ink)", dash: DASHES[order % DASHES.length].join(" ") || null,
        low: sorted.map((group) => (group.length ? quantile(group, 0.05) : null)), middle: sorted.map((group) => (group.length ? mean(group) : null)), high: sorted.map((group) => (group.length ? quantile(group, 0.95) : null)),
      };
    });
    return h("section", { class: "card" }, h("h2", {}, w("sweep.slice", { x: this.factorName(x) })), y ? h("p", { class: "hint" }, w("sweep.slice_by", { y: this.factorName(y) })) : null,
      fan({ ticks: across.levels, lines, format: (value, like) => this.format(value, like), alt: w("sweep.slice_alt", { outcome: this.outcomeName(outcome), x: this.factorName(x) }), across: (value) => this.valueOf(x, value), name: this.factorName(x), height: 360 }), h("p", { class: "hint" }, this.of(x, y), w("sweep.slice_hint")));
  }

  // Whether Play can show the runs: those of the arm that a cell is of, or of the only one there is.
  opens() {
    const { scenario, opens } = this.study;
    const { x, y } = this.lab.link;
    const arms = this.arm && x !== "arm" && y !== "arm" ? [this.arm] : this.arms;
    return Boolean(scenario) && (!opens || arms.every((arm) => arm in opens) && Object.keys(opens).length > 0);
  }

  // The run behind a cell: what the study sets for all runs, the cell's values, and the study's first seed.
  play({ arm, ...cell }) {
    const { scenario, opens, set, seed } = this.study;
    const of = opens?.[arm ?? this.arm ?? Object.keys(opens)[0]];
    this.lab.go({ p: "play", s: scenario, ...(of && of !== "case" ? { arm: of } : {}), set: { ...set, ...cell }, seed: seed[0] ?? undefined });
  }

  table() {
    const columns = [...this.factors, ...this.outcomes];
    const cell = (name, row) => (this.study.factors[name] ?? this.study.outcomes[name])[row];
    const rows = Array.from({ length: Math.min(this.study.rows, MOST_ROWS) }, (_, row) => row);
    const all = () => [["seed", ...columns], ...Array.from({ length: this.study.rows }, (_, row) => [this.study.seed[row], ...columns.map((name) => cell(name, row))])];
    return h("details", { class: "card twin" }, h("summary", {}, w("sweep.table")), button(w("csv"), "down", () => saveCsv("study.csv", all()), { class: "quiet" }),
      h("div", {}, h("table", { class: "data" }, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col", title: name }, this.study.factors[name] ? this.factorName(name) : this.outcomeName(name))))), h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((name) => h("td", {}, this.cellOf(name, cell(name, row))))))))));
  }

  close() {
    this.form?.close();
  }
}
