// Elements from data. Text only ever becomes a text node, so no post can bring markup with it.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

/** Set text only where it differs, so that a screen reader is not told what it knows. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Make `parent` show `items` in order, keeping the nodes (focus, open state) that are there. */
export function reconcile(parent, items, keyOf, create, update = () => {}) {
  const left = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, place) => {
    const key = String(keyOf(item));
    const node = left.get(key) ?? create(item);
    node.dataset.key = key;
    left.delete(key);
    update(node, item);
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  left.forEach((node) => node.remove());
}

/** A row of buttons of which one is pressed; `choices` maps values to labels. */
export function segmented(label, choices, chosen, onChoose) {
  const group = el("div", { class: "segmented", role: "group", "aria-label": label });
  const press = (value) => {
    for (const button of group.children) {
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
    }
  };
  for (const [value, text] of Object.entries(choices)) {
    const choose = () => { press(value); onChoose(value); };
    group.append(el("button", { type: "button", "data-value": value, onclick: choose }, text));
  }
  press(chosen);
  return group;
}
