// Colours of firms, the same as in the printed figures; shapes and dashes say the same for whoever cannot tell them.

export const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#333333", "#999999"];
const DARK = ["#4AA8E0", "#F08A3C", "#2FC79A", "#E3A0C6", "#7FCBF5", "#F2BC4B", "#D0D0D0", "#9A9A9A"];
export const DASHES = [[], [7, 4], [9, 3, 2, 3], [2, 3], [14, 4], [4, 2, 1, 2], [12, 3, 2, 3, 2, 3], [1, 2]];
export const SHAPES = ["circle", "square", "triangle", "diamond", "hexagon", "cross", "down", "star"];

const media = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

export const isDark = () => media.matches;
export const isStill = () => still.matches;
export const onScheme = (call) => media.addEventListener("change", call);

export function colorOf(firm) {
  return (isDark() ? DARK : COLORS)[firm % COLORS.length];
}

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function trace(path, shape, x, y, r) {
  const corner = (angle, size = 1) => [x + Math.cos(angle) * r * size, y + Math.sin(angle) * r * size];
  const polygon = (count, from, size) => {
    for (let k = 0; k < count; k += 1) {
      const [px, py] = corner(from + (k * 2 * Math.PI) / count, size);
      if (k) path.lineTo(px, py);
      else path.moveTo(px, py);
    }
    path.closePath();
  };
  switch (shape) {
    case "square": polygon(4, Math.PI / 4, 1.2); break;
    case "triangle": polygon(3, -Math.PI / 2, 1.3); break;
    case "down": polygon(3, Math.PI / 2, 1.3); break;
    case "diamond": polygon(4, 0, 1.22); break;
    case "hexagon": polygon(6, 0, 1.08); break;
    case "cross": {
      const a = r * 1.1;
      const b = r * 0.42;
      [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b]].forEach(([px, py], k) => {
        if (k) path.lineTo(x + px, y + py);
        else path.moveTo(x + px, y + py);
      });
      path.closePath();
      break;
    }
    case "star":
      for (let k = 0; k < 10; k += 1) {
        const [px, py] = corner(-Math.PI / 2 + (k * Math.PI) / 5, k % 2 ? 0.55 : 1.25);
        if (k) path.lineTo(px, py);
        else path.moveTo(px, py);
      }
      path.closePath();
      break;
    default: path.moveTo(x + r, y); path.arc(x, y, r, 0, 2 * Math.PI);
  }
}
