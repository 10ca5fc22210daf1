// Excel files: the inputs of a report, changed by hand, dropped on the page or chosen, become plans to run.

import { Refused } from "./api.js";
import { button, h, toast } from "./dom.js";
import { both, w } from "./texts.js";

const KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const BOOK = "book:";

export const bookOf = (name) => (name?.startsWith(BOOK) ? name.split(":")[1] : null);

async function sent(lab, file) {
  const most = lab.start.limits.workbook;
  if (file.size > most) throw new Refused(413, { message: w("error.workbook_large", { most: most / 1e6 }) });
  const response = await fetch(`/api/workbook?lang=${lab.lang}`, { method: "POST", headers: { "content-type": KIND }, body: file });
  if (response.ok) return response.json();
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

// On Compare all plans are opened, elsewhere the first one that was changed is played.
export async function openWorkbook(lab, file) {
  toast(w("workbook.reading"));
  await lab.guarded(async () => {
    const { plans, first } = await sent(lab, file);
    const compare = lab.link.p === "compare";
    await lab.go(compare ? { p: "compare", s: plans[0].id } : { p: "play", s: plans[first].id });
    toast(w(compare ? "workbook.compared" : "workbook.played", { count: plans.length, changed: plans[first].changed, name: both(plans[first].title) }));
  });
}

// The same without a pointer: a button that asks for the file.
export function workbookButton(lab, sign = "open") {
  const input = h("input", { type: "file", accept: `.xlsx,${KIND}`, class: "visually-hidden", tabindex: "-1", "aria-label": w("workbook.open"), onchange: () => {
    const [file] = input.files;
    input.value = "";
    if (file) openWorkbook(lab, file);
  } });
  return [button(w("workbook.open"), sign, () => input.click(), { title: w("workbook.hint") }), input];
}

export function takeDrops(lab) {
  let depth = 0;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const sign = h("div", { class: "drop-sign", "aria-hidden": "true", hidden: true }, h("p", {}));
  document.body.append(sign);
  const show = (on) => {
    sign.firstChild.textContent = w("workbook.drop");
    sign.hidden = !on;
  };
  document.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  document.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  document.addEventListener("dragleave", (event) => {
    if (carries(event) && (depth = Math.max(0, depth - 1)) === 0) show(false);
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    const [file] = event.dataTransfer.files;
    if (file) openWorkbook(lab, file);
  });
}
