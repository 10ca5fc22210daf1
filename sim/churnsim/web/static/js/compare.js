// Compare: several plans, the same customers with the same luck, many seeds; what differs, by how much, how surely.

import { get, postBlob, Refused, stream } from "./api.js";
import { button, h, replace, saveCsv, saveFile, toast } from "./dom.js";
import { asMoves } from "./link.js";
import { COLORS } from "./palette.js";
import { firmName, groupName, groupOf } from "./panels.js";
import { fan, waterfall } from "./plots.js";
import { both, kindOf, measureName, money, NONE, number, percent, shown, signed, tickAxis, w } from "./texts.js";
import { bookOf, workbookButton } from "./workbook.js";

const MINE = "mine";
const SEEDS = [10, 30, 50, 100];
// Small markets tell plans apart nearly as well as large ones, and far sooner; seeds tell luck from strategy.
const ENOUGH = 3000;
const MOST_SAID = 4; // sentences in sight below the first one
const [HEADS, LEAST] = [190, 140]; // pixels that a table of many plans has for its heads, and for each of them at least
const REPORTS = { html: "HTML", xlsx: "Excel", pptx: "PowerPoint" };
const PLAN_COLORS = ["var(--muted)", COLORS[2], COLORS[3], COLORS[5], COLORS[4], COLORS[7]];

// In how many of the seeds it was better, or more: none, some or all of them.
function often(what, won, runs) {
  return w(`compare.often.${what}.${won === 0 ? "none" : won === runs ? "all" : "some"}`, { won, runs });
}

export class ComparePage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "page" });
  }

  async open() {
    const { link } = this.lab;
    link.s ??= this.lab.start.first;
    this.about = await get(`/api/scenario/${encodeURIComponent(link.s)}`);
    const book = bookOf(link.s);
    this.columns = book ? (await get(`/api/workbook/${book}`)).plans : [];
    const controls = Object.entries(this.about.arms).filter(([, arm]) => arm.control).map(([name]) => name);
    const others = Object.keys(this.about.arms).filter((name) => !controls.includes(name));
    this.plans = (link.plans?.split(",") ?? (book ? this.columns.map((one) => one.id) : ["case", ...(link.moves.length ? [MINE] : []), ...controls, ...(controls.length ? [] : others.slice(0, 1))]))
      .filter((name) => this.names().includes(name)).slice(0, this.lab.start.limits.arms);
    if (!this.plans.length) this.plans = this.names().slice(0, 1);
    this.seeds = SEEDS[1];
    // Columns that differ in their number of customers mean what they say.
    const sizes = new Set([this.about.customers, ...this.columns.map((one) => one.customers)]);
    this.customers = sizes.size > 1 ? null : Math.min(this.about.customers, ENOUGH);
    this.build();
  }

  names() {
    if (this.columns.length) return [...this.columns.map((one) => one.id), ...(this.lab.link.moves.length ? [MINE] : [])];
    return ["case", ...(this.lab.link.moves.length ? [MINE] : []), ...Object.keys(this.about.arms)];
  }

  title(name) {
    const column = this.columns.find((one) => one.id === name);
    if (column) return column.changed ? `${both(column.title)}${w("in_brackets", { text: w("workbook.changed", { count: column.changed }) })}` : both(column.title);
    if (name === "case") return both(this.about.case);
    if (name === MINE) return w("compare.mine");
    return both(this.about.arms[name].title);
  }

  build() {
    const { about } = this;
    const scenarios = h("select", { "aria-label": w("play.scenario"), onchange: (event) => this.lab.go({ p: "compare", s: event.target.value }) }, h("option", { value: about.id }, both(about.title)));
    this.lab.scenarios().then((all) => scenarios.append(...all.filter((one) => one.id !== about.id).map((one) => h("option", { value: one.id }, both(one.title)))));
    const seeds = h("select", { onchange: (event) => {
      this.seeds = Number(event.target.value);
    } }, SEEDS.filter((n) => n <= this.lab.start.limits.seeds).map((n) => h("option", { value: n, selected: n === this.seeds }, number(n))));
    this.choices = h("div", { class: "plan-choices" });
    this.progress = h("progress", { max: 1, value: 0, hidden: true, "aria-label": w("compare.progress") });
    this.patience = h("p", { class: "hint strong", role: "status" });
    this.start = button(w("compare.run"), "play", () => this.run(), { class: "primary" });
    this.results = h("div", { class: "results" });
    replace(this.main,
      h("h1", {}, w("compare.title")), h("p", { class: "lead" }, both(about.question)),
      h("section", { class: "card" },
        h("div", { class: "toolbar" }, scenarios, h("label", {}, h("span", {}, w("compare.seeds")), seeds), h("div", { class: "grow" }), workbookButton(this.lab), this.start),
        this.choices, this.progress, this.patience, h("p", { class: "hint" }, this.customers === null ? w("compare.hint_sizes") : w("compare.hint", { customers: number(this.lab.link.set["customers.count"] ?? this.customers) }))),
      this.results);
    this.choose();
  }

  choose() {
    replace(this.choices, h("fieldset", {}, h("legend", {}, w("compare.plans")), this.names().map((name) => {
      const place = this.plans.indexOf(name);
      return h("label", { class: `plan${place >= 0 ? " on" : ""}` },
        h("input", { type: "checkbox", checked: place >= 0, onchange: () => this.toggle(name) }),
        h("i", { class: "swatch", css: { "--color": place >= 0 ? PLAN_COLORS[place] : "transparent" } }), this.title(name),
        place === 0 ? h("em", {}, w("compare.baseline")) : null);
    })));
    this.start.disabled = !this.plans.length;
    this.lab.link.plans = this.plans.join(",");
    this.lab.save();
  }

  toggle(name) {
    this.plans = this.plans.includes(name) ? this.plans.filter((one) => one !== name) : [...this.plans, name].slice(0, this.lab.start.limits.arms);
    this.choose();
  }

  plan(name) {
    const { s, moves, arm } = this.lab.link;
    const set = { ...(this.customers === null ? {} : { "customers.count": this.customers }), ...this.lab.link.set };
    if (this.columns.some((one) => one.id === name)) return { scenario: name, arm: "case", set };
    return name === MINE ? { scenario: s, arm: arm ?? "case", set, moves: asMoves(moves) } : { scenario: s, arm: name, set };
  }

  async run() {
    this.abort?.abort();
    this.abort = new AbortController();
    this.start.disabled = true;
    this.progress.hidden = false;
    this.progress.removeAttribute("value");
    this.waits = true;
    this.waited();
    const plans = this.plans.slice();
    const asked = { plans: plans.map((name) => this.plan(name)), seeds: this.seeds };
    try {
      await stream("/api/compare", { ...asked, lang: this.lab.lang }, (line) => {
        this.waits = line.k === "progress" && !line.done;
        this.waited();
        if (line.k === "progress") this.progress.value = line.done / line.total;
        else if (line.k === "failed") throw new Refused(500, { message: w("error.failed") });
        else {
          this.asked = asked;
          this.show(line, plans);
        }
      }, this.abort.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.lab.complain(error);
    }
    this.start.disabled = false;
    this.progress.hidden = true;
    this.waits = false;
    this.waited();
  }

  // How far the compiler has come, while runs wait for it.
  waited() {
    this.patience.textContent = this.waits && !this.lab.start.ready ? this.lab.waitWords() : "";
  }

  show(outcome, plans) {
    this.outcome = outcome;
    this.shownPlans = plans;
    const firms = this.about.firms;
    // What somebody has chosen stays chosen; otherwise it is whom the report is about, and what stands in its foreground.
    this.firm ??= outcome.firm;
    this.other = this.chosen && plans.includes(this.chosen) && plans[0] !== this.chosen ? plans.indexOf(this.chosen) : outcome.plan;
    const fans = [...new Set([outcome.share, outcome.goal])].map((measure) => h("div", { class: "pair" },
      firms.map((firm, place) => h("section", { class: "card" }, h("h2", {}, measureName(measure), " · ", firmName(firm, place)), this.fan(measure, place)))));
    this.details = h("div", {});
    this.words = h("div", {});
    const table = this.table();
    const wide = h("p", { class: "hint strong", hidden: true }, w("compare.wide", { plans: number(plans.length) }));
    replace(this.results,
      this.chooser(),
      plans.length > 1 ? h("section", { class: "card words" }, h("h2", {}, w("compare.in_words")), this.words) : null,
      h("section", { class: "card" }, h("h2", {}, w("compare.table", { seeds: outcome.seeds })), this.downloads(), wide, table, h("p", { class: "hint" }, w("compare.table_hint", { seeds: outcome.seeds }))),
      fans, h("p", { class: "hint" }, w("compare.fan_hint", { seeds: outcome.seeds })),
      plans.length > 1 ? this.details : null);
    // Many plans first stand closer together, in lines that are broken; only then does the table scroll.
    new ResizeObserver(() => {
      table.classList.remove("tight", "over");
      const wider = () => table.scrollWidth > table.clientWidth + 1;
      if (wider() && (table.clientWidth - HEADS) / plans.length >= LEAST) table.classList.add("tight");
      const over = wider();
      wide.hidden = !over;
      table.classList.toggle("over", over);
    }).observe(table);
    if (plans.length > 1) this.told();
  }

  // Whom the words, the reports and the figures of money and causes are about.
  chooser() {
    const choose = (label, value, options, set) => h("label", {}, h("span", {}, label), h("select", { onchange: (event) => {
      set(Number(event.target.value));
      if (this.shownPlans.length > 1) this.told();
    } }, options.map(([key, name]) => h("option", { value: key, selected: key === value }, name))));
    return h("section", { class: "card about-whom" }, h("div", { class: "toolbar" },
      choose(w("compare.firm"), this.firm, this.about.firms.map((one, k) => [k, both(one.name)]), (value) => {
        this.firm = value;
      }),
      this.shownPlans.length > 1 ? choose(w("compare.against"), this.other, this.shownPlans.map((name, k) => [k, this.title(name)]).slice(1), (value) => {
        this.other = value;
        this.chosen = this.shownPlans[value];
      }) : null,
      this.shownPlans.length > 1 ? h("span", { class: "hint" }, w("compare.about_whom")) : null));
  }

  told() {
    const [first, ...rest] = this.sentences();
    const [own, others] = [rest.slice(0, MOST_SAID), rest.slice(MOST_SAID)];
    const paragraph = (sentence) => h("p", {}, sentence);
    replace(this.words, first ? h("p", { class: "strong" }, first) : null, own.map(paragraph),
      others.length ? h("details", { class: "twin" }, h("summary", {}, w("compare.others", { count: number(others.length) })), others.map(paragraph)) : null);
    this.falls();
  }

  // What was compared, to take along: the report is of these very plans, seeds and runs.
  downloads() {
    const report = ([kind, name]) => button(w("compare.report", { kind: name }), "down", async (event) => {
      const pressed = event.currentTarget;
      pressed.disabled = true;
      toast(w("compare.writing"));
      try {
        const firm = this.about.firms[this.firm].id;
        saveFile(`${this.about.id.replaceAll(":", "-")}-report.${kind}`, [await postBlob("/api/compare/report", { ...this.asked, kind, firm, ...(this.shownPlans.length > 1 ? { plan: this.other } : {}), lang: this.lab.lang })], "");
      } catch (error) {
        this.lab.complain(error);
      }
      pressed.disabled = false;
    }, { class: "quiet" });
    return h("div", { class: "downloads", role: "group", "aria-label": w("play.download") }, Object.entries(REPORTS).map(report),
      button(w("csv"), "down", () => this.save(), { class: "quiet" }), button(w("play.copy_link"), "link", () => this.lab.copyLink(), { class: "quiet" }));
  }

  fan(measure, firm) {
    const { ticks, series } = this.outcome.fans[measure];
    const { currency } = this.about;
    const lines = this.shownPlans.map((name, plan) => {
      const [low, , middle, , high] = series[plan][firm];
      return { name: this.title(name), color: PLAN_COLORS[plan], text: "var(--ink)", dash: plan ? null : "6 4", low, middle, high };
    });
    const format = kindOf(measure) === "total" ? (value, like) => money(value, currency, like) : (value) => percent(value);
    return fan({ ticks, lines, format, unit: this.about.tick, name: tickAxis(this.about.tick), zero: measure === this.outcome.share, alt: `${both(this.about.firms[firm].name)}${w("colon")}${measureName(measure)}` });
  }

  // How large a difference is in the measure's own unit; shares differ by points.
  size(measure, value) {
    if (value === null) return NONE;
    return kindOf(measure) === "rate" ? w("compare.points", { number: number(100 * value, 1) }) : shown(measure, value, this.about.currency);
  }

  gap(measure, value) {
    return signed(this.size(measure, value), value);
  }

  // What plans are judged by: what firms earn, or their share where that is not known.
  judged() {
    return this.outcome.money ? "earns" : "holds";
  }

  table() {
    const { values, differences, outside, seeds } = this.outcome;
    const rows = [];
    // The ends of an interval are in the unit of what stands before them; points need not be said three times.
    const end = (measure, value) => (value !== null && kindOf(measure) === "rate" ? signed(number(100 * value, 1), value) : this.gap(measure, value));
    const cell = (measure, plan, [mean, low, high], difference) => {
      const inside = [h("small", { class: "of-plan" }, h("i", { class: "swatch", css: { "--color": PLAN_COLORS[plan] } }), this.title(this.shownPlans[plan])), h("b", {}, shown(measure, mean, this.about.currency)), h("small", {}, `${shown(measure, low, this.about.currency)} … ${shown(measure, high, this.about.currency)}`)];
      if (!plan) return h("td", {}, inside);
      const [gap, from, to, won = null, runs = null] = difference;
      const sure = from !== null && (from > 0 || to < 0);
      return h("td", {}, inside, h("small", { class: sure ? "sure" : "unsure" }, `${this.gap(measure, gap)} ${w("interval", { low: end(measure, from), high: end(measure, to) })}`), won === null ? null : h("small", {}, often("cell", won, runs ?? seeds)));
    };
    for (const measure of Object.keys(values)) {
      this.about.firms.forEach((firm, place) => {
        rows.push(h("tr", { class: place ? "" : "first" },
          h("th", { scope: "row" }, place ? "" : measureName(measure)), h("td", { class: "who" }, firmName(firm, place)),
          this.shownPlans.map((_, plan) => cell(measure, plan, values[measure][plan][place], plan ? differences[measure][plan - 1][place] : null))));
      });
      const rest = outside[measure];
      if (rest) rows.push(h("tr", { class: "rest" }, h("th", { scope: "row" }, ""), h("td", { class: "who" }, w("mood.outside")), this.shownPlans.map((_, plan) => cell(measure, plan, rest.values[plan], rest.differences[plan - 1]))));
    }
    return h("div", { class: "scroll-x ribbons", tabindex: "0", role: "region", "aria-label": w("compare.table", { seeds }) }, h("table", { class: "ribbon-table" },
      h("thead", {}, h("tr", {}, h("td", {}), h("td", {}), this.shownPlans.map((name, plan) => h("th", { scope: "col" }, h("i", { class: "swatch", css: { "--color": PLAN_COLORS[plan] } }), this.title(name), plan ? null : h("em", {}, w("compare.baseline")))))),
      h("tbody", {}, rows)));
  }

  // First which plan is best for the firm; then each plan against the baseline, for this firm before the others.
  sentences() {
    const { differences, goal, share } = this.outcome;
    const found = [this.best()];
    const firms = this.about.firms.map((firm, place) => [firm, place]).sort(([, a], [, b]) => Number(b === this.firm) - Number(a === this.firm));
    firms.forEach(([firm, place]) => {
      this.shownPlans.slice(1).forEach((name, plan) => {
        const [gap, low, high, won, runs] = differences[goal][plan][place];
        if (gap === null) return;
        const told = (value) => this.size(goal, value);
        const said = { plan: this.title(name), firm: both(firm.name), label: measureName(goal), gap: told(Math.abs(gap)), low: told(low), high: told(high), points: this.gap(share, differences[share][plan][place][0]), base: this.title(this.shownPlans[0]) };
        const verdict = low > 0 || high < 0 ? (gap > 0 ? "more" : "less") : "same";
        found.push(w(`compare.${this.judged()}.${verdict}`, { ...said, often: often("better", won, runs) }));
      });
    });
    return found;
  }

  best() {
    const { best: all, goal } = this.outcome;
    const best = all[this.firm];
    if (!best) return null;
    const [gap, low, high, won, runs] = best.gap;
    const told = (value) => this.size(goal, value);
    const reached = shown(goal, best.reached, this.about.currency);
    const said = { firm: both(this.about.firms[this.firm].name), label: measureName(goal), plan: this.title(this.shownPlans[best.plan]), next: this.title(this.shownPlans[best.next]), reached, gap: told(gap), low: told(low), high: told(high), often: often("more", won, runs) };
    return w(`compare.${this.judged()}.${low > 0 ? "best" : gap > 0 ? "best_unsure" : "best_same"}`, said);
  }

  falls() {
    const { about, outcome } = this;
    const [base, plan, firm] = [0, this.other, this.firm];
    const groups = new Map();
    about.causes.forEach((cause, k) => {
      const group = groupOf(cause);
      groups.set(group, (groups.get(group) ?? 0) + outcome.causes[plan][firm][k] - outcome.causes[base][firm][k]);
    });
    const sum = (row) => row.reduce((total, count) => total + count, 0);
    const causes = [{ name: this.title(this.shownPlans[0]), value: sum(outcome.causes[base][firm]), total: true },
      ...[...groups.entries()].filter(([, value]) => Math.abs(value) >= 0.5).sort((x, y) => Math.abs(y[1]) - Math.abs(x[1])).map(([group, value]) => ({ name: groupName(group), value })),
      { name: this.title(this.shownPlans[plan]), value: sum(outcome.causes[plan][firm]), total: true }];
    replace(this.details,
      h("h2", { class: "of-whom" }, w("compare.of_whom", { firm: both(about.firms[firm].name), plan: this.title(this.shownPlans[plan]), base: this.title(this.shownPlans[0]) })),
      h("div", { class: "pair" },
        outcome.money ? this.moneyFall(outcome.money[base][firm], outcome.money[plan][firm]) : null,
        h("section", { class: "card" }, h("h2", {}, w("compare.cause_fall")), waterfall({ steps: causes, format: (value) => number(value), alt: w("compare.cause_fall"), good: -1 }))),
      h("p", { class: "hint" }, w("compare.fall_hint")));
  }

  moneyFall(a, b) {
    const steps = [
      { name: this.title(this.shownPlans[0]), value: a.profit, total: true },
      { name: measureName("revenue"), value: b.revenue - a.revenue },
      { name: measureName("service_cost"), value: a.service_cost - b.service_cost },
      { name: measureName("relationship_cost"), value: a.relationship_cost - b.relationship_cost },
      { name: w("compare.other_cost"), value: a.other_cost - b.other_cost },
      { name: this.title(this.shownPlans[this.other]), value: b.profit, total: true },
    ];
    return h("section", { class: "card" }, h("h2", {}, w("compare.money_fall")), waterfall({ steps, format: (value) => money(value, this.about.currency), alt: w("compare.money_fall") }));
  }

  save() {
    const { values, differences, outside } = this.outcome;
    const rows = [["measure", "firm", "plan", "mean", "low_5", "high_95", "difference", "difference_low", "difference_high", "better_in", "runs"]];
    for (const measure of Object.keys(values)) {
      this.about.firms.forEach((firm, place) => this.shownPlans.forEach((name, plan) => {
        rows.push([measure, firm.id, name, ...values[measure][plan][place], ...(plan ? differences[measure][plan - 1][place] : [])]);
      }));
      const rest = outside[measure];
      if (rest) this.shownPlans.forEach((name, plan) => rows.push([measure, "outside", name, ...rest.values[plan], ...(plan ? rest.differences[plan - 1] : [])]));
    }
    saveCsv("comparison.csv", rows);
  }

  close() {
    this.abort?.abort();
  }
}
