// What a study says, in sentences: by the method of its own design, else from the means of its points.

import { number, percent, sentences, w } from "./texts.js";

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// A share with its interval, where that is known: a figure of few samples is not worth more than it says.
const inside = (part) => Math.min(1, Math.max(0, part));
const shareText = ({ value, low, high }) => (low === null || high === null || low === undefined ? percent(value) : w("sweep.words.share", { part: percent(inside(value)), low: percent(inside(low)), high: percent(inside(high)) }));
const ALONE = 0.95; // of what a factor does in all: from there on it does nearly all of it alone
const luckWords = (part, beside) => (part === null ? "" : w(beside ? "sweep.words.luck_beside" : "sweep.words.luck", { part: percent(part) }));

// The words belong to the figures below them: the same runs, the same shares, luck told apart.
export function methodWords({ method, rows, noise }, { name, format, text, outcome }) {
  const luck = luckWords(noise ? noise[0] : null, method !== "sobol");
  const first = rows[0];
  if (!first || first.inert) return sentences(w("sweep.words.inert", { outcome }), luck);
  const about = { outcome, factor: name(first.factor) };
  if (method === "sobol") {
    const of = (factor, index) => rows.find((row) => row.factor === factor && row.index === index);
    const total = of(first.factor, "ST") ?? first;
    const alone = Math.max(0, (of(first.factor, "S1") ?? total).value);
    const next = rows.find((row) => row.index === total.index && row.factor !== first.factor && !row.inert);
    return sentences(
      alone >= ALONE * total.value ? w("sweep.words.sobol_alone", { ...about, part: shareText(total) }) : w("sweep.words.sobol", { ...about, part: shareText(total), alone: percent(alone) }),
      next ? w("sweep.words.next", { factor: name(next.factor), part: percent(next.value) }) : "", luck);
  }
  if (method === "swings") return sentences(w("sweep.words.swings", { ...about, from: text(first.end_low, first.factor), low: format(first.at_low), to: text(first.end_high, first.factor), high: format(first.at_high) }), luck);
  return sentences(w("sweep.words.morris", { ...about, effect: format(first.mu_star) }), luck);
}

// Without a design: how far the points' means differ by each factor alone. Luck, which a mean over seeds has lost,
// is told apart from it: its share of a single run's variance.
export function pointWords({ factors, values, levelsOf }, { name, format, outcome }) {
  const points = new Map();
  values.forEach((value, row) => {
    if (value === null) return;
    const key = JSON.stringify(factors.map(({ column }) => column[row]));
    if (!points.has(key)) points.set(key, { row, runs: [] });
    points.get(key).runs.push(value);
  });
  const all = [...points.values()].map(({ row, runs }) => ({ row, value: mean(runs), runs }));
  const centre = mean(all.map((point) => point.value));
  const whole = mean(all.map((point) => (point.value - centre) ** 2)) || 1;
  const effects = factors.map(({ path, column }) => {
    const { levels, place } = levelsOf(path);
    const groups = levels.map(() => []);
    for (const point of all) {
      const at = place(column[point.row]);
      if (at >= 0) groups[at].push(point.value);
    }
    const means = groups.filter((group) => group.length).map((group) => [mean(group), group.length]);
    const explained = means.reduce((sum, [value, count]) => sum + count * (value - centre) ** 2, 0) / all.length / whole;
    return { path, explained, low: Math.min(...means.map(([value]) => value)), high: Math.max(...means.map(([value]) => value)) };
  }).sort((a, b) => b.explained - a.explained);
  const [first] = effects;
  const within = all.filter(({ runs }) => runs.length > 1).map(({ value, runs }) => runs.reduce((sum, one) => sum + (one - value) ** 2, 0) / (runs.length - 1));
  const spread = within.length ? mean(within) : null;
  const single = spread === null ? 0 : spread + Math.max(0, whole - mean(all.map(({ runs }) => spread / runs.length)));
  return sentences(w("sweep.words.points", { outcome, factor: name(first.path), part: percent(first.explained), low: format(first.low), high: format(first.high), points: number(all.length) }), luckWords(single > 0 ? spread / single : null, true));
}
