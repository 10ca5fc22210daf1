// A replay: one run in one file, with the arena, charts and customers of the laboratory and no server behind it.

import { CustomerCard } from "./card.js";
import { h, replace } from "./dom.js";
import { inflate } from "./inflate.js";
import { Run } from "./run.js";
import { Stage } from "./stage.js";
import { both, setTexts, tickLabel, w } from "./texts.js";

function unpack(text, size) {
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) packed[at] = binary.charCodeAt(at);
  return inflate(packed, size);
}

// States are kept as what changed since the tick before.
function frames(about, states) {
  const { dots } = about.head;
  const now = new Uint8Array(dots);
  return about.frames.map((frame, tick) => {
    for (let dot = 0; dot < dots; dot += 1) now[dot] ^= states[tick * dots + dot];
    const measures = {};
    for (const [name, rows] of Object.entries(about.measures)) measures[name] = rows[tick];
    return { ...frame, t: tick, measures, dots: now.slice() };
  });
}

function start(holder) {
  const bytes = unpack(holder.textContent.trim(), Number(holder.dataset.size));
  const split = Number(holder.dataset.text);
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(0, split)));
  const { texts, head } = about;
  let language = about.lang;
  const run = new Run(head);
  for (const frame of frames(about, bytes.subarray(split))) run.push(frame);
  let stage = null;
  let time = 0;
  const main = document.getElementById("main");
  const build = () => {
    setTexts(language, texts[language]);
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    document.title = both(head.title);
    const cardHolder = h("section", { class: "card customer", hidden: true, "aria-live": "polite" });
    const pick = (dot) => {
      stage.arena.picked = dot;
      if (dot === null) cardHolder.hidden = true;
      else {
        Object.assign(card, { run, tick: stage.player.tick });
        card.open(dot);
      }
      stage.arena.draw(stage.player.time);
    };
    const card = new CustomerCard(cardHolder, { causes: about.causes, ask: null, onPick: pick, onClose: () => pick(null) });
    stage = new Stage({ causes: about.causes, onPick: pick, onTick: (tick) => card.show(run, tick, null) });
    const other = language === "zh" ? "en" : "zh";
    replace(document.getElementById("bar"), h("span", { class: "brand" }, both(head.title)), h("div", { class: "grow" }),
      h("button", { type: "button", class: "language", onclick: () => {
        stage.player.pause();
        time = stage.player.time;
        language = other;
        build();
      } }, w(other === "zh" ? "language.zh_zh" : "language.en")));
    stage.arenaCard.prepend(h("p", { class: "question" }, both(about.question)));
    const moves = about.moves.length ? h("ul", { class: "chips" }, about.moves.map((move) => h("li", { class: "chip" }, `${tickLabel(head.tick, move.tick)} · ${both(move.label)} ${move.value}`))) : null;
    replace(main, h("div", { class: "play replay" },
      h("div", { class: "columns two" }, stage.column(moves), h("div", { class: "side" }, cardHolder, stage.numbersCard, stage.causesCard)), stage.live,
      h("p", { class: "hint made" }, w("replay.made", { version: about.version, seed: head.seed, hash: about.hash }))));
    stage.player.time = time;
    stage.show(run, { moves: about.moves, seen: Math.max(time, stage.seen) });
  };
  build();
  document.addEventListener("keydown", (event) => stage.player.key(event));
}

start(document.getElementById("run"));
