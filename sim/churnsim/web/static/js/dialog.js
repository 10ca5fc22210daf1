// Dialogs over the page.

import { h, iconButton } from "./dom.js";
import { w } from "./texts.js";

// The browser closes with Escape; focus goes back to what opened it.
export function dialog(title, ...children) {
  const name = h("h2", { id: "dialog-title" }, title);
  const node = h("dialog", { class: "card dialog", "aria-labelledby": "dialog-title" }, h("div", { class: "card-head" }, name, iconButton(w("card.close"), "close", () => node.close())), ...children);
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}
