// One customer: who it is, what happened, why exactly, and what holds it now.

import { h, icon, iconButton, replace } from "./dom.js";
import { PROVIDER } from "./seats.js";
import { both, money, number, percent, t, tickLabel, w } from "./texts.js";

export class CustomerCard {
  // What needs a server is given by pages that have one: `ask`, `stopping` and `concepts`.
  constructor(holder, { causes, ask, onClose, onPick, stopping = null, concepts = null }) {
    Object.assign(this, { holder, causes, ask, onClose, onPick, stopping, concepts });
    this.dot = null;
    this.full = null;
  }

  open(dot) {
    this.dot = dot;
    this.full = null;
    this.render();
    this.holder.hidden = false;
  }

  close() {
    this.dot = null;
    this.holder.hidden = true;
    this.onClose?.();
  }

  show(run, tick, ghost) {
    const changed = this.run !== run || this.tick !== tick || this.ghost !== ghost;
    Object.assign(this, { run, tick, ghost });
    if (this.run !== this.fullOf || (this.full && this.fullAt !== tick)) this.full = null;
    if (changed && this.dot !== null) this.render();
  }

  where(option) {
    return option ? h("span", { class: `firm firm-${option - 1}` }, both(this.run.firms[option - 1].name)) : h("span", { class: "firm" }, w("card.nobody"));
  }

  // What is known without asking: where the customer was in every tick, and the causes of every departure so far.
  story(run, until) {
    const lines = [];
    let provider = null;
    for (let tick = 0; tick <= Math.min(until, run.last); tick += 1) {
      const frame = run.frames[tick];
      const now = frame.states[this.dot] & PROVIDER;
      const left = frame.left?.find(([dot]) => dot === this.dot);
      if (provider === null) lines.push({ tick, kind: "begins", to: now });
      else if (frame.states[this.dot] & 64) lines.push({ tick, kind: "replaced", from: provider, to: now });
      else if (left) lines.push({ tick, kind: "left", from: left[1], to: left[2], cause: left[3], causes: left[4] });
      else if (now !== provider) lines.push({ tick, kind: "came", to: now });
      provider = now;
    }
    return lines;
  }

  render() {
    if (this.dot === null || !this.run) return;
    const { run, tick } = this;
    const frame = run.frame(tick);
    const state = frame.states[this.dot];
    const mood = ["content", "even", "dissatisfied"][(state >> 4) & 3];
    const lines = this.story(run, tick);
    const number_ = run.head.ids ? run.head.ids[this.dot] : this.dot;
    replace(this.holder,
      h("div", { class: "card-head" },
        h("h2", {}, icon("person"), w("card.title", { number: number(number_) })),
        iconButton(w("card.previous"), "back", () => this.onPick((this.dot + run.head.dots - 1) % run.head.dots)),
        iconButton(w("card.following"), "next", () => this.onPick((this.dot + 1) % run.head.dots)),
        iconButton(w("card.close"), "close", () => this.close())),
      h("p", { class: "card-now" }, tickLabel(run.head.tick, tick), w("colon"), this.where(state & PROVIDER), state & PROVIDER ? `${w("list_gap")}${w(`mood.${mood}`)}` : ""),
      this.ribbon(),
      this.stopping ? this.stop() : null,
      h("ol", { class: "story" }, lines.slice(-8).map((line) => h("li", {}, h("b", {}, tickLabel(run.head.tick, line.tick)), " ", this.sentence(line)))),
      this.concepts && lines.at(-1)?.causes ? this.concepts(...this.causesOf(lines.at(-1)).map((name) => `cause:${name}`)) : null,
      this.other(),
      this.ask ? this.asked() : null);
  }

  // With whom, over the whole time, as a ribbon of colours; the ghost's below it.
  ribbon() {
    const row = (run, past) => {
      const parts = [];
      let from = 0;
      for (let tick = 1; tick <= run.last + 1; tick += 1) {
        const [a, b] = [run.frames[from].states[this.dot] & PROVIDER, tick <= run.last ? run.frames[tick].states[this.dot] & PROVIDER : -1];
        if (a !== b) {
          parts.push(h("i", { class: `stay${past ? " past" : ""}`, css: { "--color": a ? `var(--firm-${a - 1})` : "var(--outside)", flex: String(tick - from) } }));
          from = tick;
        }
      }
      return h("div", { class: "ribbon-row" }, parts);
    };
    return h("div", { class: "ribbon", "aria-hidden": "true" }, row(this.run, false), this.ghost?.complete ? row(this.ghost, true) : null,
      h("u", { css: { left: `${(100 * this.tick) / this.run.horizon}%` } }));
  }

  sentence(line) {
    const cause = line.cause !== undefined && line.cause !== null ? t(`cause.${this.causes[line.cause].id}`) : "";
    switch (line.kind) {
      case "begins": return line.to ? [w("card.begins"), " ", this.where(line.to)] : w("card.begins_outside");
      case "came": return [w("card.came"), " ", this.where(line.to)];
      case "replaced": return w("card.replaced");
      default: {
        const shares = (line.causes ?? []).map(([place, share]) => `${t(`cause.${this.causes[place].id}`)} ${percent(share)}`).join(w("list_gap"));
        return [w("card.left"), " ", this.where(line.from), line.to ? [" ", w("card.for"), " ", this.where(line.to)] : "", w("card.because"), shares || cause];
      }
    }
  }

  causesOf(line) {
    return line.causes.length ? line.causes.map(([place]) => this.causes[place].id) : [this.causes[line.cause].id];
  }

  // The departure that is spoken of: the last one so far, else the one that is to come.
  departure() {
    const left = this.story(this.run, this.run.last).filter((line) => line.kind === "left");
    return left.filter((line) => line.tick <= this.tick).at(-1) ?? left[0];
  }

  stop() {
    const line = this.departure();
    if (!line) return null;
    const { dot, run } = this;
    const known = this.stopped?.dot === dot && this.stopped.run === run && this.stopped.answer.tick === line.tick;
    if (known) return this.stopping.forCustomer(this.stopped.answer);
    const told = { tick: tickLabel(run.head.tick, line.tick), firm: both(run.firms[line.from - 1].name) };
    return h("button", { type: "button", class: "quiet wide", onclick: async (event) => {
      event.target.disabled = true;
      event.target.textContent = w("play.computing");
      const answer = await this.stopping.ask({ dot, tick: line.tick });
      if (run !== this.run || dot !== this.dot) return;
      if (answer) this.stopped = { dot, run, answer };
      this.render();
      this.holder.querySelector(".stopped")?.focus();
    } }, w(line.tick <= this.tick ? "stop.ask" : "stop.ask_ahead", told));
  }

  // The same customer with the same luck in the other future.
  other() {
    if (!this.ghost?.frames[this.tick]) return null;
    const before = this.ghost.frames[this.tick].states[this.dot] & PROVIDER;
    const now = this.run.frame(this.tick).states[this.dot] & PROVIDER;
    if (before === now) return h("p", { class: "hint" }, w("card.same_before"));
    return h("p", { class: "hint strong" }, w("card.before"), " ", this.where(before));
  }

  asked() {
    if (this.full) return this.inFull(this.full);
    return h("button", { type: "button", class: "quiet wide", onclick: async (event) => {
      event.target.disabled = true;
      const [run, tick, dot] = [this.run, this.tick, this.dot];
      const full = await this.ask(dot, tick);
      if (!full || run !== this.run || dot !== this.dot) return;
      Object.assign(this, { full, fullOf: run, fullAt: this.tick === tick ? tick : null });
      this.render();
    } }, w("card.more"));
  }

  inFull(full) {
    const { currency, unknown } = this.run.head;
    // What holds customers is as much worth as money where money is known, else a number beside others.
    const told = (value) => (unknown.length ? number(value, 1) : money(value, currency, 1));
    const parts = [];
    const last = full.moves.filter((move) => move.tick <= this.tick && move.parts.length).at(-1);
    if (last) {
      parts.push(h("h3", {}, w("card.decided", { tick: tickLabel(this.run.head.tick, last.tick) })),
        h("ul", { class: "forces" }, last.parts.map((part) => h("li", {}, h("span", {}, t(`cause.${part.cause}`)), h("b", {}, told(part.money)), part.decisive ? h("em", {}, w("card.decisive")) : null))),
        h("p", { class: "hint" }, w("card.margin", { money: told(last.margin) })));
    }
    if (full.holds) {
      const forces = [...Object.entries(full.holds.drivers), ...Object.entries(full.holds.resistances)].filter(([, value]) => Math.abs(value) >= 0.5);
      const most = Math.max(...forces.map(([, value]) => Math.abs(value)), 1);
      const place = this.run.firms.findIndex((firm) => firm.id === full.holds.alternative);
      parts.push(h("h3", {}, w("card.holds"), " ", this.where(place + 1)),
        h("ul", { class: "forces bars" }, forces.map(([name, value]) => h("li", {}, h("span", {}, w(`force.${name}`)),
          h("i", { class: value < 0 ? "minus" : "plus", css: { "--size": `${(50 * Math.abs(value)) / most}%` } }), h("b", {}, told(value))))),
        h("p", { class: "hint" }, w(`card.held.${full.holds.held}`, { money: told(Math.abs(full.holds.margin)) })));
    } else {
      parts.push(h("p", { class: "hint" }, w("card.holds_nobody")));
    }
    return h("div", { class: "in-full" }, parts);
  }
}
