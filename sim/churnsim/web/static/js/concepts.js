// The course's concepts: chips beside what embodies them, and what the course says behind each.

import { get } from "./api.js";
import { dialog } from "./dialog.js";
import { h } from "./dom.js";
import { both, w } from "./texts.js";

export class Concepts {
  constructor(lab) {
    this.lab = lab;
  }

  // All of them, asked for once.
  all() {
    this.asked ??= get("/api/concepts").catch((error) => {
      this.asked = null;
      throw error;
    });
    return this.asked;
  }

  chip(concept) {
    return h("button", { type: "button", class: "concept", "aria-haspopup": "dialog", onclick: (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.open(concept);
    } }, both(concept.name));
  }

  list(concepts) {
    return concepts.map((concept) => h("li", {}, this.chip(concept)));
  }

  // The chips of concepts by id, as a lesson names them.
  chips(ids) {
    return this.filled((all) => ids.map((id) => all.find((one) => one.id === id)).filter(Boolean));
  }

  // The chips of what embodies something: "cause:price", "measure:churn", "parameter:firms.*.service".
  of(...references) {
    return this.filled((all) => all.filter((one) => references.some((reference) => one.of.includes(reference))));
  }

  filled(choose) {
    const node = h("ul", { class: "concepts", "aria-label": w("concept.some") });
    node.hidden = true;
    this.all().then((all) => {
      node.append(...this.list(choose(all)));
      node.hidden = !node.childElementCount;
    }).catch(() => node.remove());
    return node;
  }

  open(concept) {
    const shown = concept.shown.map(({ kind, label }) => h("li", {}, h("small", {}, w(`concept.kind.${kind}`)), " ", both(label)));
    const go = (link) => (event) => {
      opened.close();
      this.lab.follow(event, link);
    };
    const lessons = h("ul", { class: "plain" });
    if (concept.lessons.length) {
      this.lab.lessons().then((all) => lessons.append(...all.filter((one) => concept.lessons.includes(one.id)).map((one) => h("li", {}, h("a", { href: `#p=lessons&lesson=${one.id}&lang=${this.lab.lang}`, onclick: go({ p: "lessons", lesson: one.id }) }, `${one.number}. ${both(one.title)}`))))).catch((error) => this.lab.complain(error));
    }
    const opened = dialog(both(concept.name),
      h("p", { class: "crumb" }, `${concept.section.id} ${both(concept.section.title)}`),
      h("h3", {}, w("concept.says")), h("p", { class: "big" }, both(concept.says)),
      concept.reason ? h("p", { class: "hint" }, h("b", {}, w("concept.reason")), " ", both(concept.reason)) : null,
      shown.length ? [h("h3", {}, w("concept.shown")), h("ul", { class: "plain" }, shown)] : null,
      concept.lessons.length ? [h("h3", {}, w("concept.lessons")), lessons] : null,
      h("p", {}, h("a", { href: `#p=about&concept=${concept.id}&lang=${this.lab.lang}`, onclick: go({ p: "about", concept: concept.id }) }, w("concept.all"))));
    return opened;
  }

  // Every concept by section, for the page about the model; the section of one that a link names is open.
  index(of) {
    const node = h("div", {});
    this.all().then((all) => {
      const sections = [...new Map(all.map((one) => [one.section.id, one.section])).values()];
      const named = all.find((one) => one.id === of);
      node.append(...sections.map((section) => {
        const own = all.filter((one) => one.section.id === section.id);
        return h("details", { class: "more", open: named?.section.id === section.id }, h("summary", {}, `${section.id} ${both(section.title)}${w("in_brackets", { text: own.length })}`), h("ul", { class: "concepts" }, this.list(own)));
      }));
      const open = node.querySelector("details[open]");
      open?.scrollIntoView({ block: "center" });
      open?.querySelectorAll("button")[all.filter((one) => one.section.id === named.section.id).indexOf(named)]?.focus({ preventScroll: true });
    }).catch((error) => this.lab.complain(error));
    return node;
  }
}
