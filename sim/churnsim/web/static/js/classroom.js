// A class: its room, its sign, its votes and lines. The teacher's key stays in the teacher's tab.

import { get, post } from "./api.js";
import { button, h, icon, saveCsv, toast } from "./dom.js";
import { drawnName } from "./draw.js";
import { both, number, w } from "./texts.js";

const POLL = 2000;

const kept = (name, value) => {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else if (value !== undefined) sessionStorage.setItem(name, value);
    return sessionStorage.getItem(name);
  } catch {
    kept.here ??= {};
    if (value === null) delete kept.here[name];
    else if (value !== undefined) kept.here[name] = value;
    return kept.here[name] ?? null;
  }
};

// A browser's own random number, so that a second vote replaces the first; it says nothing about anybody.
export const voter = () => kept("voter") ?? kept("voter", crypto.getRandomValues(new Uint32Array(4)).join("-"));

export class Classroom {
  constructor(lab, { onChange, onReveal }) {
    Object.assign(this, { lab, onChange, onReveal, room: null, lines: [], signShown: true });
  }

  get code() {
    return this.lab.link.room;
  }

  get key() {
    return kept(`room-${this.code}`);
  }

  get isTeacher() {
    return this.key !== null;
  }

  get lesson() {
    return this.room?.lesson;
  }

  // Whether this tab has been a student's in a class of a lesson: the teacher's tools do not fall to it when that ends.
  static isStudentOf(lesson) {
    return kept(`student-${lesson}`) !== null;
  }

  // What most have answered, and how many; null where it is not to be seen, or where no answer is ahead.
  get favourite() {
    const [first, second] = Object.entries(this.room?.histogram ?? {}).sort((a, b) => b[1] - a[1]);
    if (this.room?.stage !== "revealed" || !first?.[1] || first[1] === second?.[1]) return null;
    return { option: first[0], count: first[1] };
  }

  get isClosed() {
    return Boolean(this.room) && this.room.stage !== "open";
  }

  // The class's lines, once they are shown: what a teacher's screen has, the class sees on the projector.
  get shownLines() {
    return this.room?.stage === "revealed" ? this.lines : [];
  }

  headers() {
    return this.key ? { "x-room-key": this.key } : {};
  }

  async open(lesson) {
    const { code, key } = await post("/api/rooms", { lesson, lang: this.lab.lang });
    this.lab.link.room = code;
    kept(`room-${code}`, key);
    this.signShown = true;
    await this.enter();
  }

  async enter() {
    await this.refresh();
    if (!this.room) return;
    if (!this.isTeacher) kept(`student-${this.lesson}`, "yes");
    clearInterval(this.polling);
    this.polling = setInterval(() => this.poll(), POLL);
  }

  async refresh() {
    try {
      this.room = await get(`/api/rooms/${this.code}`, this.headers());
      if (this.room.stage === "ended") {
        this.leave();
        toast(w("class.ended"));
        return;
      }
      const open = this.room.stage === "revealed" || this.isTeacher;
      this.lines = open && this.room.lines ? (await get(`/api/rooms/${this.code}/lines`, this.headers())).lines : [];
    } catch (error) {
      this.leave();
      this.lab.complain(error);
    }
  }

  leave() {
    clearInterval(this.polling);
    this.room = null;
    this.lines = [];
    kept(`room-${this.code}`, null);
    delete this.lab.link.room;
    this.lab.save();
  }

  async poll() {
    const before = JSON.stringify([this.room, this.lines.length]);
    await this.refresh();
    if (JSON.stringify([this.room, this.lines.length]) === before) return;
    this.bar?.replaceWith(this.room ? this.roomBar(this.about) : "");
    this.onChange();
  }

  async vote(said) {
    await post(`/api/rooms/${this.code}/vote`, { voter: voter(), ...said, lang: this.lab.lang });
    await this.refresh();
    this.bar?.replaceWith(this.roomBar(this.about));
  }

  async turn(stage) {
    await this.lab.guarded(() => post(`/api/rooms/${this.code}/stage`, { key: this.key, stage, lang: this.lab.lang }));
    await this.poll();
    if (stage !== "open") this.hideSign();
    if (this.room?.stage === "revealed") this.onReveal();
  }

  // Whoever wanted to join has: the screen belongs to what comes next. The button brings the sign back.
  hideSign() {
    if (!this.room || !this.signShown) return;
    this.signShown = false;
    this.bar?.replaceWith(this.roomBar(this.about));
  }

  async end() {
    if (!confirm(w("class.end_sure"))) return;
    clearInterval(this.polling);
    await this.lab.guarded(() => post(`/api/rooms/${this.code}/end`, { key: this.key, lang: this.lab.lang }));
    this.leave();
    this.bar?.remove();
    this.onChange();
  }

  // One row per browser, without names: for the teacher to keep; the server forgets.
  async save(lesson) {
    const answer = await this.lab.guarded(() => post(`/api/rooms/${this.code}/ballots`, { key: this.key, lang: this.lab.lang }));
    if (!answer) return;
    const { line } = lesson;
    const texts = Object.fromEntries(lesson.options.map((option) => [option.id, both(option.text)]));
    const head = [w("class.number"), w("class.seconds"), "option", w("class.answer"), w("class.right"), ...(line ? line.knots.map((tick) => `${drawnName(line)} ${tick}`) : [])];
    const rows = answer.ballots.map((one, place) => [place + 1, one.seconds, one.option, texts[one.option] ?? "", one.option === null ? "" : Number(one.option === lesson.answer), ...(line ? one.line ?? line.knots.map(() => "") : [])]);
    saveCsv(`class-${this.code}-${lesson.id}.csv`, [head, ...rows]);
  }

  // The bar that everybody sees; the teacher's has the sign, the stages and the votes.
  roomBar(lesson) {
    this.about = lesson;
    if (!this.room) return null;
    const { stage, votes, lines } = this.room;
    const mine = this.isTeacher;
    this.bar = h("section", { class: `card room${mine ? " of-teacher" : ""}`, "aria-label": w("lesson.room") },
      h("div", {}, h("small", {}, w("lesson.room")), h("b", { class: "room-code" }, String(this.code))),
      mine ? h("div", { class: "room-how" }, h("small", {}, w("lesson.how_to_join")), h("b", {}, (this.room.address ?? "").replace(/^https?:\/\//, ""))) : null,
      h("div", {}, h("small", {}, w("lesson.votes")), h("b", { class: "votes" }, number(votes))),
      lesson.line ? h("div", {}, h("small", {}, w("class.lines")), h("b", { class: "lines" }, number(lines))) : null,
      h("div", { class: "grow" }),
      mine ? [
        button(w("class.sign"), null, () => {
          this.signShown = !this.signShown;
          this.bar.replaceWith(this.roomBar(lesson));
        }, { class: "quiet", "aria-pressed": String(this.signShown) }),
        stage === "open" ? button(w("lesson.close_vote"), null, () => this.turn("closed")) : button(w("lesson.reopen"), null, () => this.turn("open")),
        stage === "revealed" ? null : button(w("lesson.reveal"), null, () => this.turn("revealed"), { class: "primary" }),
        button(w("class.save"), "down", () => this.save(lesson), { class: "quiet" }),
        button(w("class.end"), "close", () => this.end(), { class: "quiet" }),
      ] : h("span", { class: "hint" }, w(`lesson.stage.${stage}`)),
      mine && this.signShown ? this.sign() : null);
    return this.bar;
  }

  sign() {
    const { address, local } = this.room;
    return h("div", { class: "sign" },
      h("img", { src: `/api/rooms/${this.code}/sign.svg`, alt: w("class.sign_alt", { address }), width: 200, height: 200 }),
      h("div", {}, h("p", { class: "sign-address" }, address.replace(/^https?:\/\//, "")), h("p", {}, local ? w("class.only_here") : w("class.scan")), local ? h("p", {}, h("code", {}, "churnsim play --host 0.0.0.0")) : null));
  }

  // A teacher's screen is what the class sees: it shows nothing either before it is revealed. `compared` marks the answer.
  histogramCard(lesson, plotted, compared) {
    if (!this.room?.histogram || this.room.stage !== "revealed") return h("p", { class: "hint" }, w("lesson.hidden_yet"));
    const bars = lesson.options.map((option) => ({ name: both(option.text), value: this.room.histogram[option.id] ?? 0, mark: compared && option.id === lesson.answer }));
    return h("section", { class: "card" }, h("h2", {}, icon("people"), w("lesson.class_said", { votes: number(this.room.votes) })), plotted(bars, { format: (value) => number(value), marked: w("lesson.run_says") }));
  }

  close() {
    clearInterval(this.polling);
  }
}
