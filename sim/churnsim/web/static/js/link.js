// The whole state of the page in its link, behind the #, where no server sees it.

const NUMBERS = ["seed", "t", "dot", "room", "step"];
const WORDS = ["p", "s", "arm", "lang", "lesson", "plans", "study", "x", "y", "outcome", "variant", "concept"];

export function valueOf(text) {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

export function readChanges(text) {
  const changes = {};
  for (const part of (text ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0) changes[part.slice(0, at)] = valueOf(part.slice(at + 1));
  }
  return changes;
}

export const writeChanges = (changes) => Object.entries(changes).map(([path, value]) => `${path}=${value}`).join(";");

// Moves are written 8~firms.eton.price=225;41~firms.eton.relationship=proactive.
export function readMoves(text) {
  const moves = [];
  for (const part of (text ?? "").split(";")) {
    const found = /^(\d{1,5})~([^=]+)=(.*)$/.exec(part);
    if (found) moves.push({ tick: Number(found[1]), path: found[2], value: valueOf(found[3]) });
  }
  return moves;
}

export const writeMoves = (moves) => moves.map((move) => `${move.tick}~${move.path}=${move.value}`).join(";");

// The other future: its moves in `g`, and in `gset` its settings, where they are others than those of the present one.
const NONE_OF_THEM = "-";
const LONGEST_GHOST = 4000; // characters: addresses that are longer get lost on their way

function readGhost(given, set) {
  const [moves, other] = [given.get("g"), given.get("gset")];
  if (moves === null || moves.length + (other ?? "").length > LONGEST_GHOST) return {};
  return { ghost: { moves: readMoves(moves), set: other === null ? set : readChanges(other) } };
}

function writeGhost({ ghost, set = {} }) {
  if (!ghost) return {};
  const [moves, settings] = [writeMoves(ghost.moves) || NONE_OF_THEM, writeChanges(ghost.set) || NONE_OF_THEM];
  if (moves.length + settings.length > LONGEST_GHOST) return {};
  return { g: moves, gset: settings === (writeChanges(set) || NONE_OF_THEM) ? null : settings };
}

// What the server is asked: moves of one tick belong together.
export function asMoves(moves) {
  const byTick = new Map();
  for (const move of moves) {
    if (!byTick.has(move.tick)) byTick.set(move.tick, {});
    byTick.get(move.tick)[move.path] = move.value;
  }
  return [...byTick.entries()].sort((a, b) => a[0] - b[0]).map(([tick, changes]) => ({ tick, changes }));
}

export function readLink(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const set = readChanges(given.get("set"));
  const link = { p: "play", set, moves: readMoves(given.get("m")), ...readGhost(given, set) };
  for (const name of WORDS) if (given.get(name)) link[name] = given.get(name);
  for (const name of NUMBERS) {
    const text = given.get(name);
    if (text !== null && /^\d{1,15}$/.test(text)) link[name] = Number(text);
  }
  return link;
}

export function writeLink(link) {
  const parts = [];
  const add = (name, value) => {
    if (value !== undefined && value !== null && value !== "") {
      parts.push(`${name}=${encodeURIComponent(value).replace(/%3D/g, "=").replace(/%3B/g, ";").replace(/%3A/g, ":").replace(/%7E/g, "~").replace(/%2C/g, ",")}`);
    }
  };
  add("p", link.p);
  add("s", link.s);
  if (link.arm !== "case") add("arm", link.arm);
  add("set", writeChanges(link.set ?? {}));
  add("m", writeMoves(link.moves ?? []));
  for (const [name, text] of Object.entries(writeGhost(link))) add(name, text);
  for (const name of [...NUMBERS, ...WORDS.filter((name) => !["p", "s", "arm"].includes(name))]) add(name, link[name]);
  return `#${parts.join("&")}`;
}
