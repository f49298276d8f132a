/** Building DOM nodes. Text only ever enters the page as text nodes, so no document or model output can become markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Creates an element. `props`: `class`, `on` ({event: listener}), `data` (data-*), anything else is an attribute. */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Creates an SVG element; same conventions as `el`. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** An icon of the sprite in index.html, hidden from assistive technology. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

/** A button that shows only an icon; `label` is its accessible name and tooltip. */
export function iconButton(name, label, onClick, props = {}) {
  return el(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick }, ...props },
    icon(name),
  );
}

/** The element of index.html with this id. */
export const byId = (id) => document.getElementById(id);

function fill(node, { class: className, on = {}, data = {}, ...attributes }, children) {
  if (className) node.setAttribute("class", className);
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  for (const [name, value] of Object.entries(data)) node.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Makes `list` show `items` (each with a unique `key`), rendering only those that are new or changed: the others keep
 * their nodes, and with them the focus and anything half done.
 */
export function reconcile(list, items, render) {
  const present = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map(({ key }) => key));
  for (const [key, node] of present) if (!wanted.has(key)) node.remove();
  items.forEach((item, index) => {
    const signature = JSON.stringify(item);
    let node = present.get(item.key);
    if (node?.dataset.signature !== signature) {
      const fresh = render(item);
      Object.assign(fresh.dataset, { key: item.key, signature });
      node?.replaceWith(fresh);
      node = fresh;
    }
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}
