// What Play and a replay have in common: arena, transport, numbers, causes and charts around one run.

import { Arena } from "./arena.js";
import { LineChart } from "./charts.js";
import { h, replace, s } from "./dom.js";
import { DASHES, onScheme } from "./palette.js";
import { Causes, legend, Numbers } from "./panels.js";
import { Player } from "./player.js";
import { both, percent, tickLabel, w } from "./texts.js";

const CHARTED = ["share", "churn", "cumulative_profit", "profit", "customers", "satisfaction", "quality", "attachment", "price", "true_loyal", "spurious_loyal", "cash", "lost", "joined"];
const PREFERRED = ["share", "cumulative_profit", "customers", "churn"];
const SAID_EVERY = 2000;
const KEY_GAP = 4; // pixels between the names above the charts and the charts

// A firm's line as it is drawn in the charts.
function lineSample(place) {
  const line = s("line", { x1: 0, y1: 5, x2: 26, y2: 5, "stroke-dasharray": DASHES[place % DASHES.length].join(" ") });
  return s("svg", { width: 26, height: 10, "aria-hidden": "true" }, line);
}

export class Stage {
  constructor({ causes, onPick, onTick, onReset, causeTools = {} }) {
    this.onTick = onTick;
    this.canvas = h("canvas", { class: "arena", tabindex: "0", role: "img" });
    this.titles = h("div", { class: "arena-titles", "aria-hidden": "true" });
    this.legend = h("div", {});
    this.arenaCard = h("section", { class: "card arena-card" }, h("div", { class: "arena-box" }, this.canvas, this.titles), this.legend);
    this.numbersCard = h("section", { class: "card" });
    this.causesCard = h("section", { class: "card" });
    this.live = h("p", { class: "visually-hidden", "aria-live": "polite" });
    this.arena = new Arena(this.canvas, { onPick });
    this.numbers = new Numbers(this.numbersCard);
    this.causes = new Causes(this.causesCard, causes, causeTools);
    this.player = new Player({ onTick: (tick) => this.ticked(tick), onFrame: (time) => this.painted(time), onReset });
    this.key = h("p", { class: "chart-key", hidden: true });
    const measures = PREFERRED.slice(0, 2);
    this.chartCards = measures.map(() => h("section", { class: "card chart-card" }));
    this.charts = measures.map((measure, place) => new LineChart(this.chartCards[place], {
      measure, onMeasure: () => (this.chosen = true), onNamed: () => this.keyed(), onSeek: (tick) => {
        this.player.pause();
        this.player.seek(tick);
      },
    }));
    this.seen = 0;
    this.moves = [];
    onScheme(() => this.repaint());
    new ResizeObserver(() => this.placeTitles()).observe(this.canvas);
  }

  // What belongs together and stays in sight: the arena, its playback, what was moved, and the charts.
  column(moves) {
    return h("div", { class: "stage" }, this.arenaCard, this.player.node, moves, h("div", { class: "charts" }, this.key, this.chartCards));
  }

  // Show a run (from a tick on, where it is a branch), with another one as its ghost.
  show(run, { ghost = null, moves = [], seen = null } = {}) {
    Object.assign(this, { run, ghost, moves });
    if (seen !== null) this.seen = seen;
    this.charted = CHARTED.filter((name) => !run.head.unknown.includes(name));
    for (const chart of this.charts) chart.offer(this.charted);
    this.settle();
    this.player.set(run, moves);
    this.arena.show(run);
    replace(this.titles, run.firms.map((firm, place) => h("span", { class: `arena-title firm-${place}` }, h("i", { class: `marker shape-${place}`, css: { "--color": `var(--firm-${place})` } }), h("b", {}, both(firm.name)), h("em", {}))),
      h("span", { class: "arena-title outside" }, w("mood.outside"), h("em", {})));
    replace(this.legend, legend(run));
    this.spacing = null; // the names are new, and have no places yet
    this.ticked(this.player.tick);
    this.painted(this.player.time);
  }

  // Names that have no room at the ends of the lines stand above the charts, whose height they take.
  keyed() {
    this.key.hidden = this.charts.every((chart) => chart.named !== false);
    replace(this.key, this.key.hidden ? [] : this.run.firms.map((firm, place) => h("span", { class: `firm-${place}` }, lineSample(place), both(firm.name))));
    this.key.parentElement?.style.setProperty("--key", `${this.key.hidden ? 0 : Math.ceil(this.key.getBoundingClientRect().height) + KEY_GAP}px`);
  }

  // Charts that nobody has chosen show what changes in the run: a share that is 0 % or 100 % throughout tells nothing.
  settle() {
    if (this.chosen || !this.run.complete) return;
    const preferred = PREFERRED.filter((name) => this.charted.includes(name));
    const changes = preferred.filter((name) => this.run.series(name).some((column) => new Set(column.filter((value) => value !== null)).size > 1));
    const shown = [...changes, ...preferred.filter((name) => !changes.includes(name))];
    this.charts.forEach((chart, place) => chart.turn(shown[place]));
  }

  // Show a measure in the first chart, if it can be drawn.
  choose(measure) {
    if (!this.charted.includes(measure)) return;
    this.chosen = true;
    this.charts[0].turn(measure);
  }

  // More of the run has arrived.
  arrived() {
    this.settle();
    this.player.arrived(this.run);
    if (!this.painting) {
      this.painting = true;
      requestAnimationFrame(() => {
        this.painting = false;
        this.ticked(this.player.tick);
        this.arena.draw(this.player.time);
        this.placeTitles();
      });
    }
  }

  ticked(tick) {
    if (!this.run || !this.run.frames.length) return;
    this.seen = Math.max(this.seen, tick);
    this.numbers.show(this.run, tick, this.ghost);
    this.causes.show(this.run, tick);
    for (const chart of this.charts) chart.show(this.run, { ghost: this.ghost, moves: this.moves, time: tick, seen: this.seen });
    [...this.titles.children].forEach((title, place) => {
      const em = title.querySelector("em");
      // The dots are customers, so the names say whose customers they are; shares of stays stand in the numbers.
      const share = place < this.run.firms.length ? this.run.value("customer_share", place, tick) : this.run.outside("customer_share", tick);
      const closed = place < this.run.firms.length && this.run.value("open", place, tick) === 0;
      em.textContent = closed ? w("play.closed") : share === null || share === undefined ? "" : percent(share);
    });
    this.say(tick);
    this.onTick?.(tick);
  }

  painted(time) {
    this.arena.draw(time);
    if (this.arena.spacing !== this.spacing) this.placeTitles();
    if (this.player.playing) for (const chart of this.charts) if (Math.abs((chart.time ?? 0) - time) > 0.5) chart.at(time);
  }

  placeTitles() {
    if (!this.run || !this.arena.centres) return;
    this.spacing = this.arena.spacing;
    const places = this.arena.titles();
    [...this.titles.children].forEach((title, place) => {
      const at = places[place < this.run.firms.length ? place + 1 : 0];
      title.style.setProperty("left", `${at.x}px`);
      title.style.setProperty("top", `${at.y}px`);
    });
  }

  // What a screen reader is told, at most every two seconds.
  say(tick) {
    const words = `${tickLabel(this.run.head.tick, tick)}${w("colon")}${this.run.firms.map((firm, place) => `${both(firm.name)} ${percent(this.run.value("share", place, tick), 0)}`).join(w("list_gap"))}`;
    this.canvas.setAttribute("aria-label", `${w("play.arena_alt")} ${words}`);
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      this.live.textContent = words;
    }, this.player.playing ? SAID_EVERY : 300);
  }

  repaint() {
    this.arena.repaint();
    for (const chart of this.charts) chart.rebuild();
  }
}
