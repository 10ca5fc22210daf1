// Lessons: question, prediction, run, comparison, explanation; alone or with a class that predicts together.

import { get, post } from "./api.js";
import { Classroom } from "./classroom.js";
import { button, h, prose, replace } from "./dom.js";
import { differenceWords, drawnName, medianLine, overlaid, Sketch } from "./draw.js";
import { PlayPage } from "./play.js";
import { histogram } from "./plots.js";
import { both, money, number, percent, w } from "./texts.js";

const STEPS = ["question", "predict", "run", "compare", "explain"];
const PREDICT = 1;

export class LessonsPage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "page" });
    this.class = new Classroom(lab, { onChange: () => this.changed(), onReveal: () => this.revealed() });
  }

  get link() {
    return this.lab.link;
  }

  async open() {
    if (this.link.room !== undefined) await this.enter();
    if (!this.link.lesson) {
      await this.list();
      return;
    }
    this.lesson = await get(`/api/lessons/${encodeURIComponent(this.link.lesson)}`);
    this.lab.predictions ??= {};
    this.lab.drawings ??= {};
    this.lab.teacher ??= false;
    this.show();
  }

  async list() {
    const all = await this.lab.lessons();
    const code = h("input", { type: "text", inputmode: "numeric", maxlength: 4, pattern: "[0-9]{4}", class: "code", "aria-label": w("lesson.code"), placeholder: "0000" });
    const join = () => /^\d{4}$/.test(code.value) && this.lab.go({ p: "lessons", room: Number(code.value) });
    replace(this.main,
      h("div", { class: "page-head" }, h("div", {}, h("h1", {}, w("lesson.title")), h("p", { class: "lead" }, w("lesson.lead"))),
        h("form", { class: "card join", onsubmit: (event) => {
          event.preventDefault();
          join();
        } }, h("label", {}, h("span", {}, w("lesson.join")), code), h("button", { type: "submit", class: "primary" }, w("lesson.enter")))),
      h("ul", { class: "lesson-cards" }, all.map((one) => h("li", { class: "card lesson-card" },
        h("span", { class: "lesson-number" }, String(one.number)),
        h("h2", {}, h("a", { href: `#p=lessons&lesson=${one.id}&lang=${this.lab.lang}`, onclick: (event) => this.lab.follow(event, { p: "lessons", lesson: one.id }) }, both(one.title))),
        h("p", {}, both(one.prompt)), h("small", {}, w("lesson.minutes", { minutes: one.minutes }), one.draws ? ` · ${w("draw.has")}` : ""),
        one.checked ? h("small", {}, w("lesson.held", { right: percent(one.checked.right), hold: one.checked.hold, claims: one.checked.claims, seeds: one.checked.seeds })) : null,
        this.lab.concepts.chips(one.concepts)))));
  }

  get step() {
    const step = Math.min(Math.max(this.link.step ?? 0, 0), STEPS.length - 1);
    return this.isLocked(step) ? PREDICT : step;
  }

  // While a class predicts, its students see neither the run nor the answer.
  isLocked(step) {
    return step > PREDICT && Boolean(this.class.room) && !this.class.isTeacher && !this.class.isClosed;
  }

  turn(step) {
    if (step > this.step) this.class.hideSign();
    this.link.step = step;
    this.link.t = 0;
    this.lab.saveNow();
    this.show();
    document.getElementById("main").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  show() {
    this.play?.close();
    this.play = null;
    const { lesson } = this;
    this.body = h("div", { class: "lesson-body" });
    replace(this.main,
      h("div", { class: "page-head" },
        h("div", {}, h("p", { class: "crumb" }, h("a", { href: "#p=lessons", onclick: (event) => this.lab.follow(event, { p: "lessons" }) }, w("lesson.title")), ` · ${lesson.number}`), h("h1", {}, both(lesson.title))),
        this.tools()),
      this.class.roomBar(lesson),
      h("ol", { class: "steps", "aria-label": w("lesson.steps") }, STEPS.map((name, place) => h("li", {}, h("button", { type: "button", disabled: this.isLocked(place), "aria-current": place === this.step ? "step" : null, onclick: () => this.turn(place) }, h("b", {}, String(place + 1)), w(`lesson.step.${name}`))))),
      this.body,
      h("div", { class: "step-turn" },
        this.step ? button(w("lesson.back"), null, () => this.turn(this.step - 1)) : h("span", {}),
        this.step < STEPS.length - 1 ? button(w("lesson.next", { step: w(`lesson.step.${STEPS[this.step + 1]}`) }), null, () => this.turn(this.step + 1), { class: "primary", disabled: this.isLocked(this.step + 1) }) : button(w("lesson.all"), null, () => this.lab.go({ p: "lessons" }))));
    this[STEPS[this.step]]();
  }

  // In a class, or after one that this tab has been a student in.
  get isStudent() {
    return this.class.room ? !this.class.isTeacher : Classroom.isStudentOf(this.lesson.id);
  }

  tools() {
    const big = document.documentElement.classList;
    const larger = button(w("lesson.projector"), null, () => big.toggle("projector"), { class: "quiet" });
    if (this.isStudent) return h("div", { class: "lesson-tools" }, larger);
    return h("div", { class: "lesson-tools" }, larger,
      button(w("lesson.teacher"), null, () => {
        this.lab.teacher = !this.lab.teacher;
        this.show();
      }, { class: "quiet", "aria-pressed": String(this.lab.teacher) }),
      button(w("sheet.open"), null, () => this.lab.go({ p: "sheet", lesson: this.lesson.id }), { class: "quiet" }),
      this.class.room ? null : button(w("lesson.open_room"), "people", () => this.openRoom(), { class: "quiet" }));
  }

  note(key, text) {
    return this.lab.teacher && !this.isStudent ? h("aside", { class: "teacher-note" }, h("b", {}, w(`lesson.${key}`)), " ", prose(both(text))) : null;
  }

  question() {
    const { lesson } = this;
    replace(this.body, this.note("say", lesson.teacher.say), h("section", { class: "card prose" }, h("p", { class: "big" }, prose(both(lesson.question))), h("p", { class: "course" }, prose(both(lesson.course))), this.lab.concepts.chips(lesson.concepts)),
      this.class.room ? this.classResult() : null);
  }

  predict() {
    const { lesson } = this;
    const closed = (this.drawnClosed = this.class.isClosed);
    this.options = lesson.options.map((option) => h("button", { type: "button", role: "radio", class: "option", disabled: closed, onclick: () => this.bet(option.id) }, both(option.text)));
    this.betHint = h("p", { class: "hint", role: "status" });
    const question = h("section", { class: "card prose" },
      h("h2", { class: "big" }, both(lesson.prompt)),
      h("div", { class: "options", role: "radiogroup", "aria-label": both(lesson.prompt), onkeydown: (event) => this.arrow(event) }, this.options),
      this.betHint);
    replace(this.body, this.note("say", lesson.teacher.say), lesson.line ? h("div", { class: "pair" }, question, this.sketch(closed)) : question,
      this.class.room ? this.classResult() : null);
    this.mark();
  }

  // Show what is said so far, without touching a line that is being drawn.
  mark() {
    const { lesson } = this;
    const mine = this.lab.predictions[lesson.id];
    this.options.forEach((node, place) => {
      const chosen = mine === lesson.options[place].id;
      node.setAttribute("aria-checked", String(chosen));
      node.tabIndex = chosen || (!mine && place === 0) ? 0 : -1;
    });
    const taken = this.class.room ? "lesson.bet_taken" : "lesson.bet_kept";
    replace(this.betHint, this.class.isClosed ? w("error.vote_closed") : w(mine ? taken : "lesson.bet"));
    if (lesson.line) replace(this.lineHint, !this.lab.drawings[lesson.id] ? "" : w(this.class.room && !this.class.isClosed ? "draw.taken" : "draw.kept"));
  }

  // Arrows move between the answers, as in every group of radio buttons; Space or Enter takes one.
  arrow(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const options = [...this.body.querySelectorAll(".option:not(:disabled)")];
    const at = options.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    options[(at + step + options.length) % options.length].focus();
  }

  sketch(closed) {
    const { line, id } = this.lesson;
    const drawn = this.lab.drawings[id];
    this.lineHint = h("p", { class: "hint strong", role: "status" });
    const sketch = new Sketch(line, { values: drawn, closed, onPlace: (values) => this.place(values) });
    return h("section", { class: "card" }, h("h2", {}, w("draw.title", { name: drawnName(line) })), sketch.node, this.lineHint);
  }

  async bet(option) {
    this.lab.predictions[this.lesson.id] = option;
    this.mark();
    await this.say({ option });
  }

  async place(line) {
    this.lab.drawings[this.lesson.id] = line;
    this.mark();
    await this.say({ line });
  }

  // What is said in class goes to the class.
  async say(what) {
    if (!this.class.room) return;
    try {
      await this.class.vote(what);
    } catch (error) {
      this.lab.complain(error);
    }
  }

  async run() {
    const [experiment] = this.lesson.experiments;
    const link = this.link;
    link.s = experiment.scenario;
    link.seed ??= experiment.seed;
    if (!experiment.show.includes(link.arm ?? "case")) link.arm = experiment.show[0];
    const mine = this.lesson.options.find((option) => option.id === this.lab.predictions[this.lesson.id]);
    const said = mine ? [both(this.lesson.prompt), " ", h("b", {}, w("lesson.your_bet", { answer: both(mine.text) }))] : both(this.lesson.prompt);
    const play = (this.play = new PlayPage(this.lab, { lesson: { controls: experiment.controls, question: said } }));
    const arms = experiment.show.length > 1 ? h("div", { class: "arm-tabs", role: "tablist", "aria-label": w("play.arm") }, experiment.show.map((arm) => h("button", {
      type: "button", role: "tab", "aria-selected": String(arm === (link.arm ?? "case")), onclick: () => {
        Object.assign(link, { arm, moves: [], t: 0, ghost: undefined });
        this.show();
      },
    }, both(experiment.arms[arm])))) : null;
    replace(this.body, this.note("say", this.lesson.teacher.say), arms, play.main);
    try {
      await play.open();
      play.stage.player.stops = experiment.stops;
      play.stage.choose(experiment.measure);
    } catch (error) {
      if (error.name !== "AbortError") this.lab.complain(error);
    }
  }

  async compare() {
    const { lesson } = this;
    const mine = lesson.options.find((option) => option.id === this.lab.predictions[lesson.id]);
    const right = lesson.options.find((option) => option.id === lesson.answer);
    const tables = lesson.experiments.map(() => h("div", {}, h("p", { class: "hint" }, w("play.computing"))));
    replace(this.body,
      this.note("say", lesson.teacher.say), this.note("try", lesson.teacher.ask),
      h("section", { class: `card verdict ${mine && !this.class.isTeacher ? (mine === right ? "right" : "wrong") : ""}` },
        this.class.isTeacher ? this.classSaid() : mine ? h("p", {}, h("small", {}, w("lesson.you_said")), h("b", {}, both(mine.text))) : this.lab.teacher && !this.isStudent ? null : h("p", {}, w("lesson.no_bet")),
        h("p", {}, h("small", {}, w("lesson.run_says")), h("b", {}, both(right.text)))),
      this.class.room ? this.classResult() : null,
      h("div", { class: "pair" }, lesson.line ? this.overlay() : null,
        lesson.experiments.map((experiment, place) => h("section", { class: "card" }, h("h2", {}, experiment.title ? both(experiment.title) : w("lesson.numbers")), tables[place]))));
    for (const [place] of lesson.experiments.entries()) await this.fill(tables[place], place, 1);
  }

  // A teacher has made no bet: what is compared is the class's.
  classSaid() {
    const found = this.class.favourite;
    const option = found && this.lesson.options.find((one) => one.id === found.option);
    const { votes, stage } = this.class.room;
    const said = option ? h("b", {}, w("lesson.most", { answer: both(option.text), count: number(found.count), votes: number(votes) })) : h("span", {}, w(!votes ? "lesson.nobody_said" : stage === "revealed" ? "lesson.tied" : "lesson.not_shown"));
    return h("p", { class: "class-said" }, h("small", {}, w("lesson.most_said")), said);
  }

  async fill(holder, place, seeds) {
    try {
      const { rows } = await post("/api/lesson/table", { lesson: this.lesson.id, experiment: place, seeds, lang: this.lab.lang });
      const shown = (value, unit) => this.written(value, unit, this.lesson.experiments[place].currency);
      replace(holder,
        h("table", { class: "data lesson-table" }, h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, both(row.label)), h("td", {}, h("b", {}, shown(row.mean, row.unit))), seeds > 1 ? h("td", {}, `${shown(row.low, row.unit)} … ${shown(row.high, row.unit)}`) : null)))),
        h("p", { class: "hint" }, seeds > 1 ? w("lesson.over_seeds", { seeds }) : w("lesson.one_seed")),
        seeds > 1 ? null : button(w("lesson.many"), null, async (event) => {
          event.currentTarget.disabled = true;
          await this.fill(holder, place, 30);
        }, { class: "quiet" }));
    } catch (error) {
      this.lab.complain(error);
      replace(holder);
    }
  }

  written(value, unit, currency) {
    switch (unit) {
      case "percent": return percent(value, 1);
      case "points": return w("compare.points", { number: number(value === null ? null : 100 * value, 1) });
      case "money": return money(value, currency);
      case "index": return number(value, 2);
      case "times": return w("lesson.times", { number: number(value, 2) });
      default: return number(value, value !== null && Math.abs(value) < 10 && value % 1 ? 2 : 0);
    }
  }

  explain() {
    const { lesson } = this;
    const [experiment] = lesson.experiments;
    replace(this.body,
      h("section", { class: "card prose" }, h("p", { class: "big" }, prose(both(lesson.explanation))), this.lab.concepts.chips(lesson.concepts)),
      h("section", { class: "card prose" }, h("h2", {}, w("lesson.checked")), h("ul", {}, lesson.experiments.flatMap((one) => one.claims.map((claim) => h("li", {}, both(claim))))), h("p", { class: "hint" }, prose(w("lesson.checked_hint", { lesson: lesson.id })))),
      this.note("try", lesson.teacher.ask), this.note("say", lesson.teacher.say),
      h("section", { class: "card prose caution" }, h("h2", {}, w("lesson.caution")), h("p", {}, prose(both(lesson.teacher.caution)))),
      button(w("lesson.sandbox"), "play", () => this.lab.go({ p: "play", s: experiment.scenario, seed: experiment.seed })));
  }

  // One's own line and the class's, with the real one over them.
  overlay() {
    const { line, id } = this.lesson;
    const mine = this.lab.drawings[id] ?? null;
    const holder = h("div", {}, h("p", { class: "hint" }, w("play.computing")));
    post("/api/lesson/line", { lesson: id, lang: this.lab.lang }).then((course) => {
      const others = this.class.shownLines;
      replace(holder, overlaid(line, { mine, course, others }),
        mine ? h("p", {}, differenceWords(line, mine, course, "mine")) : this.class.isTeacher ? null : h("p", { class: "hint" }, w("draw.none")),
        others.length > 1 ? h("p", {}, differenceWords(line, medianLine(others), course, "class")) : null,
        others.length > 1 ? h("p", { class: "hint" }, w("draw.bundle", { count: number(others.length) })) : null);
    }).catch((error) => {
      replace(holder);
      this.lab.complain(error);
    });
    return h("section", { class: "card overlay-card" }, h("h2", {}, drawnName(line)), holder);
  }

  // ---------------------------------------------------------------- the class

  async openRoom() {
    try {
      await this.class.open(this.lesson.id);
      this.show();
    } catch (error) {
      this.lab.complain(error);
    }
  }

  async enter() {
    await this.class.enter();
    if (!this.class.room) return;
    this.link.lesson = this.class.lesson;
    this.link.step ??= 1;
  }

  // Somebody has voted, or the teacher has turned the room: what is being drawn is not disturbed.
  changed() {
    const step = STEPS[this.step];
    if (!this.lesson || !this.body) return;
    if (!this.class.room) this.show();
    else if (step === "predict") {
      if (this.class.isClosed !== this.drawnClosed) this.show();
      else this.body.querySelector(".class-result")?.replaceWith(this.classResult());
    } else if (step === "question") this.body.querySelector(".class-result")?.replaceWith(this.classResult());
    else if (step === "compare") {
      this.body.querySelector(".class-result")?.replaceWith(this.classResult());
      this.body.querySelector(".class-said")?.replaceWith(this.classSaid());
      if (this.lesson.line) this.body.querySelector(".overlay-card")?.replaceWith(this.overlay());
    }
  }

  // The teacher shows the class: where it is to be seen, on the step that has it.
  revealed() {
    if (!this.body.querySelector(".class-result")) this.turn(PREDICT);
    this.body.querySelector(".class-result")?.scrollIntoView({ block: "nearest" });
  }

  classResult() {
    const compare = STEPS[this.step] === "compare";
    const { lesson } = this;
    const { shownLines } = this.class;
    const lines = lesson.line && !compare && shownLines.length ? h("section", { class: "card" }, h("h2", {}, w("draw.class_lines", { count: number(shownLines.length) })), overlaid(lesson.line, { others: shownLines })) : null;
    return h("div", { class: "class-result" }, this.class.histogramCard(lesson, histogram, compare), lines);
  }

  waited() {
    this.play?.waited();
  }

  key(event) {
    return this.play?.key(event) ?? false;
  }

  close() {
    this.class.close();
    this.play?.close();
    document.documentElement.classList.remove("projector");
  }
}

