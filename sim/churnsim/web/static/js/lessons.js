// Lessons: question, prediction, run, comparison, explanation; alone or with a class that votes.

import { get, post } from "./api.js";
import { button, h, icon, replace, saveCsv } from "./dom.js";
import { PlayPage } from "./play.js";
import { histogram } from "./plots.js";
import { both, money, number, percent, w } from "./texts.js";

const STEPS = ["question", "predict", "run", "compare", "explain"];
const POLL = 2000;

// A browser's own random number, so that a second vote replaces the first; it says nothing about anybody.
function voter() {
  try {
    const kept = sessionStorage.getItem("voter") ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
    sessionStorage.setItem("voter", kept);
    return kept;
  } catch {
    return (voter.id ??= crypto.getRandomValues(new Uint32Array(4)).join("-"));
  }
}

export class LessonsPage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "page" });
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
    this.lab.teacher ??= false;
    this.show();
  }

  async list() {
    const all = await get("/api/lessons");
    const code = h("input", { type: "text", inputmode: "numeric", maxlength: 4, pattern: "[0-9]{4}", class: "code", "aria-label": w("lesson.code"), placeholder: "0000" });
    const join = () => /^\d{4}$/.test(code.value) && this.lab.go({ p: "lessons", room: Number(code.value) });
    replace(this.main,
      h("div", { class: "page-head" }, h("div", {}, h("h1", {}, w("lesson.title")), h("p", { class: "lead" }, w("lesson.lead"))),
        h("form", { class: "card join", onsubmit: (event) => {
          event.preventDefault();
          join();
        } }, h("label", {}, h("span", {}, w("lesson.join")), code), h("button", { type: "submit", class: "primary" }, w("lesson.enter")))),
      h("ul", { class: "lesson-cards" }, all.map((one) => h("li", {}, h("a", { class: "card lesson-card", href: `#p=lessons&lesson=${one.id}&lang=${this.lab.lang}`, onclick: (event) => this.lab.follow(event, { p: "lessons", lesson: one.id }) },
        h("span", { class: "lesson-number" }, String(one.number)), h("h2", {}, both(one.title)), h("p", {}, both(one.prompt)), h("small", {}, w("lesson.minutes", { minutes: one.minutes })))))));
  }

  get step() {
    return Math.min(Math.max(this.link.step ?? 0, 0), STEPS.length - 1);
  }

  turn(step) {
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
      this.roomBar(),
      h("ol", { class: "steps", "aria-label": w("lesson.steps") }, STEPS.map((name, place) => h("li", {}, h("button", { type: "button", "aria-current": place === this.step ? "step" : null, onclick: () => this.turn(place) }, h("b", {}, String(place + 1)), w(`lesson.step.${name}`))))),
      this.body,
      h("div", { class: "step-turn" },
        this.step ? button(w("lesson.back"), null, () => this.turn(this.step - 1)) : h("span", {}),
        this.step < STEPS.length - 1 ? button(w("lesson.next", { step: w(`lesson.step.${STEPS[this.step + 1]}`) }), null, () => this.turn(this.step + 1), { class: "primary" }) : button(w("lesson.all"), null, () => this.lab.go({ p: "lessons" }))));
    this[STEPS[this.step]]();
  }

  tools() {
    const big = document.documentElement.classList;
    return h("div", { class: "lesson-tools" },
      button(w("lesson.projector"), null, () => big.toggle("projector"), { class: "quiet" }),
      button(w("lesson.teacher"), null, () => {
        this.lab.teacher = !this.lab.teacher;
        this.show();
      }, { class: "quiet", "aria-pressed": String(this.lab.teacher) }),
      this.room ? null : button(w("lesson.open_room"), "people", () => this.openRoom(), { class: "quiet" }));
  }

  note(key, text) {
    return this.lab.teacher ? h("aside", { class: "teacher-note" }, h("b", {}, w(`lesson.${key}`)), " ", both(text)) : null;
  }

  question() {
    const { lesson } = this;
    replace(this.body, h("section", { class: "card prose" }, h("p", { class: "big" }, both(lesson.question)), h("p", { class: "course" }, both(lesson.course))));
  }

  predict() {
    const { lesson } = this;
    const mine = this.lab.predictions[lesson.id];
    const closed = this.room && this.room.stage !== "open";
    replace(this.body, h("section", { class: "card prose" },
      h("h2", { class: "big" }, both(lesson.prompt)),
      h("div", { class: "options", role: "radiogroup", "aria-label": both(lesson.prompt) }, lesson.options.map((option) => h("button", {
        type: "button", role: "radio", class: "option", "aria-checked": String(mine === option.id), disabled: closed, onclick: () => this.bet(option.id),
      }, both(option.text)))),
      h("p", { class: "hint" }, closed ? w("error.vote_closed") : mine ? w("lesson.bet_taken") : w("lesson.bet"))),
      this.room ? this.classResult() : null);
  }

  async bet(option) {
    this.lab.predictions[this.lesson.id] = option;
    if (this.room) {
      try {
        await post(`/api/rooms/${this.link.room}/vote`, { voter: voter(), option, lang: this.lab.lang });
      } catch (error) {
        this.lab.complain(error);
      }
      await this.refresh();
    }
    this.predict();
    this.body.querySelector('[aria-checked="true"]')?.focus();
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
        Object.assign(link, { arm, moves: [], t: 0 });
        this.show();
      },
    }, arm === "case" ? w("play.case") : both(experiment.arms[arm])))) : null;
    replace(this.body, this.note("say", this.lesson.teacher.say), arms, play.main);
    try {
      await play.open();
      play.stage.player.stops = experiment.stops;
      if (play.stage.charts[0].measure !== experiment.measure && play.stage.charts[0].measures.includes(experiment.measure)) {
        play.stage.charts[0].measure = experiment.measure;
        play.stage.charts[0].choice.value = experiment.measure;
        play.stage.charts[0].rebuild();
      }
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
      h("section", { class: `card verdict ${mine ? (mine === right ? "right" : "wrong") : ""}` },
        mine ? h("p", {}, h("small", {}, w("lesson.you_said")), h("b", {}, both(mine.text))) : h("p", {}, w("lesson.no_bet")),
        h("p", {}, h("small", {}, w("lesson.run_says")), h("b", {}, both(right.text)))),
      this.room ? this.classResult() : null,
      lesson.experiments.map((experiment, place) => h("section", { class: "card" }, h("h2", {}, experiment.title ? both(experiment.title) : w("lesson.numbers")), tables[place])));
    for (const [place] of lesson.experiments.entries()) await this.fill(tables[place], place, 1);
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
      h("section", { class: "card prose" }, h("p", { class: "big" }, both(lesson.explanation))),
      h("section", { class: "card prose" }, h("h2", {}, w("lesson.checked")), h("ul", {}, lesson.experiments.flatMap((one) => one.claims.map((claim) => h("li", {}, both(claim))))), h("p", { class: "hint" }, w("lesson.checked_hint"))),
      this.note("try", lesson.teacher.ask), this.note("say", lesson.teacher.say),
      h("section", { class: "card prose caution" }, h("h2", {}, w("lesson.caution")), h("p", {}, both(lesson.teacher.caution))),
      button(w("lesson.sandbox"), "play", () => this.lab.go({ p: "play", s: experiment.scenario, seed: experiment.seed })));
  }

  // ---------------------------------------------------------------- the class

  async openRoom() {
    try {
      const { code, key } = await post("/api/rooms", { lesson: this.lesson.id, lang: this.lab.lang });
      this.lab.roomKeys ??= {};
      this.lab.roomKeys[code] = key;
      this.link.room = code;
      this.lab.teacher = true;
      await this.enter();
      this.show();
    } catch (error) {
      this.lab.complain(error);
    }
  }

  async enter() {
    await this.refresh();
    if (this.room) {
      this.link.lesson = this.room.lesson;
      this.link.step ??= 1;
      clearInterval(this.polling);
      this.polling = setInterval(() => this.poll(), POLL);
    } else delete this.link.room;
  }

  async refresh() {
    const key = this.lab.roomKeys?.[this.link.room];
    try {
      this.room = await get(`/api/rooms/${this.link.room}`, key ? { "x-room-key": key } : {});
    } catch (error) {
      this.room = null;
      this.lab.complain(error);
    }
  }

  async poll() {
    const before = JSON.stringify(this.room);
    await this.refresh();
    if (!this.room) {
      clearInterval(this.polling);
      return;
    }
    if (JSON.stringify(this.room) === before) return;
    this.bar?.replaceWith(this.roomBar());
    if (STEPS[this.step] === "predict") this.predict();
  }

  roomBar() {
    if (!this.room) return null;
    const key = this.lab.roomKeys?.[this.link.room];
    const turn = async (stage) => {
      try {
        await post(`/api/rooms/${this.link.room}/stage`, { key, stage, lang: this.lab.lang });
        await this.poll();
      } catch (error) {
        this.lab.complain(error);
      }
    };
    const { stage, votes } = this.room;
    this.bar = h("section", { class: "card room" },
      h("div", {}, h("small", {}, w("lesson.room")), h("b", { class: "room-code" }, String(this.link.room))),
      key ? h("div", { class: "room-how" }, h("small", {}, w("lesson.how_to_join")), h("b", {}, `${location.host}/c/${this.link.room}`)) : null,
      h("div", {}, h("small", {}, w("lesson.votes")), h("b", { class: "votes" }, number(votes))),
      h("div", { class: "grow" }),
      key ? [
        stage === "open" ? button(w("lesson.close_vote"), null, () => turn("closed")) : button(w("lesson.reopen"), null, () => turn("open")),
        stage === "revealed" ? null : button(w("lesson.reveal"), null, () => turn("revealed"), { class: "primary" }),
        button(w("csv"), "down", () => saveCsv(`votes-${this.link.room}.csv`, [["option", "votes"], ...Object.entries(this.room.histogram)]), { class: "quiet" }),
      ] : h("span", { class: "hint" }, w(`lesson.stage.${stage}`)));
    return this.bar;
  }

  classResult() {
    if (!this.room?.histogram) return h("p", { class: "hint" }, w("lesson.hidden_yet"));
    const shown = this.room.stage === "revealed" || STEPS[this.step] === "compare";
    const bars = this.lesson.options.map((option) => ({ name: both(option.text), value: this.room.histogram[option.id] ?? 0, mark: shown && STEPS[this.step] === "compare" && option.id === this.lesson.answer }));
    return h("section", { class: "card" }, h("h2", {}, icon("people"), w("lesson.class_said", { votes: number(this.room.votes) })), histogram(bars, { format: (value) => number(value), marked: w("lesson.run_says") }));
  }

  key(event) {
    return this.play?.key(event) ?? false;
  }

  close() {
    clearInterval(this.polling);
    this.play?.close();
    document.documentElement.classList.remove("projector");
  }
}

