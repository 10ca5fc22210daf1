// Texts in the reader's language, and numbers the way readers of it expect them.

const SYMBOLS = { CNY: "¥", USD: "$", EUR: "€", GBP: "£", JPY: "¥" };
const SCALES = { en: [[1e9, "B"], [1e6, "M"], [1e3, "k"]], zh: [[1e8, "亿"], [1e4, "万"]] };
const NBSP = "\u00a0";
const JOINER = "\u2060"; // a line must not end between a sign and its amount
export const MINUS = "\u2212";
export const NONE = "\u2013";

const words = { lang: "en", table: {} };

export function setTexts(lang, table) {
  words.lang = lang;
  words.table = table;
}

export const lang = () => words.lang;

export function has(key) {
  return key in words.table;
}

export function t(key, values = {}) {
  const found = words.table[key];
  if (found === undefined) return key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// A text of these pages, by what follows "web.".
export const w = (key, values) => t(`web.${key}`, values);

// Sentences one after the other, with the space that the language puts between them.
export const sentences = (...all) => all.filter(Boolean).join(words.lang === "zh" ? "" : " ");

export const both = (text) => (text ? text[words.lang] ?? text.en : "");

export function number(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
  const written = whole.replace(/\B(?=(\d{3})+$)/g, NBSP) + (rest ? `.${rest}` : "");
  return Number(value.toFixed(digits)) < 0 ? MINUS + written : written;
}

export function percent(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return `${number(100 * value, digits)}${NBSP}%`;
}

export function moneyUnit(amount, language = words.lang) {
  for (const [size, unit] of SCALES[language]) if (Math.abs(amount) >= size * 0.9995) return [size, unit];
  return [1, ""];
}

// `least` digits are written behind the point, where the value has them.
export function money(value, currency, like = value, least = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const [size, unit] = moneyUnit(like);
  const scaled = value / size;
  // Chinese has as many digits as say what English says with its own: in ten thousands 45.3 k is 4.53.
  const [english] = moneyUnit(like, "en");
  const inEnglish = Math.abs(value) / english;
  const plain = inEnglish >= 99.95 || (english === 1 && Number.isInteger(inEnglish)) ? 0 : 1;
  const digits = Math.max(least, plain + Math.round(Math.log10(size / english)));
  const written = number(scaled, digits);
  const sign = written.startsWith(MINUS) ? MINUS : "";
  const symbol = SYMBOLS[currency] ?? `${currency}${NBSP}`;
  return `${sign && sign + JOINER}${symbol}${written.replace(MINUS, "")}${unit ? NBSP + unit : ""}`;
}

export const symbolOf = (currency) => SYMBOLS[currency] ?? currency;

export function signed(text, value) {
  return value > 0 ? `+${JOINER}${text}` : text;
}

export const tickName = (tick) => t(`tick.${tick}.name`);
const tickPlural = (tick) => t(`tick.${tick}.plural`);

// What an axis of time counts.
export const tickAxis = (tick) => (words.lang === "zh" ? tickName(tick) : tickPlural(tick));

// "6 months", "1 month".
export const tickCount = (tick, count) => w("tick_count", { count: number(count), ticks: count === 1 && words.lang === "en" ? tickName(tick).toLowerCase() : tickPlural(tick) });

// "Month 24", and for weeks and months the year as well.
export function tickLabel(tick, number) {
  return w("tick_label", { tick: tickName(tick), number });
}

// Ticks at which an axis of time may be marked: whole years and their halves and quarters, whatever a tick is.
const PERIODS = { day: [1, 7, 14, 28, 91, 182, 364, 728], week: [1, 2, 4, 13, 26, 52, 104, 156, 260, 520], month: [1, 2, 3, 6, 12, 24, 36, 60, 120, 240, 600], quarter: [1, 2, 4, 8, 12, 20, 40, 80, 200, 400], year: [1, 2, 5, 10, 20, 50, 100, 200, 500] };
export const periods = (tick) => PERIODS[tick];

// From 0 (or the first tick) to the last, at most about so many of them.
export function timeTicks(tick, first, last, most) {
  const steps = periods(tick);
  const step = steps.find((one) => (last - first) / one <= most) ?? steps[steps.length - 1];
  const marks = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) marks.push(at);
  return marks;
}

export function yearLabel(tick, number) {
  const length = { week: 52, month: 12, quarter: 4 }[tick];
  return length && number > 0 ? w("in_year", { year: Math.ceil(number / length) }) : "";
}

// How measures are written: as a share, an index, money, or a plain number.
const INDEX = new Set(["satisfaction", "expectation", "attachment", "belief", "quality", "crowding", "morale", "technology", "image", "fit"]);
const RATES = new Set(["share", "customer_share", "churn", "retention", "true_loyal", "spurious_loyal", "latent_loyal", "not_loyal"]);
const AMOUNTS = new Set(["price", "service", "training", "reference_price"]);
const TOTALS = new Set(["cumulative_profit", "profit", "revenue", "cash", "service_cost", "relationship_cost", "shortfall", "dealing_cost"]);

export function kindOf(measure) {
  if (RATES.has(measure)) return "rate";
  if (INDEX.has(measure)) return "index";
  if (TOTALS.has(measure)) return "total";
  if (AMOUNTS.has(measure)) return "amount";
  return "count";
}

export function shown(measure, value, currency, like) {
  switch (kindOf(measure)) {
    case "rate": return percent(value, 1);
    case "index": return number(value, 2);
    case "total": return money(value, currency, like ?? value);
    case "amount": return money(value === null || value === undefined ? value : Math.round(value * 10) / 10, currency, 1);
    default: return number(value, 0);
  }
}

// A value of a parameter, with its unit as far as people write one: money, a share, a length of time.
export function settingText(value, unit, currency, tick) {
  if (value === null || value === undefined) return NONE;
  if (typeof value === "boolean") return w(value ? "lever.on" : "lever.off");
  if (typeof value !== "number") return [`web.level.${value}`, `strategy.${value}`].filter(has).map((key) => t(key))[0] ?? String(value);
  const exact = Number.isInteger(value) ? value : Number(value.toPrecision(3));
  const digits = Math.min(6, (String(exact).split(".")[1] ?? "").length);
  if (/^share/.test(unit ?? "")) return percent(exact, Math.min(2, Math.max(0, digits - 2)));
  if (/^currency/.test(unit ?? "")) return money(exact, currency, 1);
  if (unit === "ticks" && Number.isInteger(exact)) return tickCount(tick, exact);
  return number(exact, digits);
}

export const measureName = (measure) => t(`measure.firm.${measure}`);

export function unitName(unit, currency, tick) {
  if (unit === "1" || !unit) return "";
  const name = has(`web.unit.${unit}`) ? w(`unit.${unit}`) : unit;
  const per = { "per tick": `tick.${tick}.per` }[unit];
  if (per) return t(per);
  return name.replaceAll("currency", symbolOf(currency)).replaceAll("{tick}", tickName(tick).toLowerCase());
}
