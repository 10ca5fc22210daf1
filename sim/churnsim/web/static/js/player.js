// Playing a run back: play, pause, step, scrub, and the keys for all of it. The run itself is already there.

import { h, icon, iconButton, replace } from "./dom.js";
import { isStill } from "./palette.js";
import { tickLabel, w, yearLabel } from "./texts.js";

export const SPEEDS = [1, 2, 4, 8, 16];
const LONG_STEP = 12;

export class Player {
  constructor({ onTick, onFrame, onReset }) {
    Object.assign(this, { onTick, onFrame, onReset });
    this.time = 0;
    this.horizon = 1;
    this.ready = 0;
    this.unit = "month";
    this.speed = 4;
    this.playing = false;
    this.stops = [];
    this.toggle = h("button", { type: "button", class: "primary toggle", onclick: () => this.playPause() });
    this.slider = h("input", {
      type: "range", min: 0, max: 1, step: 1, value: 0, class: "scrub", "aria-label": w("play.scrub"),
      oninput: () => {
        this.pause();
        this.seek(Number(this.slider.value));
      },
    });
    this.flags = h("div", { class: "flags", "aria-hidden": "true" });
    this.clock = h("output", { class: "clock" });
    this.speeds = h("select", { "aria-label": w("play.speed"), class: "speed", onchange: () => {
      this.speed = Number(this.speeds.value);
    } }, SPEEDS.map((speed) => h("option", { value: speed, selected: speed === this.speed }, `${speed}×`)));
    this.node = h("section", { class: "card transport", "aria-label": w("play.transport") },
      this.toggle,
      iconButton(w("play.back"), "back", () => this.step(-1)),
      iconButton(w("play.next"), "next", () => this.step(1)),
      h("div", { class: "track" }, this.flags, this.slider),
      this.clock,
      this.speeds,
      onReset ? iconButton(w("play.reset"), "reset", () => onReset(), { class: "reset" }) : null);
    this.label();
  }

  set(run, moves) {
    this.horizon = run.horizon;
    this.unit = run.head.tick;
    this.slider.max = run.horizon;
    this.arrived(run);
    this.markMoves(moves);
    this.label();
  }

  arrived(run) {
    this.ready = Math.max(0, run.last);
    this.slider.style.setProperty("--ready", `${(100 * this.ready) / this.horizon}%`);
  }

  markMoves(moves) {
    replace(this.flags, [...new Set(moves.map((move) => move.tick))].map((tick) =>
      h("i", { class: "flag", css: { left: `${(100 * tick) / this.horizon}%` } })));
  }

  playPause() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.time >= this.horizon) this.seek(0);
    this.playing = true;
    this.before = null;
    this.label();
    requestAnimationFrame((now) => this.advance(now));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.time = Math.min(Math.round(this.time), this.ready);
    this.label();
    this.onTick(this.time);
    this.onFrame(this.time);
  }

  advance(now) {
    if (!this.playing) return;
    const passed = this.before === null ? 0 : Math.min(0.25, (now - this.before) / 1000);
    this.before = now;
    const tick = Math.floor(this.time);
    let time = Math.min(this.time + passed * this.speed, this.ready);
    const stop = this.stops.find((at) => at > this.time && at <= time);
    if (stop !== undefined) time = stop;
    this.time = time;
    if (Math.floor(time) !== tick) this.onTick(Math.floor(time));
    if (isStill()) {
      if (Math.floor(time) !== tick) this.onFrame(Math.floor(time));
    } else {
      this.onFrame(time);
    }
    this.label();
    if (stop !== undefined || time >= this.horizon) {
      this.pause();
      return;
    }
    requestAnimationFrame((next) => this.advance(next));
  }

  seek(tick) {
    this.time = Math.max(0, Math.min(tick, this.ready));
    this.label();
    this.onTick(this.time);
    this.onFrame(this.time);
  }

  step(by) {
    this.pause();
    this.seek(Math.round(this.time) + by);
  }

  get tick() {
    return Math.floor(this.time);
  }

  label() {
    const tick = this.tick;
    if (this.playing !== this.labelled) {
      this.labelled = this.playing;
      replace(this.toggle, icon(this.playing ? "pause" : "play"), h("span", {}, w(this.playing ? "play.pause" : "play.play")));
    }
    this.slider.value = tick;
    this.slider.style.setProperty("--done", `${(100 * tick) / this.horizon}%`);
    const said = `${tickLabel(this.unit, tick)} ${yearLabel(this.unit, tick)}`.trim();
    this.slider.setAttribute("aria-valuetext", said);
    if (this.clock.dataset.said !== said) {
      this.clock.dataset.said = said;
      replace(this.clock, h("b", {}, tickLabel(this.unit, tick)), h("small", {}, yearLabel(this.unit, tick)));
    }
  }

  // Keys work everywhere but in fields and on controls that use them themselves.
  key(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && target !== this.slider) return false;
    switch (event.key) {
      case " ":
        if (target.tagName === "BUTTON" || target.tagName === "SUMMARY") return false;
        this.playPause();
        break;
      case "ArrowRight": this.step(event.shiftKey ? LONG_STEP : 1); break;
      case "ArrowLeft": this.step(event.shiftKey ? -LONG_STEP : -1); break;
      case "Home": this.step(-this.horizon); break;
      case "End": this.step(this.horizon); break;
      case "1": case "2": case "3": case "4": case "5":
        this.speed = SPEEDS[Number(event.key) - 1];
        this.speeds.value = this.speed;
        break;
      default: return false;
    }
    event.preventDefault();
    return true;
  }
}
