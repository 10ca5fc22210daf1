// One run as far as it has arrived: its ticks, and where every dot sits in each of them.

import { PROVIDER, Seating } from "./seats.js";

export function unpacked(text) {
  const binary = atob(text);
  const states = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) states[at] = binary.charCodeAt(at);
  return states;
}

export class Run {
  constructor(head) {
    this.head = head;
    this.firms = head.firms;
    this.horizon = head.horizon;
    this.frames = [];
    this.columns = new Map();
    this.most = new Array(head.firms.length + 1).fill(1);
    this.seating = new Seating(head.dots, head.firms.length + 1);
  }

  get last() {
    return this.frames.length - 1;
  }

  get complete() {
    return this.last >= this.horizon;
  }

  push(line) {
    const states = typeof line.dots === "string" ? unpacked(line.dots) : line.dots;
    const frame = { ...line, states, seats: this.seating.follow(states) };
    delete frame.dots;
    this.frames.push(frame);
    const counts = new Array(this.most.length).fill(0);
    for (const state of states) counts[state & PROVIDER] += 1;
    counts.forEach((count, cluster) => {
      this.most[cluster] = Math.max(this.most[cluster], count);
    });
    for (const [name, columns] of this.columns) this.extend(name, columns);
  }

  frame(tick) {
    return this.frames[Math.max(0, Math.min(this.last, Math.floor(tick)))];
  }

  value(name, firm, tick) {
    return this.frame(tick)?.measures?.[name]?.[firm] ?? null;
  }

  // What the firms' shares, or their customers, leave of the market: who is with none of them.
  outside(name, tick) {
    const of = this.frame(tick)?.measures;
    const [held, parts] = [of?.[name], of?.customer_share];
    if (!held || held.includes(null)) return null;
    const sum = (row) => row.reduce((total, one) => total + one, 0);
    if (name !== "customers") return Math.max(0, 1 - sum(held));
    return !parts || parts.includes(null) ? null : sum(parts) > 0 ? Math.round((sum(held) / sum(parts)) * Math.max(0, 1 - sum(parts))) : this.head.customers;
  }

  // The values of a measure, per firm, by tick from 0 to the horizon; null where there are none yet.
  series(name) {
    if (!this.columns.has(name)) {
      const columns = this.firms.map(() => []);
      this.columns.set(name, columns);
      this.extend(name, columns);
    }
    return this.columns.get(name);
  }

  extend(name, columns) {
    columns.forEach((column, firm) => {
      for (let tick = column.length; tick < this.frames.length; tick += 1) {
        column.push(this.frames[tick].measures?.[name]?.[firm] ?? null);
      }
    });
  }

  // Departures by cause over the last `width` ticks up to a tick, per firm.
  departures(tick, width, causes) {
    const sums = this.firms.map(() => new Array(causes).fill(0));
    for (let at = Math.max(1, tick - width + 1); at <= Math.min(tick, this.last); at += 1) {
      this.frames[at].causes?.forEach((row, firm) => row.forEach((count, cause) => {
        sums[firm][cause] += count;
      }));
    }
    return sums;
  }
}
