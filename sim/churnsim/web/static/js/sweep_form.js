// A small sweep, started here: two factors, some values each, some seeds; in the background, and stoppable.

import { get, post } from "./api.js";
import { button, h, replace } from "./dom.js";
import { leverText } from "./levers.js";
import { both, number, percent, w } from "./texts.js";

const POLL = 700;
const ENOUGH = 500;

export class SweepForm {
  constructor(lab, { onDone }) {
    Object.assign(this, { lab, onDone });
    this.body = h("div", { class: "sweep-form" });
    this.node = h("details", { class: "card starts", ontoggle: () => this.node.open && !this.about && this.load(this.lab.start.first) }, h("summary", {}, w("start.title")), this.body);
  }

  async load(name) {
    this.about = await this.lab.guarded(() => get(`/api/scenario/${encodeURIComponent(name)}`));
    if (!this.about) return;
    const firms = Object.fromEntries(this.about.firms.map((firm) => [firm.id, both(firm.name)]));
    this.levers = this.about.levers.filter((lever) => (lever.kind === "number" || lever.kind === "choice") && lever.works && lever.value !== null && !lever.path.endsWith(".strategy"));
    this.nameOf = (lever) => [firms[lever.owner], both(lever.label)].filter(Boolean).join(w("colon"));
    this.levers.sort((a, b) => Number(b.main) - Number(a.main));
    this.fields = [0, 1].map((place) => this.factor(place));
    this.build();
  }

  build() {
    const { limits } = this.lab.start;
    const scenarios = h("select", { onchange: (event) => this.load(event.target.value) }, h("option", { value: this.about.id }, both(this.about.title)));
    this.lab.scenarios().then((all) => scenarios.append(...all.filter((one) => one.id !== this.about.id).map((one) => h("option", { value: one.id }, both(one.title)))));
    this.customers = h("input", { type: "number", min: 20, max: limits.customers, step: 10, value: Math.min(ENOUGH, this.about.customers), oninput: () => this.count() });
    this.seeds = h("input", { type: "number", min: 1, max: limits.sweep_seeds, step: 1, value: Math.min(10, limits.sweep_seeds), oninput: () => this.count() });
    this.size = h("p", { class: "hint", role: "status" });
    this.start = button(w("start.run"), "play", () => this.begin(), { class: "primary" });
    this.under = h("div", {});
    replace(this.body,
      h("p", { class: "hint" }, w("start.lead")),
      h("label", { class: "wide-label" }, h("span", {}, w("play.scenario")), scenarios),
      this.fields.map((field) => field.node),
      h("div", { class: "toolbar" }, h("label", {}, h("span", {}, w("play.customers")), this.customers), h("label", {}, h("span", {}, w("compare.seeds")), this.seeds), this.start),
      this.size, this.under);
    this.count();
  }

  factor(place) {
    const { limits } = this.lab.start;
    const field = {};
    const ends = h("span", { class: "factor-ends" });
    const choose = () => {
      const lever = (field.lever = this.levers.find((one) => one.path === field.select.value) ?? null);
      if (!lever) replace(ends);
      else if (lever.kind === "choice") replace(ends, h("span", { class: "hint" }, lever.options.map((option) => leverText(lever, option, { currency: this.about.currency })).join(w("list_gap"))));
      else {
        field.low = h("input", { type: "number", step: "any", value: lever.low, "aria-label": w("sense.low"), oninput: () => this.count() });
        field.high = h("input", { type: "number", step: "any", value: lever.high, "aria-label": w("sense.high"), oninput: () => this.count() });
        field.levels = h("input", { type: "number", min: 2, max: limits.levels, step: 1, value: Math.min(5, limits.levels), oninput: () => this.count() });
        replace(ends, h("label", {}, h("span", {}, w("start.from")), field.low), h("label", {}, h("span", {}, w("start.to")), field.high), h("label", {}, h("span", {}, w("start.values")), field.levels));
      }
      if (this.size) this.count();
    };
    const first = this.levers[place === 0 ? 0 : this.levers.findIndex((one) => one.owner !== this.levers[0]?.owner)];
    field.select = h("select", { onchange: choose }, place ? h("option", { value: "" }, w("start.one_only")) : null, this.levers.map((one) => h("option", { value: one.path, selected: one === first }, this.nameOf(one))));
    field.node = h("div", { class: "factor" }, h("label", { class: "wide-label" }, h("span", {}, w("start.factor", { number: place + 1 })), field.select), ends);
    choose();
    return field;
  }

  values(field) {
    const { lever } = field;
    if (lever.kind === "choice") return lever.options.slice(0, this.lab.start.limits.levels);
    const [low, high, count] = [Number(field.low.value), Number(field.high.value), Math.max(2, Math.floor(Number(field.levels.value)) || 2)];
    const whole = lever.step === 1 && Number.isInteger(lever.low);
    const all = Array.from({ length: count }, (_, k) => low + (k * (high - low)) / (count - 1)).map((value) => (whole ? Math.round(value) : Number(value.toPrecision(6))));
    return [...new Set(all)];
  }

  asked() {
    const factors = {};
    for (const field of this.fields) if (field.lever) factors[field.lever.path] = this.values(field);
    return { scenario: this.about.id, set: { "customers.count": Math.floor(Number(this.customers.value)) || 0 }, factors, seeds: Math.floor(Number(this.seeds.value)) || 0, lang: this.lab.lang };
  }

  // How large it is, before anything is sent: what is too large cannot be started.
  count() {
    const asked = this.asked();
    const runs = Object.values(asked.factors).reduce((product, values) => product * values.length, asked.seeds);
    const work = runs * asked.set["customers.count"] * (this.about.burn_in + this.about.horizon);
    const most = this.lab.start.limits.sweep;
    const over = work > most;
    replace(this.size, w(over ? "start.too_large" : "start.size", { runs: number(runs), part: percent(work / most) }));
    this.size.classList.toggle("over", over);
    this.start.disabled = over || Boolean(this.running);
  }

  async begin() {
    const started = await this.lab.guarded(() => post("/api/sweeps", this.asked()));
    if (!started) return;
    this.running = started;
    this.count();
    const bar = h("progress", { max: 1, value: 0, "aria-label": w("compare.progress") });
    const says = h("p", { class: "hint", role: "status" });
    const stop = button(w("start.stop"), "close", () => this.lab.guarded(() => post(`/api/sweeps/${started.name}/stop`, { key: started.key, lang: this.lab.lang })), { class: "quiet" });
    replace(this.under, bar, says, stop, h("p", { class: "hint" }, w("start.again")), h("pre", {}, h("code", {}, started.command)));
    const look = async () => {
      const now = await this.lab.guarded(() => get(`/api/sweeps/${started.name}`));
      if (!now || this.closed) return;
      bar.value = now.total ? now.done / now.total : 0;
      replace(says, w(`start.state.${now.state}`, { done: number(now.done), total: number(now.total) }));
      if (now.state === "running") {
        setTimeout(look, POLL);
        return;
      }
      this.running = null;
      stop.remove();
      this.count();
      if (now.done) this.onDone(now.name);
    };
    await look();
  }

  close() {
    this.closed = true;
  }
}
