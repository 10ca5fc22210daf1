// Levers, made from the parameters' declarations: label, unit, bounds, plausible range and source.

import { h, iconButton, replace } from "./dom.js";
import { marker } from "./panels.js";
import { both, has, money, number, percent, t, tickName, unitName, w } from "./texts.js";

const LEVELS = ["basic", "reactive", "accountable", "proactive", "partnership"];
// Measures that show what a lever has come to in a tick, whoever moved it.
const IN_FORCE = { price: "price", service: "service", training: "training" };

export function leverText(lever, value, head) {
  if (value === null || value === undefined) return w("lever.none");
  if (lever.kind === "switch") return w(value ? "lever.on" : "lever.off");
  if (lever.kind === "strategy") return t(`strategy.${value}`);
  if (lever.kind === "choice") {
    const name = has(`web.level.${value}`) ? w(`level.${value}`) : String(value);
    const cost = lever.costs?.[value];
    return cost === undefined ? name : `${name}${w("in_brackets", { text: money(cost, head.currency, 1) })}`;
  }
  const digits = lever.step >= 1 ? 0 : Math.min(4, Math.ceil(-Math.log10(lever.step)));
  if (/^share/.test(lever.unit)) return percent(value, Math.max(0, digits - 2));
  if (/^currency/.test(lever.unit)) {
    const set = Number(value.toFixed(digits));
    return money(set, head.currency, 1, (String(set).split(".")[1] ?? "").length);
  }
  return number(value, digits);
}

// What a lever is called where the course's concepts name what embodies them.
function reference({ path, owner }) {
  if (owner === "mechanisms") return path.replace("mechanisms.", "mechanism:");
  return owner === "customers" ? `parameter:${path.replace(/\.(mean|value)$/, "")}` : `parameter:${path.replace(`firms.${owner}.`, "firms.*.")}`;
}

export class Levers {
  constructor(holder, { onMove, controls = null, concepts = null }) {
    this.holder = holder;
    this.concepts = concepts;
    this.onMove = onMove;
    this.controls = controls;
    this.fields = [];
    this.opened = new Set();
  }

  // Build all levers anew; called when scenario, strategy or language change.
  build(levers, head) {
    Object.assign(this, { levers, head, fields: [] });
    const shownHere = (lever) => !this.controls || this.controls.some((path) => lever.path === path || (lever.start && lever.path.startsWith(`${path}.`)));
    const fieldsets = head.firms.map((firm, place) => {
      const own = levers.filter((lever) => lever.owner === firm.id && shownHere(lever));
      const main = this.controls ? own : own.filter((lever) => this.inSight(lever, own));
      const more = this.controls ? [] : own.filter((lever) => !main.includes(lever) && lever.works);
      if (!own.length) return null;
      return h("fieldset", { class: `levers firm-${place}` },
        h("legend", {}, marker(place), both(firm.name)),
        main.map((lever) => this.field(lever, place)),
        more.length ? this.folded(`${firm.id}`, w("lever.more", { count: more.length }), more, place) : null);
    });
    const rest = this.controls ? levers.filter((lever) => ["customers", "mechanisms"].includes(lever.owner) && shownHere(lever)) : [];
    const groups = this.controls ? [] : ["customers", "mechanisms"].map((owner) => {
      const own = levers.filter((lever) => lever.owner === owner && (owner === "mechanisms" || lever.works));
      return this.folded(owner, w(`lever.${owner}`, { count: own.length }), own, null);
    });
    replace(this.holder, fieldsets, rest.length ? h("fieldset", { class: "levers" }, h("legend", {}, w("lever.market")), rest.map((lever) => this.field(lever, null))) : null,
      groups.length ? h("div", { class: "levers" }, groups) : null);
  }

  // A lever that the strategy moves by itself need not stand there twice, nor one that is not in use.
  inSight(lever, own) {
    if (lever.kind === "strategy") return true;
    if (lever.path.includes(".strategy.")) return lever.value !== null;
    const driven = { relationship: "level", training: "training", service: "service" }[lever.path.split(".").at(-1)];
    return lever.main && !own.some((other) => driven && other.path.endsWith(`.strategy.${driven}`));
  }

  // Levers that few will look for are made when they are unfolded.
  folded(key, label, levers, place) {
    const body = h("div", { class: "folded" });
    const fill = () => {
      if (!body.childElementCount) {
        replace(body, levers.map((lever) => this.field(lever, place)));
        if (this.shownAt) this.show(...this.shownAt);
      }
    };
    const node = h("details", { class: "more", open: this.opened.has(key), ontoggle: () => {
      if (node.open) {
        this.opened.add(key);
        fill();
      } else this.opened.delete(key);
    } }, h("summary", {}, label), body);
    if (node.open) fill();
    return node;
  }

  field(lever, place) {
    const id = `lever-${lever.path.replaceAll(".", "-")}`;
    const said = h("output", { class: "lever-value", for: id });
    const why = h("div", { class: "lever-why", hidden: true }, h("p", {}, this.about(lever)));
    const input = this.input(lever, id);
    const moved = () => this.onMove(lever, this.valueOf(lever, input));
    input.addEventListener("change", moved);
    if (lever.kind === "number") input.addEventListener("input", () => replace(said, leverText(lever, this.valueOf(lever, input), this.head)));
    const field = { lever, place, input, said };
    this.fields.push(field);
    const explain = iconButton(w("lever.about", { name: both(lever.label) }), "info", () => {
      why.hidden = !why.hidden;
      if (!why.hidden && why.childElementCount === 1 && this.concepts) why.append(this.concepts(reference(lever)));
      explain.setAttribute("aria-expanded", String(!why.hidden));
    }, { class: "explain", "aria-expanded": "false" });
    return h("div", { class: `lever ${lever.kind}` },
      h("div", { class: "lever-head" }, h("label", { for: id }, both(lever.label)), said, explain), input, why);
  }

  input(lever, id) {
    if (lever.kind === "number") {
      return h("input", { type: "range", id, min: lever.low, max: lever.high, step: lever.step });
    }
    if (lever.kind === "switch") return h("input", { type: "checkbox", id, role: "switch" });
    return h("select", { id }, lever.options.map((option) => h("option", { value: option }, leverText(lever, option, this.head))));
  }


  valueOf(lever, input) {
    if (lever.kind === "number") return Number(input.value);
    if (lever.kind === "switch") return input.checked;
    return input.value;
  }

  about(lever) {
    const parts = [];
    const unit = unitName(lever.unit, this.head.currency, this.head.tick);
    if (lever.start) parts.push(w("lever.from_start"));
    if (unit) parts.push(w("lever.unit", { unit }));
    if (lever.kind === "number") parts.push(w(lever.own ? "lever.around" : "lever.range", { low: leverText(lever, lever.low, this.head), high: leverText(lever, lever.high, this.head) }));
    if (lever.costs) parts.push(w("lever.costs", { tick: tickName(this.head.tick).toLowerCase() }));
    parts.push(lever.source ? w("lever.source", { source: both(lever.source) }) : w("lever.assumed"));
    parts.push(lever.path);
    return parts.join(" · ");
  }

  // Put every lever where it stands at a tick.
  show(run, tick, moves) {
    this.shownAt = [run, tick, moves];
    for (const { lever, place, input, said } of this.fields) {
      if (input === document.activeElement && lever.kind === "number" && input.matches(":active")) continue;
      const value = this.standing(lever, place, run, tick, moves);
      if (lever.kind === "switch") input.checked = Boolean(value);
      else if (value !== null && value !== undefined) input.value = value;
      replace(said, lever.kind === "number" ? leverText(lever, value, this.head) : "");
    }
  }

  // A move holds until the strategy is changed; without one, what the firm did in the tick.
  standing(lever, place, run, tick, moves) {
    const strategy = place === null ? null : `firms.${this.head.firms[place].id}.strategy`;
    let said;
    for (const move of moves) {
      if (move.tick > tick + 1) continue;
      if (move.path === lever.path) said = move.value;
      else if (move.path === strategy) said = undefined;
    }
    if (said !== undefined) return said;
    const name = lever.path.split(".").slice(2).join(".");
    if (place !== null && tick > 0 && IN_FORCE[name]) return run.value(IN_FORCE[name], place, tick) ?? lever.value;
    if (place !== null && tick > 0 && name === "relationship") return LEVELS[run.frame(tick)?.level?.[place]] ?? lever.value;
    return lever.value;
  }
}
