// Making elements: h("div", {class: "x", onclick: f}, child, "text").

export function h(tag, about = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(about ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "css") for (const [rule, what] of Object.entries(value)) node.style.setProperty(rule, what);
    else if (name === "value" || name === "checked" || name === "selected" || name === "open" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// A text whose `commands` stand between backquotes.
export const prose = (text) => text.split("`").map((part, k) => (k % 2 ? h("code", {}, part) : part)).filter(Boolean);

const SVG = "http://www.w3.org/2000/svg";

export function s(tag, about = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(about ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  back: "M7 6h2v12H7zM18 6v12l-8-6z",
  next: "M15 6h2v12h-2zM6 6v12l8-6z",
  reset: "M12 5a7 7 0 1 1-6.6 4.7l1.9.7A5 5 0 1 0 12 7v3L7.5 6.2 12 2.4z",
  undo: "M9 6V2.5L3.5 7.5 9 12.500V9h5a4 4 0 0 1 0 8H8v2h6a6 6 0 0 0 0-12.900z",
  link: "M10.6 13.400a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1.200 1.200 1.400 1.400 1.200-1.200a2 2 0 0 1 2.900 2.900l-3 3a2 2 0 0 1-2.900 0zM13.400 10.600a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1.200-1.200-1.400-1.400-1.200 1.200a2 2 0 0 1-2.900-2.900l3-3a2 2 0 0 1 2.900 0z",
  down: "M11 4h2v9l3.500-3.500 1.400 1.400L12 16.800l-5.900-5.900 1.400-1.400L11 13zM5 18h14v2H5z",
  open: "M11 17h2V8l3.500 3.500 1.400-1.400L12 4.200l-5.900 5.900 1.400 1.400L11 8zM5 18h14v2H5z",
  close: "M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12l5.600 5.600-1.400 1.400L12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm-1 6h2v6h-2zm0-3.500h2v2h-2z",
  person: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 20c0-4 4-6 8-6s8 2 8 6z",
  people: "M9 5a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7zM2 19c0-3.500 3.500-5.500 7-5.500s7 2 7 5.500zM16 6a3 3 0 1 1 0 6 4.500 4.500 0 0 0 .5-5.900zM17.500 13.700c2.500.3 4.500 2 4.500 5.300h-4c0-2.200-.2-3.800-.5-5.300z",
};

export function icon(name) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, s("path", { d: ICONS[name] }));
}

export function button(label, name, onclick, about = {}) {
  return h("button", { type: "button", onclick, ...about }, name ? icon(name) : null, h("span", {}, label));
}

export function iconButton(label, name, onclick, about = {}) {
  return h("button", { type: "button", onclick, "aria-label": label, title: label, ...about, class: `only-icon ${about.class ?? ""}` }, icon(name));
}

export function toast(message) {
  const node = document.getElementById("toast");
  if (!node) return;
  node.textContent = message;
  node.classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => node.classList.remove("on"), 5000);
}

export function saveFile(name, parts, kind) {
  const link = h("a", { href: URL.createObjectURL(new Blob(parts, { type: kind })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// People open CSV files in spreadsheets, which read Chinese only behind a byte order mark.
export function saveCsv(name, rows) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    const words = String(value);
    return /[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
  };
  saveFile(name, ["\ufeff", rows.map((row) => row.map(cell).join(",")).join("\r\n"), "\r\n"], "text/csv;charset=utf-8");
}
