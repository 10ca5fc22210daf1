// About: what the model is, what it is not, where its numbers come from.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { both, w } from "./texts.js";

const FLOW = ["firms", "offers", "look", "choose", "serve", "talk", "books"];
const LIMITS = ["not_forecast", "slogans", "seeds", "simple"];

export class AboutPage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "page about" });
  }

  async open() {
    const { start } = this.lab;
    const about = await get(`/api/scenario/${encodeURIComponent(start.first)}`);
    replace(this.main,
      h("h1", {}, w("about.title")), h("p", { class: "lead" }, w("about.lead")),
      h("section", { class: "card prose" }, h("h2", {}, w("about.tick")), h("ol", { class: "flow" }, FLOW.map((step) => h("li", {}, h("b", {}, w(`about.flow.${step}.name`)), h("span", {}, w(`about.flow.${step}.text`)))))),
      h("div", { class: "pair" },
        h("section", { class: "card prose" }, h("h2", {}, w("about.why")), h("p", {}, w("about.why_text"))),
        h("section", { class: "card prose" }, h("h2", {}, w("about.luck")), h("p", {}, w("about.luck_text")))),
      h("section", { class: "card prose caution" }, h("h2", {}, w("about.limits")), h("ul", {}, LIMITS.map((name) => h("li", {}, w(`about.limit.${name}`))))),
      h("section", { class: "card prose" }, h("h2", {}, w("concept.title")), h("p", {}, w("concept.lead")), this.lab.concepts.index(this.lab.link.concept)),
      h("section", { class: "card prose" }, h("h2", {}, w("about.sources", { scenario: both(about.title) })), h("ul", {}, about.sources.map((source) => h("li", {}, both(source)))), h("p", { class: "hint" }, w("about.sources_hint"))),
      h("section", { class: "card prose" }, h("h2", {}, w("about.keys")), h("table", { class: "data keys" }, h("tbody", {}, [["Space", "space"], ["← →", "arrows"], ["Shift + ← →", "shift"], ["Home End", "ends"], ["1 – 5", "speed"], ["U", "undo"], ["C", "customer"], ["L", "language"]].map(([key, name]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, w(`about.key.${name}`))))))),
      h("section", { class: "card prose" }, h("h2", {}, w("about.made")), h("p", {}, w("about.version", { version: start.version })), h("p", {}, w("about.licences"), " ", h("a", { href: "/static/vendor/uPlot.LICENSE" }, "uPlot")), h("p", {}, w("about.privacy"))));
  }
}
