// The Play page: change anything while it runs, and see the new future over the old one.

import { get, post, postText, Refused, stream } from "./api.js";
import { CustomerCard } from "./card.js";
import { button, h, icon, iconButton, replace, saveCsv, saveFile, toast } from "./dom.js";
import { Levers, leverText } from "./levers.js";
import { asMoves, readMoves, writeMoves } from "./link.js";
import { Run } from "./run.js";
import { Stage } from "./stage.js";
import { Stopping } from "./stop.js";
import { both, tickLabel, w } from "./texts.js";
import { workbookButton } from "./workbook.js";

export class PlayPage {
  constructor(lab, { lesson = null } = {}) {
    Object.assign(this, { lab, lesson, branches: [], current: 0 });
    this.main = h("div", { class: `play${lesson ? " in-lesson" : ""}` });
  }

  get link() {
    return this.lab.link;
  }

  ask() {
    const { s, arm, set, moves, seed } = this.link;
    return { scenario: s, arm: arm ?? "case", set, moves: asMoves(moves), ...(seed === undefined ? {} : { seed }), lang: this.lab.lang };
  }

  async open() {
    this.link.s ??= this.lab.start.first;
    this.about = await get(`/api/scenario/${encodeURIComponent(this.link.s)}`);
    this.build();
    await this.begin();
  }

  build() {
    const concepts = (...references) => this.lab.concepts.of(...references);
    this.stopping = new Stopping({
      ask: (what) => this.lab.guarded(() => post("/api/stop", { ...this.ask(), ...what })),
      levers: () => this.allLevers ?? this.about.levers,
      head: () => this.stage.run.head,
      onTry: (tick, path, value) => this.tried(tick, path, value),
    });
    this.stage = new Stage({
      causeTools: { concepts, tools: () => button(w("stop.title"), null, () => this.stop(), { class: "quiet wide stop" }) },
      causes: this.about.causes,
      onPick: (dot) => this.pick(dot),
      onTick: (tick) => this.ticked(tick),
      onReset: () => this.reset(),
    });
    this.leverHolder = h("section", { class: "card levers-card", "aria-label": w("play.levers") });
    this.levers = new Levers(this.leverHolder, { onMove: (lever, value) => this.moved(lever, value), controls: this.lesson?.controls, concepts });
    this.movesHolder = h("div", { class: "moves" });
    this.cardHolder = h("section", { class: "card customer", hidden: true, "aria-live": "polite" });
    this.card = new CustomerCard(this.cardHolder, {
      causes: this.about.causes,
      ask: (dot, tick) => this.lab.guarded(() => post("/api/story", { ...this.ask(), dot, tick })),
      onPick: (dot) => this.pick(dot),
      onClose: () => this.pick(null),
      stopping: this.stopping,
      concepts,
    });
    this.note = h("p", { class: "note", hidden: true });
    const { stage } = this;
    stage.arenaCard.prepend(h("p", { class: "question" }, this.lesson?.question ?? both(this.about.question)), this.note);
    this.side = h("div", { class: "side" }, this.cardHolder, stage.numbersCard, stage.causesCard);
    replace(this.main,
      this.lesson ? null : this.toolbar(),
      h("div", { class: "columns" }, h("div", { class: "left" }, this.leverHolder), stage.column(this.movesHolder), this.side),
      stage.live);
  }

  toolbar() {
    const { about, link } = this;
    const scenarios = h("select", { "aria-label": w("play.scenario"), onchange: (event) => this.lab.go({ p: "play", s: event.target.value }) },
      h("option", { value: about.id, selected: true }, both(about.title)));
    this.lab.scenarios().then((all) => {
      scenarios.append(...all.filter((one) => one.id !== about.id).map((one) => h("option", { value: one.id }, both(one.title))));
    });
    const arms = Object.entries(about.arms);
    const arm = arms.length ? h("select", { "aria-label": w("play.arm"), onchange: (event) => this.restart({ arm: event.target.value, moves: [] }) },
      h("option", { value: "case", selected: (link.arm ?? "case") === "case" }, both(about.case)),
      arms.map(([name, one]) => h("option", { value: name, selected: link.arm === name }, both(one.title)))) : null;
    const seed = h("input", { type: "number", min: 0, step: 1, value: link.seed ?? about.seed, class: "seed", "aria-label": w("play.seed"), onchange: (event) => this.restart({ seed: Math.max(0, Math.floor(Number(event.target.value)) || 0) }) });
    const count = h("input", { type: "number", min: 20, max: this.lab.start.limits.customers, step: 100, class: "count", value: link.set["customers.count"] ?? about.customers, "aria-label": w("play.customers"), onchange: (event) => this.resize(event.target) });
    return h("div", { class: "toolbar" },
      scenarios,
      arm,
      h("label", { class: "narrow" }, h("span", {}, w("play.customers")), count),
      h("label", { class: "narrow" }, h("span", {}, w("play.seed")), seed),
      h("div", { class: "grow" }),
      button(w("play.copy_link"), "link", () => this.lab.copyLink()),
      h("details", { class: "menu" }, h("summary", { class: "button" }, icon("down"), h("span", {}, w("play.files"))),
        h("div", { class: "menu-body" },
          h("button", { type: "button", onclick: () => this.saveReplay() }, w("play.save_replay")),
          h("button", { type: "button", onclick: () => this.saveTicks() }, w("play.save_csv")),
          h("button", { type: "button", onclick: () => this.saveScenario() }, w("play.save_yaml")),
          workbookButton(this.lab, null))));
  }

  resize(input) {
    const set = { ...this.link.set };
    const count = Math.floor(Number(input.value));
    if (count === this.about.customers || !count) delete set["customers.count"];
    else set["customers.count"] = count;
    this.restart({ set });
  }

  restart(changes) {
    const before = { ...this.link };
    Object.assign(this.link, changes, { t: 0 });
    delete this.link.ghost;
    this.lab.save();
    this.branches = [];
    this.stage.seen = 0;
    this.stage.player.pause();
    this.stage.player.time = 0;
    this.lab.guarded(() => this.begin().catch((error) => {
      // What was refused is taken back, in the link and on the page.
      if (error instanceof Refused) this.lab.go(before);
      throw error;
    }));
  }

  // Say in the place of the run why there is none.
  refused(error) {
    clearTimeout(this.wait);
    this.waits = false;
    if (error instanceof Refused && !this.branches.length) {
      this.note.hidden = false;
      this.note.textContent = [error.message, ...error.problems.map((problem) => `${problem.path}: ${problem.message}`)].join(" ");
    }
    throw error;
  }

  reset() {
    this.restart({ moves: [] });
  }

  async begin() {
    const at = this.link.t ?? 0;
    const { ghost } = this.link;
    await this.future({ seen: at, at }).catch((error) => this.refused(error));
    if (this.link.dot !== undefined) this.pick(this.link.dot);
    if (ghost) await this.restore(ghost);
  }

  // The other future of a link: who opens it sees what its sender saw. What cannot be run any more is left out.
  async restore(other) {
    const { run } = this.stage;
    const { signal } = this.abort;
    let ghost = null;
    try {
      await stream("/api/run", { ...this.ask(), set: other.set, moves: asMoves(other.moves) }, (line) => {
        if (line.k === "run") ghost = new Run(line);
        else if (line.k !== "failed") ghost.push(line);
      }, signal);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    if (signal.aborted || this.stage.run !== run) return;
    if (!ghost?.complete) {
      delete this.link.ghost;
      this.lab.save();
      return;
    }
    // Undo tells moves apart by what they are one by one: those of both futures are the same ones.
    const shared = (move) => this.link.moves.find((one) => one.tick === move.tick && one.path === move.path && one.value === move.value) ?? move;
    this.branches.unshift({ run: ghost, set: other.set, moves: other.moves.map(shared) });
    this.current = this.branches.length - 1;
    this.ghost = ghost;
    this.stage.show(run, { ghost, moves: this.stage.moves });
    this.showMoves();
  }

  // Ask for the future that the link describes; show it as soon as it has come as far as the present.
  async future({ seen, at, ghost = null }) {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const moves = this.link.moves.slice();
    const { set } = this.link;
    let run = null;
    let shown = false;
    this.waits = false;
    this.waiting();
    const show = () => {
      shown = true;
      this.branches.push({ run, moves, set });
      this.current = this.branches.length - 1;
      this.note.hidden = true;
      this.waits = false;
      this.stage.player.time = Math.min(at, run.last);
      this.ghost = ghost;
      this.stage.show(run, { ghost, moves: this.marked(run, moves), seen });
      this.levers.show(run, this.stage.player.tick, moves);
      this.showMoves();
    };
    await stream("/api/run", this.ask(), (line) => {
      if (abort.signal.aborted) return;
      if (line.k === "run") {
        run = new Run(line);
        this.loadLevers();
      } else if (line.k === "failed") {
        throw new Refused(500, { message: w("error.failed") });
      } else {
        run.push(line);
        if (!shown && run.last >= Math.min(at, run.horizon)) show();
        else if (shown && this.stage.run === run) this.stage.arrived();
      }
    }, abort.signal);
    return run;
  }

  // Moves that are flagged: the scenario's own and the visitor's.
  marked(run, moves) {
    const own = run.head.moves.flatMap((move) => Object.entries(move.changes).map(([path, value]) => ({ tick: move.tick, path, value })));
    return own.length ? own : moves;
  }

  waiting() {
    clearTimeout(this.wait);
    this.wait = setTimeout(() => {
      if (this.stage.run?.frames.length && this.branches.length) return;
      this.note.hidden = false;
      this.waits = true;
      this.waited();
    }, 400);
  }

  // How far the compiler has come, while a run waits for it.
  waited() {
    if (this.waits) this.note.textContent = this.lab.waitWords();
  }

  async loadLevers() {
    const key = JSON.stringify([this.link.s, this.link.arm, this.link.set, this.link.moves.filter((move) => move.path.includes(".strategy"))]);
    if (this.leversOf === key) return;
    this.leversOf = key;
    const { levers } = await post("/api/levers", { ...this.ask(), moves: asMoves(this.link.moves.filter((move) => move.path.endsWith(".strategy"))), tick: this.about.horizon });
    this.levers.build(levers, this.about);
    this.allLevers = levers;
    this.main.classList.toggle("no-levers", !this.leverHolder.childElementCount);
    if (this.stage.run) this.levers.show(this.stage.run, this.stage.player.tick, this.link.moves);
    this.showMoves();
  }

  ticked(tick) {
    const run = this.stage.run;
    if (this.levers.fields.length) this.levers.show(run, tick, this.link.moves);
    this.card.show(run, tick, this.ghost);
    if (!this.stage.player.playing || tick % 4 === 0) {
      this.link.t = tick;
      this.lab.save();
    }
    this.lesson?.onTick?.(tick, run);
  }

  moved(lever, value) {
    const { player } = this.stage;
    const now = Math.round(player.time);
    if (lever.start) {
      this.branch(this.link.moves, now, { ...this.link.set, [lever.path]: value });
      return;
    }
    if (now >= this.stage.run.horizon) {
      toast(w("play.too_late"));
      this.levers.show(this.stage.run, now, this.link.moves);
      return;
    }
    const tick = now + 1;
    const before = this.link.moves;
    const moves = before.filter((move) => !(move.tick === tick && move.path === lever.path));
    moves.push({ tick, path: lever.path, value });
    moves.sort((a, b) => a.tick - b.tick);
    this.branch(moves, now);
  }

  // What would stop the departures of the last ticks; first of the firm that lost most.
  stop() {
    const { run, player } = this.stage;
    const { tick } = player;
    if (tick < 1) {
      toast(w("stop.too_early"));
      return;
    }
    const lost = run.departures(tick, 12, this.about.causes.length).map((row) => row.reduce((sum, count) => sum + count, 0));
    this.stopping.open(run.firms[lost.indexOf(Math.max(...lost))].id, tick);
  }

  // Make a change that was worked out, and go to where it takes effect.
  tried(tick, path, value) {
    const moves = this.link.moves.filter((move) => !(move.tick === tick && move.path === path));
    moves.push({ tick, path, value });
    moves.sort((a, b) => a.tick - b.tick);
    this.stage.player.pause();
    this.branch(moves, tick - 1);
  }

  // Begin another future: with other moves, or (where it is about how customers are) with other settings.
  branch(moves, now, set = this.link.set) {
    const ghost = this.stage.run;
    const [before, setBefore, ghostBefore] = [this.link.moves, this.link.set, this.link.ghost];
    Object.assign(this.link, { moves, set, ghost: { moves: before, set: setBefore } });
    this.lab.save();
    this.lab.guarded(async () => {
      try {
        await this.future({ seen: now, at: now, ghost });
      } catch (error) {
        if (error instanceof Refused) {
          Object.assign(this.link, { moves: before, set: setBefore, ghost: ghostBefore });
          this.lab.save();
          this.levers.show(this.stage.run, now, before);
        }
        throw error;
      }
    });
  }

  undo() {
    if (!this.link.moves.length) return;
    const last = this.branches.at(-1)?.moves ?? this.link.moves;
    const previous = this.branches.at(-2)?.moves;
    const gone = last.find((move) => !previous?.includes(move)) ?? this.link.moves.at(-1);
    this.remove(gone);
  }

  remove(move) {
    this.branch(this.link.moves.filter((one) => one !== move), Math.min(Math.round(this.stage.player.time), Math.max(0, move.tick - 1)));
  }

  showMoves() {
    const run = this.stage.run;
    if (!run) return;
    const chips = this.link.moves.map((move) => {
      const lever = this.allLevers?.find((one) => one.path === move.path);
      const firm = run.firms.findIndex((one) => move.path.startsWith(`firms.${one.id}.`));
      const words = [tickLabel(run.head.tick, move.tick), firm >= 0 ? both(run.firms[firm].name) : null, lever ? both(lever.label) : move.path, lever ? leverText(lever, move.value, run.head) : String(move.value)].filter(Boolean).join(" · ");
      return h("li", { class: `chip${firm >= 0 ? ` firm-${firm}` : ""}` }, h("span", {}, words), iconButton(w("play.remove", { move: words }), "close", () => this.remove(move)));
    });
    const swap = this.ghost ? h("button", { type: "button", class: "quiet", onclick: () => this.swap() }, w("play.swap")) : null;
    replace(this.movesHolder, chips.length || this.ghost ? [
      chips.length ? h("ul", { class: "chips", "aria-label": w("play.moves") }, chips) : null,
      chips.length ? iconButton(w("play.undo"), "undo", () => this.undo(), { class: "quiet" }) : null,
      swap,
    ] : h("p", { class: "hint" }, w("play.moves_hint")), this.lesson ? null : this.movesText());
    const line = this.movesHolder.querySelector(".chips");
    if (line) line.scrollLeft = line.scrollWidth; // the latest move is in sight
  }

  // All moves as the link has them, to be written, copied or cleared in one go.
  movesText() {
    const field = h("textarea", { rows: 3, spellcheck: "false", "aria-label": w("play.moves_text"), value: writeMoves(this.link.moves).replaceAll(";", ";\n") });
    return h("details", { class: "moves-text" }, h("summary", {}, w("play.moves_text")),
      h("p", { class: "hint" }, w("play.moves_format"), " ", h("code", {}, "9~firms.eton.price=225;")), field,
      h("button", { type: "button", class: "quiet", onclick: () => {
        const moves = readMoves(field.value.replace(/\s+/g, "")).sort((a, b) => a.tick - b.tick);
        this.branch(moves, Math.max(0, Math.min(Math.round(this.stage.player.time), ...moves.map((move) => move.tick - 1))));
      } }, w("play.moves_apply")));
  }

  // The ghost becomes the present future, and the present one its ghost.
  swap() {
    const other = this.branches.find((branch) => branch.run === this.ghost);
    if (!other) return;
    const run = this.stage.run;
    Object.assign(this.link, { moves: other.moves.slice(), set: other.set, ghost: { moves: this.link.moves, set: this.link.set } });
    this.lab.save();
    this.ghost = run;
    this.stage.show(other.run, { ghost: run, moves: this.marked(other.run, other.moves) });
    this.leversOf = null;
    this.lab.guarded(() => this.loadLevers());
    this.showMoves();
  }

  pick(dot) {
    if (dot === null || dot === undefined || dot >= this.stage.run.head.dots) {
      this.stage.arena.picked = null;
      delete this.link.dot;
      this.cardHolder.hidden = true;
      this.card.dot = null;
    } else {
      this.link.dot = dot;
      this.stage.arena.picked = dot;
      this.card.run = this.stage.run;
      Object.assign(this.card, { tick: this.stage.player.tick, ghost: this.ghost });
      this.card.open(dot);
    }
    this.stage.arena.draw(this.stage.player.time);
    this.lab.save();
  }

  async saveReplay() {
    toast(w("play.preparing"));
    await this.lab.guarded(async () => {
      const page = await postText("/api/replay", this.ask());
      saveFile(`${this.about.id.replaceAll(":", "-")}-replay.html`, [page], "text/html;charset=utf-8");
    });
  }

  // The file that the command line reads: with every move and setting of this run.
  async saveScenario() {
    await this.lab.guarded(async () => saveFile(`${this.about.id.replaceAll(":", "-")}.yaml`, [await postText("/api/scenario", this.ask())], "text/yaml;charset=utf-8"));
  }

  saveTicks() {
    const { run } = this.stage;
    const names = Object.keys(run.frame(run.last).measures);
    const rows = run.frames.flatMap((frame) => run.firms.map((firm, place) => [frame.t, firm.id, ...names.map((name) => frame.measures?.[name]?.[place])]));
    saveCsv(`${this.about.id.replaceAll(":", "-")}.csv`, [["tick", "firm", ...names], ...rows]);
  }

  key(event) {
    if (this.stage?.player.key(event)) return true;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return false;
    if (event.key === "u" || event.key === "U") this.undo();
    else if (event.key === "c" || event.key === "C") this.pick(this.link.dot === undefined ? 0 : null);
    else return false;
    event.preventDefault();
    return true;
  }

  close() {
    this.abort?.abort();
    this.stage?.player.pause();
  }
}

