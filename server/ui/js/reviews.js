/** The reviews pane of the sidebar: how many wait, which, and since when. */

import { byId, el, icon, reconcile } from "./dom.js";
import { count, when } from "./format.js";
import { LABELS } from "./fraud.js";
import { errorNotice } from "./notices.js";
import { queue } from "./reviewqueue.js";
import { openReview } from "./reviewpanel.js";

/** Shows the queue; `onDecided(review)` is called after a decision or an escalation. */
export function setUpReviews({ onDecided }) {
  const pane = byId("reviews");
  const list = el("ul", { class: "items reviews" });
  queue.addEventListener("change", () => {
    showCount();
    if (queue.error) {
      pane.replaceChildren(errorNotice(queue.error, () => queue.refresh()));
      return;
    }
    if (list.parentNode !== pane) pane.replaceChildren(list);
    const items = queue.reviews.map((review) => ({ key: review.run_id, ...review }));
    reconcile(list, items.length ? items : [{ key: "none", empty: true }], (item) =>
      item.empty ? el("li", { class: "items-heading" }, "Nothing waits for a decision.") : reviewItem(item),
    );
  });
  queue.addEventListener("decided", ({ detail }) => onDecided(detail));
}

/** The number stands in the tab, and the tab says what it counts. */
function showCount() {
  byId("review-count").textContent = queue.total || "";
  const waiting = queue.total ? `Reviews, ${count(queue.total, "decision")} waiting` : "Reviews";
  byId("tab-reviews").setAttribute("aria-label", waiting);
  byId("tab-reviews").classList.toggle("waiting", queue.total > 0);
}

function reviewItem({ run_id: runId, status, message, request, created_at: created }) {
  const facts = [`Risk ${request.risk_score}`, `${LABELS[request.label]}?`, when(created)];
  return el(
    "li",
    { class: "item", data: { state: status } },
    icon(status === "escalated" ? "alert" : "flag"),
    el(
      "div",
      { class: "item-main" },
      el(
        "button",
        { type: "button", class: "item-title", title: message, on: { click: () => openReview(runId) } },
        message,
      ),
      el("span", { class: "item-meta" }, [status === "escalated" ? "Escalated" : null, ...facts].filter(Boolean).join(" · ")),
    ),
  );
}
