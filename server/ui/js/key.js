/** The API key, where the server asks for one: typed once, kept for this tab only, sent in a header and never in an address. */

import { byId } from "./dom.js";

const PLACE = "switchyard-key";
const WANTED = "This server asks for a key.";
const REFUSED = "This key is not known, has expired or was revoked.";

let asking = null;

/**
 * Calls `send(headers)` with the key's header, and again with another key as long as the server refuses the one it got.
 * Resolves to the answer, which is the refusal only if the reader closed the question.
 */
export async function withKey(send) {
  for (;;) {
    const key = sessionStorage.getItem(PLACE);
    const answer = await send(key ? { Authorization: `Bearer ${key}` } : {});
    if (answer.status !== 401) return answer;
    // Another request may have been answered with a new key meanwhile.
    if (sessionStorage.getItem(PLACE) !== key) continue;
    asking ??= ask(key ? REFUSED : WANTED).finally(() => (asking = null));
    if (!(await asking)) return answer;
  }
}

/** Connects the question's form and the button that forgets the key. */
export function setUpKey() {
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const key = byId("key").value.replace(/[^!-~]/g, ""); // what a header can hold; blanks come along when pasting
    if (!key) return;
    sessionStorage.setItem(PLACE, key);
    byId("key-dialog").close("given");
  });
  byId("forget-key").addEventListener("click", () => {
    sessionStorage.removeItem(PLACE);
    location.reload();
  });
  showForget();
}

function ask(reason) {
  const dialog = byId("key-dialog");
  byId("key-reason").textContent = reason;
  byId("key").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => {
      byId("key").value = "";
      showForget();
      resolve(dialog.returnValue === "given");
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}

function showForget() {
  byId("forget-key").hidden = sessionStorage.getItem(PLACE) === null;
}
