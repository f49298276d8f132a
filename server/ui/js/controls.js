/** Small controls used in several places: copy, delete with confirmation. */

import { announce } from "./announcer.js";
import { el, icon, iconButton } from "./dom.js";

const DONE_MS = 1600;

/** Copies what `text()` returns and shows a tick for a moment. */
export function copyButton(label, text) {
  const button = iconButton("copy", label, async () => {
    await copy(text());
    announce("Copied");
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), DONE_MS);
  });
  return button;
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers give the clipboard API to https and localhost only; a server in the office network has neither.
  const area = el("textarea", { class: "visually-hidden", readonly: true });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A bin that asks once more in its own place before it calls `onConfirm`. */
export function deleteButton(label, onConfirm) {
  let armed = false;
  const arm = (on) => {
    armed = on;
    button.classList.toggle("armed", on);
    button.setAttribute("aria-label", on ? `Confirm: ${label}` : label);
    button.replaceChildren(on ? "Delete?" : icon("trash"));
  };
  const button = iconButton("trash", label, (event) => {
    event.stopPropagation();
    if (!armed) arm(true);
    else onConfirm();
  });
  button.addEventListener("blur", () => arm(false));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !armed) return;
    event.stopPropagation();
    arm(false);
  });
  return button;
}
