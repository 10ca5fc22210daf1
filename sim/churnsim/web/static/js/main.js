// The laboratory: language, pages, link.

import { AboutPage } from "./about.js";
import { get, Refused } from "./api.js";
import { ComparePage } from "./compare.js";
import { Concepts } from "./concepts.js";
import { button, h, replace, toast } from "./dom.js";
import { LessonsPage } from "./lessons.js";
import { readLink, writeLink } from "./link.js";
import { PlayPage } from "./play.js";
import { SheetPage } from "./sheet.js";
import { SweepsPage } from "./sweeps.js";
import { number, sentences, setTexts, w } from "./texts.js";
import { takeDrops } from "./workbook.js";

const TABS = { play: PlayPage, compare: ComparePage, lessons: LessonsPage, sweeps: SweepsPage, about: AboutPage };
const PAGES = { ...TABS, sheet: SheetPage };
const LANGUAGES = ["en", "zh"];

const LOST = /fetch|network|load failed/i;

class Laboratory {
  async open() {
    this.link = readLink(location.hash);
    this.start = await get("/api/start");
    this.concepts = new Concepts(this);
    await this.speak(LANGUAGES.includes(this.link.lang) ? this.link.lang : preferred());
    if (!this.start.ready) this.warm();
    await this.turn();
    takeDrops(this);
  }

  // The list of scenarios, asked for once: the server reads all their files for it.
  scenarios() {
    this.listed ??= get("/api/scenarios");
    return this.listed;
  }

  // The lessons there are, asked for once.
  lessons() {
    this.taught ??= get("/api/lessons");
    return this.taught;
  }

  get lang() {
    return this.link.lang;
  }

  async speak(lang) {
    this.link.lang = lang;
    setTexts(lang, await get(`/api/texts/${lang}`));
    document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
    document.getElementById("skip").textContent = w("skip");
  }

  header() {
    const page = PAGES[this.link.p] ? this.link.p : "play";
    const other = this.lang === "zh" ? "en" : "zh";
    replace(document.getElementById("bar"),
      h("a", { class: "brand", href: "#p=play", onclick: (event) => this.follow(event, { p: "play" }) }, w("title")),
      h("nav", { "aria-label": w("pages") }, Object.keys(TABS).map((name) => h("a", {
        href: `#p=${name}`, "aria-current": name === (page === "sheet" ? "lessons" : page) ? "page" : null, onclick: (event) => this.follow(event, { p: name }),
      }, w(`page.${name}`)))),
      h("div", { class: "grow" }),
      button(w(other === "zh" ? "language.zh_zh" : "language.en"), null, () => this.switchLanguage(other), { class: "language", lang: other === "zh" ? "zh-Hans" : "en" }));
    document.title = `${w(`page.${page}`)} · ${w("title")}`;
  }

  follow(event, link) {
    event.preventDefault();
    this.go(link);
  }

  // Go to another page; the language stays, and what is said of a scenario stays with the pages that share it.
  async go(link) {
    const kept = link.keep ? this.link : {};
    this.link = { set: {}, moves: [], ...kept, ...link, lang: this.lang };
    delete this.link.keep;
    history.pushState(null, "", writeLink(this.link));
    await this.turn();
    window.scrollTo(0, 0);
  }

  async turn() {
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    this.page?.close?.();
    this.header();
    const main = document.getElementById("main");
    const page = (this.page = new (PAGES[this.link.p] ?? PlayPage)(this));
    replace(main, page.main);
    const patience = h("p", { class: "hint" }, w("loading"));
    const slow = setTimeout(() => !page.main.childElementCount && page.main.append(patience), 400);
    try {
      await page.open();
    } catch (error) {
      patience.remove();
      if (error.name !== "AbortError") {
        this.strand(page, error);
        this.complain(error);
      }
    }
    clearTimeout(slow);
    this.save();
  }

  // A page that has nothing to show, since its link leads nowhere, says so and where to go from here.
  strand(page, error) {
    if (page.main.childElementCount || !(error instanceof Refused)) return;
    const to = page instanceof LessonsPage || page instanceof SheetPage ? { p: "lessons" } : { p: PAGES[this.link.p] ? this.link.p : "play" };
    replace(page.main, h("section", { class: "card prose stranded" }, h("h1", {}, w("stranded")), h("p", {}, error.message), button(w("stranded_go"), null, () => this.go(to), { class: "primary" })));
  }

  async switchLanguage(lang) {
    await this.speak(lang);
    await this.turn();
  }

  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.saveNow(), 150);
  }

  saveNow() {
    clearTimeout(this.saving);
    const hash = writeLink(this.link);
    if (hash !== location.hash) history.replaceState(null, "", hash);
  }

  async copyLink() {
    this.saveNow();
    try {
      await navigator.clipboard.writeText(location.href);
      toast(w("play.copied"));
    } catch {
      // Without a secure context there is no clipboard: the address bar says the same.
      toast(w("play.copy_by_hand"));
    }
  }

  // Do something that may be refused: say why, and return null. What was given up on purpose is no news.
  async guarded(call) {
    try {
      return await call();
    } catch (error) {
      if (error.name !== "AbortError") this.complain(error);
      return null;
    }
  }

  complain(error) {
    const parts = error instanceof Refused ? [error.message, ...error.problems.map((problem) => `${problem.path}: ${problem.message}`)] : [w("error.connection")];
    toast(parts.join(" "));
    // What is neither a refusal nor a lost connection (of which browsers make a TypeError) is a fault of these pages.
    if (!(error instanceof Refused) && !(error instanceof TypeError && LOST.test(error.message))) throw error;
  }

  async warm() {
    const { ready, warming } = await get("/api/start");
    Object.assign(this.start, { ready, warming });
    this.page?.waited?.();
    if (!ready) setTimeout(() => this.warm(), 2000);
  }

  // Why nothing is there yet: runs wait for the compiler once, and how far that has come is said.
  waitWords() {
    const { ready, warming } = this.start;
    if (ready) return w("play.computing");
    return sentences(w("play.compiling"), warming ? w("play.compiled_for", { seconds: number(warming.seconds) }) : "", warming && warming.done !== null ? w("play.compiled", { done: warming.done, of: warming.of }) : "");
  }
}

function preferred() {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

const lab = new Laboratory();
document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || lab.page?.key?.(event)) return; // a dialog has its own keys
  if ((event.key === "l" || event.key === "L") && !event.ctrlKey && !event.metaKey && !event.altKey && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    lab.switchLanguage(lab.lang === "zh" ? "en" : "zh");
  }
});
window.addEventListener("popstate", async () => {
  const { lang } = lab;
  lab.link = readLink(location.hash);
  await lab.speak(lab.link.lang ?? lang);
  await lab.turn();
});
window.addEventListener("pagehide", () => lab.saveNow());
lab.open();
