// Small helpers that all parts of the rule builder share.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const number = (value) => value.toLocaleString("en-GB");
export const icon = (name) => make("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function choice(key, label, options, value, act) {
  const select = make("select", { class: "rb-input", "aria-label": label, "data-key": key,
    onchange: () => act(select.value) },
    ...options.map(([name, text]) => make("option", { value: name }, text)));
  select.value = value ?? "";
  return select;
}
