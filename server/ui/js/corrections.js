/** Correcting a value in its place: a small form, the server's objections beside it, and what the page says of it then. */

import { ApiError } from "./api.js";
import { el, icon, iconButton } from "./dom.js";

/**
 * The nodes of a value and a button that turns them into a form. `save(value, verbatim)` stores the value (null: the text
 * has none) and shows the outcome; what it throws is told in the form. Escape leaves everything as it was.
 */
export function correctable(shown, { label, text, save }) {
  const place = el("span", { class: "correctable" });
  const close = () => {
    place.replaceChildren(shown, button);
    button.focus();
  };
  const open = () => {
    const { form, input } = correctionForm({ label, text, save, close });
    place.replaceChildren(form);
    input.select();
    form.scrollIntoView({ block: "nearest" });
  };
  const button = iconButton("edit", `Correct ${label}`, open, { class: "icon-button edit" });
  place.append(shown, button);
  return place;
}

function correctionForm({ label, text, save, close }) {
  const problem = el("div", { class: "correction-problem", role: "alert" });
  const input = el("input", {
    type: "text",
    value: text,
    "aria-label": `Right value of ${label}`,
    placeholder: "Empty: not in the text",
    maxlength: 5000,
    autocomplete: "off",
  });
  const fields = el(
    "fieldset",
    {},
    input,
    el("button", { type: "submit", class: "icon-button", "aria-label": "Save", title: "Save" }, icon("check")),
    iconButton("close", "Cancel", close),
  );
  const submit = async (verbatim) => {
    fields.disabled = true;
    problem.replaceChildren();
    try {
      await save(input.value.trim() || null, verbatim);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fields.disabled = false;
      problem.replaceChildren(...objection(error, () => submit(false)));
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  };
  const onSubmit = (event) => {
    event.preventDefault();
    submit(true);
  };
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  return { form: el("form", { class: "correction", on: { submit: onSubmit, keydown: onKey } }, fields, problem), input };
}

function objection(error, saveAnyway) {
  if (error.code !== "not_in_text") return [el("p", {}, error.message)];
  return [
    el("p", {}, "This stands nowhere in the text."),
    el("button", { type: "button", class: "text-button", on: { click: saveAnyway } }, "Save it all the same"),
  ];
}

/** A field as a person has it: what the table shows instead of the extracted `field`. */
export const correctedField = (field, { value, evidence, verbatim }) => ({
  value,
  evidence,
  reason: value === null ? "Not in the text" : null,
  confidence: null,
  correction: { read: field.correction ? field.correction.read : field.value, verbatim },
});

/** A word on a field that a person has looked at, or null. */
export function correctionTag({ value, correction }) {
  if (!correction) return null;
  const same = correction.read === value;
  const words = `${same ? "confirmed" : "corrected"}${correction.verbatim ? "" : ", not in the text"}`;
  const title = same ? "A person confirmed this value." : `It was read as: ${correction.read ?? "nothing"}`;
  return el("span", { class: "tag", title }, words);
}
