// A game that was played in simulated markets: what each firm earns for every pair of strategies.

import { button, h, replace, saveCsv } from "./dom.js";
import { cividis, short } from "./plots.js";
import { both, has, measureName, number, percent, settingText, shown, t, w } from "./texts.js";

export class GameCards {
  constructor(lab, game) {
    Object.assign(this, { lab, game, level: 0 });
    this.node = h("div", { class: "results" });
    this.draw();
  }

  firm(id) {
    return both(this.game.names?.[id]) || id;
  }

  strategy(name) {
    return has(`strategy.${name}.name`) ? t(`strategy.${name}.name`) : has(`strategy.${name}`) ? t(`strategy.${name}`) : name;
  }

  format(value) {
    return shown(this.game.payoff, value, this.game.currency ?? "CNY");
  }

  draw() {
    const { game } = this;
    const level = game.levels[this.level];
    const choice = game.levels.length > 1 ? h("label", {}, h("span", {}, both(game.vary_name) || game.vary), h("select", { onchange: (event) => {
      this.level = Number(event.target.value);
      this.draw();
    } }, game.levels.map((one, k) => h("option", { value: k, selected: k === this.level }, settingText(one.level, game.vary_unit, game.currency ?? "CNY", game.tick))))) : null;
    const payoff = has(`measure.firm.${game.payoff}`) ? measureName(game.payoff) : game.payoff;
    replace(this.node,
      h("section", { class: "card" }, choice ? h("div", { class: "toolbar" }, choice) : null, h("h2", {}, w("game.equilibria")), level.equilibria.length ? h("ul", {}, level.equilibria.map((one) => h("li", {}, this.sentence(one)))) : h("p", {}, w("game.none")), h("p", { class: "hint" }, w("game.size", { strategies: game.strategies.length, replications: number(game.replications), payoff }))),
      h("div", { class: "pair" }, (game.symmetric ? game.firms.slice(0, 1) : game.firms).map((firm, place) => this.table(level, firm, place, payoff))),
      h("p", { class: "hint" }, w("game.hint")));
  }

  sentence(one) {
    const parts = this.game.firms.map((firm) => {
      const mix = Object.entries(one.strategies[firm] ?? {}).map(([name, part]) => (one.pure || part === null ? this.strategy(name) : `${this.strategy(name)} ${percent(part)}`));
      return `${this.firm(firm)}${w("colon")}${mix.join(" + ")}`;
    });
    const sure = one.probability === null ? "" : w("in_brackets", { text: w("game.supported", { part: percent(one.probability) }) });
    return parts.join(w("list_gap")) + sure;
  }

  // Rows: the first firm's strategy; columns: the second's. A dot: the best reply to what the other does.
  table(level, firm, place, payoff) {
    const { strategies, firms } = this.game;
    const cells = level.payoffs[place];
    const flat = cells.flat().map(([mean]) => mean).filter((mean) => mean !== null);
    const [low, high] = [Math.min(...flat), Math.max(...flat)];
    const best = (i, j) => (place === 0 ? cells.every((row) => row[j][0] <= cells[i][j][0]) : cells[i].every(([mean]) => mean <= cells[i][j][0]));
    const pure = new Set(level.equilibria.filter((one) => one.pure).map((one) => firms.map((name) => Object.keys(one.strategies[name])[0]).join(" ")));
    const rows = [[`${firms[0]} \\ ${firms[1]}`, ...strategies], ...strategies.map((name, i) => [name, ...cells[i].map(([mean]) => mean)])];
    return h("section", { class: "card" }, h("h2", {}, w("game.earns", { payoff, firm: this.game.symmetric ? w("game.row_firm") : this.firm(firm) })),
      h("div", { class: "scroll-x" }, h("table", { class: "payoffs" },
        h("thead", {}, h("tr", {}, h("td", {}), h("th", { colspan: strategies.length, scope: "colgroup" }, this.game.symmetric ? w("game.other_firm") : this.firm(firms[1]))), h("tr", {}, h("th", { scope: "col" }, this.game.symmetric ? w("game.row_firm") : this.firm(firms[0])), strategies.map((name) => h("th", { scope: "col" }, short(this.strategy(name), 18))))),
        h("tbody", {}, strategies.map((name, i) => h("tr", {}, h("th", { scope: "row" }, this.strategy(name)), cells[i].map(([mean, from, to], j) => {
          const part = (mean - low) / (high - low || 1);
          const marks = [best(i, j) ? "●" : "", pure.has(`${name} ${strategies[j]}`) ? "★" : ""].join("");
          return h("td", { css: { background: cividis(part), color: part > 0.55 ? "#111" : "#fff" }, title: w("interval", { low: this.format(from), high: this.format(to) }) }, this.format(mean), marks ? h("b", { "aria-label": [best(i, j) ? w("game.best_reply") : "", pure.has(`${name} ${strategies[j]}`) ? w("game.equilibrium") : ""].filter(Boolean).join(w("list_gap")) }, ` ${marks}`) : null);
        })))))),
      button(w("csv"), "down", () => saveCsv(`payoffs-${firm}.csv`, rows), { class: "quiet" }));
  }
}
