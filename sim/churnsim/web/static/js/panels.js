// The numbers of the tick, and why customers left, always in the same places.

import { h, replace } from "./dom.js";
import { both, kindOf, measureName, number, percent, shown, t, tickCount, w } from "./texts.js";

const KPIS = ["share", "customers", "churn", "satisfaction", "quality", "cumulative_profit", "shortfall"];
const WINDOW = 12;
const RESTS = ["share", "customers"];
const FEW = 2; // firms whose numbers have room side by side, whatever they come to

export function firmName(firm, place) {
  return h("span", { class: `firm firm-${place}` }, both(firm.name));
}

export function marker(place) {
  return h("i", { class: `marker shape-${place}`, css: { "--color": `var(--firm-${place})` }, "aria-hidden": "true" });
}

export class Numbers {
  constructor(holder, { title = true } = {}) {
    this.holder = holder;
    this.title = title;
  }

  show(run, tick, ghost = null) {
    if (this.run !== run || this.ghost !== ghost) this.build(run, ghost);
    const { currency } = run.head;
    const totals = Math.max(...run.firms.map((_, firm) => Math.abs(run.value("cumulative_profit", firm, tick) ?? 0)));
    let differs = false;
    this.cells.forEach(([measure, firm, cell]) => {
      const like = measure === "cumulative_profit" && totals > 0 ? totals : undefined;
      const words = shown(measure, run.value(measure, firm, tick), currency, like);
      const gap = this.gap(measure, firm, tick);
      differs ||= gap !== "";
      if (cell.dataset.said !== words + gap) {
        cell.dataset.said = words + gap;
        replace(cell, words, gap ? h("small", { class: "gap" }, gap) : null);
      }
    });
    for (const [measure, said, name] of this.rests) {
      const rest = run.outside(measure, tick);
      said.textContent = rest === null ? "" : `${name}${shown(measure, rest, currency)}`;
    }
    this.hint.hidden = !ghost;
    this.hint.textContent = w(differs ? "play.gap_hint" : "play.no_gap");
    // Without a time before it, nothing has been bought when a run begins: only who is with whom is known.
    const began = run.value("share", 0, 0) === null ? "play.at_nothing" : "play.at_start";
    this.heading.textContent = tick < 1 ? w(began) : t("web.play.this", { tick: t(`tick.${run.head.tick}.name`).toLowerCase() });
  }

  gap(measure, firm, tick) {
    if (!this.ghost) return "";
    const [now, before] = [this.run.value(measure, firm, tick), this.ghost.value(measure, firm, tick)];
    if (now === null || before === null || tick > this.ghost.last) return "";
    // Shares differ by points, not by per cent of each other; the hint below says so once, numbers are short of room.
    const words = kindOf(measure) === "rate" ? number(100 * (now - before), 1) : shown(measure, now - before, this.run.head.currency);
    return /[1-9]/.test(words) ? (now > before ? `+${words}` : words) : "";
  }

  build(run, ghost) {
    Object.assign(this, { run, ghost, cells: [], rests: [] });
    const kpis = KPIS.filter((measure) => !run.head.unknown.includes(measure));
    this.heading = h("h2", {}, "");
    this.hint = h("p", { class: "hint" });
    // Beside the firms' shares and customers stands what they leave.
    const rest = (measure, said, name) => {
      if (RESTS.includes(measure)) this.rests.push([measure, said, name]);
      return said;
    };
    const cell = (measure, firm) => {
      const node = h("td", {});
      this.cells.push([measure, firm, node]);
      return node;
    };
    const named = (measure) => h("th", { scope: "row" }, measureName(measure), RESTS.includes(measure) ? rest(measure, h("small", { class: "rest" }), `${w("mood.outside")} `) : null);
    const firms = run.firms.map((firm, place) => firmName(firm, place));
    const table = (kind, head, rows, foot) => h("table", { class: `kpis${kind}` },
      h("caption", { class: "visually-hidden" }, w("play.numbers")), h("thead", {}, h("tr", {}, h("td", {}), head)), h("tbody", {}, rows), foot);
    const outside = (some) => h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, w("mood.outside")), some.map((measure) => rest(measure, h("td", {}), ""))));
    const below = (some) => table(" many", some.map((measure) => h("th", { scope: "col" }, measureName(measure))),
      firms.map((name, firm) => h("tr", {}, h("th", { scope: "row" }, name.cloneNode(true)), some.map((measure) => cell(measure, firm)))),
      some.some((measure) => RESTS.includes(measure)) ? outside(some) : null);
    // Many firms stand below each other, a few measures at a time; few of them side by side.
    const tables = firms.length > FEW
      ? [kpis.slice(0, 3), kpis.slice(3, 5), kpis.slice(5)].filter((some) => some.length).map(below)
      : table("", firms.map((name) => h("th", { scope: "col" }, name)), kpis.map((measure) => h("tr", {}, named(measure), run.firms.map((_, firm) => cell(measure, firm)))));
    replace(this.holder, this.title ? this.heading : null,
      h("div", { class: "scroll-x" }, tables),
      this.hint);
  }
}

// Rows that are always there: the course's types of dissatisfaction, then what is nobody's fault.
const GROUPS = ["price", "product", "service", "technology", "promotion", "political", "customer", "natural", "passive"];

const FAULTS = 6;

// Of more firms than this, a row of zeros only is one line until somebody leaves for that reason.
const ROWS_OF_ZEROS = 3;

export function groupOf(cause) {
  return cause.type !== "none" ? cause.type : cause.course;
}

export function groupName(group) {
  return GROUPS.indexOf(group) < FAULTS ? t(`taxonomy.course_type.${group}`) : t(`taxonomy.course.${group}`);
}

export class Causes {
  // `tools` makes what stands below; `concepts` makes the chips of a cause; a replay, without a server, has neither.
  constructor(holder, causes, { tools = null, concepts = null } = {}) {
    Object.assign(this, { holder, causes, tools, concepts });
    this.groups = GROUPS.filter((group) => causes.some((cause) => groupOf(cause) === group));
  }

  show(run, tick) {
    if (this.run !== run) this.build(run);
    const sums = run.departures(tick, WINDOW, this.causes.length);
    const grouped = sums.map((row) => this.groups.map((group) => row.reduce((sum, count, cause) => sum + (groupOf(this.causes[cause]) === group ? count : 0), 0)));
    grouped.forEach((row) => row.forEach((count, place) => {
      const kind = this.blamed(place);
      this.most[kind] = Math.max(this.most[kind], count);
      if (count) this.bars[place][0].row.classList.remove("none");
    }));
    grouped.forEach((row, firm) => row.forEach((count, place) => {
      const { bar, label } = this.bars[place][firm];
      bar.style.setProperty("--size", `${(100 * count) / this.most[this.blamed(place)]}%`);
      label.textContent = number(count);
    }));
    if (this.detail.open) this.fill(sums);
    this.sums = sums;
  }

  // Own wishes and nature outnumber the rest; the two kinds have scales of their own.
  blamed(place) {
    return GROUPS.indexOf(this.groups[place]) < FAULTS ? 0 : 1;
  }

  build(run) {
    this.run = run;
    this.filled = null;
    this.most = [1, 1];
    this.bars = this.groups.map(() => []);
    this.rows = h("div", {});
    this.detail = h("details", { class: "twin", ontoggle: () => this.sums && this.fill(this.sums) }, h("summary", {}, w("play.exact_causes")), this.rows);
    replace(this.holder,
      h("h2", {}, w("play.why"), " ", h("small", {}, w("play.why_when", { time: tickCount(run.head.tick, WINDOW) }))),
      h("div", { class: "causes", role: "table", "aria-label": w("play.why") }, this.groups.map((group, place) => this.row(run, group, place))),
      this.tools?.(), this.detail);
  }

  row(run, group, place) {
    const row = h("div", { class: `cause${this.blamed(place) ? " nature" : ""}${run.firms.length > ROWS_OF_ZEROS ? " none" : ""}`, role: "row" });
    const lines = run.firms.map((firm, at) => {
      const bar = h("i", { class: "cause-bar", css: { "--color": `var(--firm-${at})` } });
      const label = h("b", {}, "0");
      this.bars[place][at] = { bar, label, row };
      return h("span", { class: "cause-line", role: "cell", title: both(firm.name) }, bar, label);
    });
    row.append(h("span", { class: "cause-name", role: "rowheader" }, groupName(group)), h("span", { class: "cause-bars" }, lines));
    return row;
  }

  fill(sums) {
    const total = sums.map((row) => row.reduce((sum, count) => sum + count, 0));
    const rows = this.causes.map((cause, place) => [cause, sums.map((row) => row[place])]).filter(([, counts]) => counts.some((count) => count > 0));
    rows.sort((a, b) => Math.max(...b[1]) - Math.max(...a[1]));
    const key = JSON.stringify(rows);
    if (this.filled === key) return; // the chips of a row that stays are not made anew, and keep their focus
    this.filled = key;
    replace(this.rows, h("table", { class: "data" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, w("play.cause")), this.run.firms.map((firm, place) => h("th", { scope: "col" }, firmName(firm, place))))),
      h("tbody", {}, rows.map(([cause, counts]) => h("tr", {}, h("th", { scope: "row" }, t(`cause.${cause.id}`), this.concepts?.(`cause:${cause.id}`)),
        counts.map((count, firm) => h("td", {}, `${number(count)} (${percent(total[firm] ? count / total[firm] : 0)})`)))))));
  }
}

// The arena's legend: what fills and shapes mean, and how many customers a dot stands for.
export function legend(run) {
  const each = Math.max(1, Math.round(run.head.customers / run.head.dots));
  const item = (kind, words) => h("span", {}, h("i", { class: `dot ${kind}`, "aria-hidden": "true" }), words);
  return h("p", { class: "legend" },
    item("content", w("mood.content")), item("even", w("mood.even")), item("hollow", w("mood.dissatisfied")), item("away", w("mood.outside")),
    h("span", { class: "each" }, w("play.each", { count: number(each) })));
}

