// What would stop this: the changes of a firm's levers that would have kept a customer, or many. Each is a run of its own.

import { dialog } from "./dialog.js";
import { button, h, replace } from "./dom.js";
import { leverText } from "./levers.js";
import { both, money, number, percent, signed, tickCount, tickLabel, tickName, w } from "./texts.js";

const RELATIVE = /\.(price|capacity)$/; // levers that are changed by parts of what they are

export class Stopping {
  // `ask` asks the server; `levers` are all of the scenario; `head` is that of the run; `onTry` makes the move.
  constructor({ ask, levers, head, onTry }) {
    Object.assign(this, { ask, levers, head, onTry });
  }

  change({ path, before, value }) {
    const lever = this.levers().find((one) => one.path === path);
    const told = (one) => leverText(lever, one, this.head());
    const part = typeof before === "number" && before > 0 ? value / before - 1 : null;
    const relative = part !== null && RELATIVE.test(path) ? w("in_brackets", { text: signed(percent(part), part) }) : "";
    return h("b", {}, w("stop.change", { lever: both(lever.label), value: told(value) + relative, before: told(before) }));
  }

  move(one, close) {
    return button(w("stop.try"), "play", () => {
      close?.();
      this.onTry(one.from, one.path, one.value);
    }, { class: "quiet" });
  }

  remedy(one, said, close = null) {
    const free = one.path.endsWith(".capacity") ? h("small", {}, w("stop.free")) : null;
    return h("li", {}, h("div", {}, this.change(one), h("span", {}, said), free), this.move(one, close));
  }

  // For one customer: which change of the firm that was left would have kept them, and by when.
  forCustomer({ found, firm, tried, stays, tick }) {
    const { tick: unit, firms } = this.head();
    const name = both(firms.find((one) => one.id === firm).name);
    const early = (from) => (from === tick ? w("stop.in_time", { tick: tickName(unit).toLowerCase() }) : w("stop.before", { tick: tickLabel(unit, from), time: tickCount(unit, tick - from) }));
    return h("div", { class: "stopped", tabindex: "-1" },
      h("h3", {}, w("stop.customer_title", { firm: name, tick: tickLabel(unit, tick) })),
      found.length ? h("ul", { class: "remedies" }, found.map((one) => this.remedy(one, early(one.from)))) : h("p", {}, w("stop.nothing", { firm: name })),
      h("p", { class: "hint" }, w("stop.how", { tried: number(tried), time: tickCount(unit, stays) })));
  }

  // For everybody who left a firm of late.
  forFirm({ found, firm, tried, market, customers, lost, from, tick }, close) {
    const { tick: unit, firms, currency, unknown, customers: all } = this.head();
    const name = both(firms.find((one) => one.id === firm).name);
    const said = (one) => [
      w("stop.kept", { kept: number(one.kept), lost: number(lost) }),
      one.others ? w("stop.others", { count: number(one.others) }) : "",
      unknown.includes("profit") ? "" : h("span", { class: "together" }, w("stop.profit", { money: signed(money(one.profit, currency), one.profit) })),
    ].filter(Boolean).flatMap((part, place) => (place ? [w("stop.gap"), part] : [part]));
    return h("div", {},
      market < all ? h("p", { class: "note" }, w("stop.smaller", { market: number(market), all: number(all) })) : null,
      h("p", {}, w("stop.firm_lead", { firm: name, customers: number(customers), lost: number(lost), from: tickLabel(unit, from), tick: tickLabel(unit, tick) })),
      found.length ? h("ul", { class: "remedies" }, found.map((one) => this.remedy(one, said(one), close))) : h("p", {}, w("stop.firm_nothing", { firm: name })),
      h("p", { class: "hint" }, w("stop.firm_how", { tried: number(tried), from: tickLabel(unit, from) })));
  }

  // The dialog that the panel of causes opens: firm by firm.
  open(first, tick) {
    const { firms } = this.head();
    const body = h("div", { "aria-live": "polite" });
    const show = async (firm) => {
      const asked = (this.asked = {});
      replace(body, h("p", { class: "hint" }, w("play.computing")));
      const answer = await this.ask({ firm, tick });
      if (asked !== this.asked) return;
      replace(body, answer ? this.forFirm(answer, () => opened.close()) : null);
    };
    const choice = h("select", { onchange: (event) => show(event.target.value) }, firms.map((firm) => h("option", { value: firm.id, selected: firm.id === first }, both(firm.name))));
    const opened = dialog(w("stop.title"), h("div", { class: "toolbar" }, h("label", {}, h("span", {}, w("compare.firm")), choice)), body);
    show(first);
  }
}
