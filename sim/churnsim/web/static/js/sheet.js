// A lesson on paper: one page for the student, one for the teacher; what the browser prints is what is seen.

import { get, post } from "./api.js";
import { button, h, prose, replace } from "./dom.js";
import { axes, drawnName, overlaid } from "./draw.js";
import { both, w } from "./texts.js";

const ruled = (lines) => h("div", { class: "ruled", "aria-hidden": "true" }, Array.from({ length: lines }, () => h("i", {})));

export class SheetPage {
  constructor(lab) {
    this.lab = lab;
    this.main = h("div", { class: "sheets" });
  }

  async open() {
    const { link } = this.lab;
    const lesson = await get(`/api/lessons/${encodeURIComponent(link.lesson ?? "")}`);
    this.concepts = (await this.lab.concepts.all()).filter((one) => lesson.concepts.includes(one.id)).map((one) => both(one.name));
    replace(this.main,
      h("div", { class: "sheet-tools" },
        button(w("sheet.print"), null, () => window.print(), { class: "primary" }),
        button(w("sheet.back"), null, () => this.lab.go({ p: "lessons", lesson: lesson.id })),
        h("p", { class: "hint" }, w("sheet.hint"))),
      this.student(lesson), this.teacher(lesson));
    document.title = `${lesson.number}. ${both(lesson.title)}`;
    if (lesson.line) await this.solve(lesson);
  }

  head(lesson, kind) {
    return h("header", {}, h("p", { class: "sheet-kind" }, w("title"), " · ", w("sheet.lesson", { number: lesson.number }), kind ? ` · ${kind}` : ""), h("h1", {}, both(lesson.title)));
  }

  student(lesson) {
    const { line } = lesson;
    return h("section", { class: "paper", "aria-label": w("sheet.student") },
      this.head(lesson),
      h("div", { class: "blanks" }, h("span", {}, w("sheet.name"), h("i", {})), h("span", {}, w("sheet.date"), h("i", {}))),
      h("p", {}, prose(both(lesson.question))),
      h("h2", {}, w("sheet.predict")), h("p", { class: "prompt" }, both(lesson.prompt)),
      h("ul", { class: "boxes" }, lesson.options.map((option) => h("li", {}, h("i", { "aria-hidden": "true" }), both(option.text)))),
      h("p", {}, w("sheet.why")), ruled(line ? 2 : 4),
      line ? [h("h2", {}, w("sheet.draw")), h("p", {}, drawnName(line)), axes(line, w("draw.alt_empty", { name: drawnName(line) }))] : null,
      h("h2", {}, w("sheet.after")), h("p", {}, line ? w("sheet.after_line") : w("sheet.after_text")), ruled(line ? 4 : 8),
      h("footer", {}, w("sheet.not_forecast")));
  }

  teacher(lesson) {
    this.board = h("div", { class: "board" });
    const claims = lesson.experiments.flatMap((one) => one.claims);
    const { teacher } = lesson;
    return h("section", { class: "paper of-teacher", "aria-label": w("lesson.teacher") },
      this.head(lesson, w("lesson.teacher")),
      h("p", {}, w("lesson.minutes", { minutes: lesson.minutes }), " · ", w("sheet.concepts", { concepts: this.concepts.join(w("list_gap")) })),
      h("h2", {}, w("sheet.course")), h("p", {}, prose(both(lesson.course))),
      h("h2", {}, w("sheet.say")), h("p", {}, prose(both(teacher.say))),
      h("h2", {}, w("lesson.run_says")), h("p", { class: "prompt" }, both(lesson.options.find((option) => option.id === lesson.answer).text)),
      this.board,
      h("h2", {}, w("lesson.step.explain")), h("p", {}, prose(both(lesson.explanation))),
      h("h2", {}, w("sheet.ask")), h("p", {}, prose(both(teacher.ask))),
      h("h2", {}, w("lesson.caution")), h("p", {}, prose(both(teacher.caution))),
      h("h2", {}, w("lesson.checked")), h("ul", {}, claims.map((claim) => h("li", {}, both(claim)))),
      h("footer", {}, h("code", {}, `churnsim lesson ${lesson.id} --check`), " · ", h("code", {}, "churnsim play --host 0.0.0.0")));
  }

  // What the board should look like in the end.
  async solve(lesson) {
    const course = await post("/api/lesson/line", { lesson: lesson.id, lang: this.lab.lang });
    replace(this.board, overlaid(lesson.line, { course }), h("p", { class: "under" }, drawnName(lesson.line)));
  }
}
