/** The sidebar: three tabs, and on narrow screens a drawer over the conversation. */

import { byId } from "./dom.js";

const NARROW = window.matchMedia("(max-width: 760px)");
const TABS = ["threads", "documents", "reviews"];
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** Connects tabs, drawer buttons, Escape and the scrim. */
export function setUpSidebar() {
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => showTab(name));
    byId(`tab-${name}`).addEventListener("keydown", onTabKey);
  }
  byId("open-sidebar").addEventListener("click", () => setDrawer(true));
  byId("close-sidebar").addEventListener("click", () => setDrawer(false));
  byId("scrim").addEventListener("click", () => setDrawer(false));
  byId("sidebar").addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer(event));
  byId("threads").addEventListener("click", (event) => event.target.closest("a") && closeDrawer());
  NARROW.addEventListener("change", () => setDrawer(false));
}

/** Brings a tab, "threads", "documents" or "reviews", to the front. */
export function showTab(name) {
  for (const each of TABS) {
    const selected = each === name;
    byId(`tab-${each}`).setAttribute("aria-selected", String(selected));
    byId(`tab-${each}`).tabIndex = selected ? 0 : -1;
    byId(`pane-${each}`).hidden = !selected;
  }
}

/** On narrow screens, puts the drawer away; elsewhere the sidebar stays. */
export const closeDrawer = (event) => {
  if (byId("scrim").hidden) return;
  event?.preventDefault();
  setDrawer(false);
};

function onTabKey(event) {
  const step = STEPS[event.key];
  if (!step) return;
  const at = TABS.findIndex((name) => event.currentTarget.id === `tab-${name}`);
  const other = TABS[(at + step + TABS.length) % TABS.length];
  showTab(other);
  byId(`tab-${other}`).focus();
}

function setDrawer(open) {
  const wasOpen = !byId("scrim").hidden;
  byId("app").classList.toggle("drawer-open", open);
  byId("scrim").hidden = !open;
  byId("main").inert = open;
  byId("open-sidebar").setAttribute("aria-expanded", String(open));
  if (open) byId("close-sidebar").focus();
  else if (wasOpen && NARROW.matches) byId("open-sidebar").focus();
}
