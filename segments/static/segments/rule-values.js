// The inputs of one rule: how it compares, and with what.

import { choice, icon, make } from "./rule-dom.js";

const UNIT_NAMES = { cents: "cents", years: "years" };
const SPAN_UNITS = ["minutes", "hours", "days", "weeks", "months", "years"];

export function fieldParts(builder, rule, path) {
  const operators = operatorsOf(builder, rule);
  const shape = (name) => operators.find((each) => each.name === name)?.shape;
  const compares = choice(`${path}:operator`, "How it compares",
    operators.map((each) => [each.name, each.label]), rule.operator, (value) => {
      const before = shape(rule.operator);
      rule.operator = value;
      if (shape(value) !== before) blank(builder, rule, shape(value));
      builder.write();
    });
  return [compares, valueOf(builder, rule, shape(rule.operator), path)];
}

// Begin anew with another field, or with something that is counted.
export function startOver(builder, rule, what) {
  for (const key of Object.keys(rule)) delete rule[key];
  if (what.startsWith("count:")) {
    Object.assign(rule, { [what.slice(6)]: { type: "" }, operator: "countAtLeast", value: 1,
      within: { amount: 90, unit: "days" } });
    return;
  }
  rule.field = what;
  const [operator] = operatorsOf(builder, rule);
  rule.operator = operator.name;
  blank(builder, rule, operator.shape);
}

function operatorsOf(builder, rule) {
  const kind = builder.fields.get(rule.field)?.kind ?? "text";
  return builder.catalogue.operators[kind];
}

function blank(builder, rule, shape) {
  const field = builder.fields.get(rule.field);
  const kind = field?.kind ?? "text";
  const today = new Date().toISOString().slice(0, 10);
  const blanks = {
    NONE: undefined, MANY: [], SPAN: { amount: 30, unit: "days" }, DAYS: { amount: 7, unit: "days" },
    WHEN: today, DAY: today, PAIR: kind === "number" ? [0, 100] : [today, today],
    ONE: kind === "number" ? 0 : kind === "choice" ? field.choices[0][0] : "",
  };
  if (blanks[shape] === undefined) delete rule.value;
  else rule.value = blanks[shape];
}

function valueOf(builder, rule, shape, path) {
  const field = builder.fields.get(rule.field) ?? { kind: "text", choices: [], units: [] };
  const set = (value) => { rule.value = value; builder.write(false); };
  const key = `${path}:value`;
  switch (shape) {
    case "ONE":
      if (field.kind === "choice") return choice(key, "Value", field.choices, rule.value, set);
      if (field.kind === "number") return numberInput(key, rule.value, set, field.unit);
      return textInput(builder, key, rule.value, set, rule.field);
    case "MANY": return many(builder, rule, field, key);
    case "PAIR": return make("span", { class: "rb-pair" },
      ...[0, 1].flatMap((end) => {
        const setEnd = (value) => { rule.value[end] = value; builder.write(false); };
        const input = field.kind === "number" ? numberInput(`${key}${end}`, rule.value[end], setEnd, field.unit)
          : day(`${key}${end}`, rule.value[end], setEnd);
        return end ? [" and ", input] : [input];
      }));
    case "WHEN": case "DAY": return day(key, rule.value, set);
    case "SPAN": return span(builder, key, rule, "value", field.units);
    case "DAYS": return span(builder, key, rule, "value", ["days"]);
    default: return null;
  }
}

function numberInput(key, value, act, unit) {
  const input = make("input", { class: "rb-input rb-number", type: "number", step: "any", value, "aria-label": "Number",
    "data-key": key, oninput: () => { if (input.value !== "") act(Number(input.value)); } });
  return unit && UNIT_NAMES[unit] ? make("span", { class: "rb-pair" }, input, UNIT_NAMES[unit]) : input;
}

function day(key, value, act) {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value);
  const input = make("input", { class: "rb-input", type: isDay ? "date" : "text", value, "aria-label": "Day",
    "data-key": key, oninput: () => { if (input.value) act(input.value); } });
  return input;
}

function span(builder, key, holder, name, units) {
  const length = holder[name];
  const amount = make("input", { class: "rb-input rb-amount", type: "number", min: 1, step: 1, value: length.amount,
    "aria-label": "How many", "data-key": `${key}.amount`,
    oninput: () => { length.amount = Number.parseInt(amount.value, 10) || 1; builder.write(false); } });
  return make("span", { class: "rb-pair" }, amount, units.length === 1 ? units[0]
    : choice(`${key}.unit`, "Unit", units.map((unit) => [unit, unit]), length.unit,
      (value) => { length.unit = value; builder.write(false); }));
}

function textInput(builder, key, value, act, fieldName) {
  const input = make("input", { class: "rb-input rb-text", type: "text", value, "aria-label": "Text", "data-key": key,
    placeholder: "…", oninput: () => act(input.value), onfocus: () => builder.offer(input, fieldName) });
  return input;
}

function many(builder, rule, field, key) {
  const options = field.kind === "segment" ? builder.catalogue.segments : field.choices;
  if (options.length || field.kind === "segment") return pills(builder, rule, options, key);
  const values = Array.isArray(rule.value) ? rule.value : [];
  const chips = values.map((value, index) => make("span", { class: "rb-chip" }, String(value),
    make("button", { type: "button", "aria-label": `Remove ${value}`, "data-key": `${key}[${index}]`,
      onclick: () => { values.splice(index, 1); builder.write(); builder.focusOn(key); } }, icon("close"))));
  const input = make("input", { class: "rb-input rb-text", type: field.kind === "number" ? "number" : "text",
    "aria-label": "Add a value; Enter after each", "data-key": key, placeholder: "Type and press Enter",
    onfocus: () => builder.offer(input, rule.field) });
  const add = () => {
    const text = input.value.trim();
    if (!text) return;
    const value = field.kind === "number" ? Number(text) : text;
    input.value = ""; // An edited field reports a change again when it is redrawn.
    if (!values.includes(value)) values.push(value);
    rule.value = values;
    builder.write();
    builder.focusOn(key);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === ",") { event.preventDefault(); add(); }
    if (event.key === "Backspace" && !input.value && values.length) {
      values.pop();
      builder.write();
      builder.focusOn(key);
    }
  });
  input.addEventListener("change", add);
  return make("span", { class: "rb-many" }, ...chips, input);
}

function pills(builder, rule, options, key) {
  const chosen = new Set(rule.value);
  return make("span", { class: "rb-many", role: "group", "aria-label": "Any of" },
    ...options.map(([value, label], index) => {
      const box = make("input", { type: "checkbox", checked: chosen.has(value), "data-key": `${key}[${index}]`,
        onchange: () => {
          if (box.checked) chosen.add(value); else chosen.delete(value);
          rule.value = options.map(([each]) => each).filter((each) => chosen.has(each));
          builder.write();
        } });
      return make("label", { class: "rb-pill" }, box, label);
    }));
}

// Rules that count what somebody did

export function countParts(builder, rule, source, path) {
  const operator = choice(`${path}:operator`, "How often",
    builder.catalogue.countOperators.map((each) => [each.name, each.label]), rule.operator,
    (value) => { rule.operator = value; builder.write(false); });
  const times = make("input", { class: "rb-input rb-amount", type: "number", min: 0, step: 1, value: rule.value,
    "aria-label": "Times", "data-key": `${path}:times`,
    oninput: () => { rule.value = Number.parseInt(times.value, 10) || 0; builder.write(false); } });
  const every = make("input", { type: "checkbox", checked: !rule.within, "data-key": `${path}:ever`,
    onchange: () => {
      if (every.checked) delete rule.within; else rule.within = { amount: 90, unit: "days" };
      builder.write();
    } });
  return [operator, times, make("span", { class: "rb-filters" }, ...filters(builder, rule, source, path)),
    rule.within && make("span", { class: "rb-pair" }, "in the last",
      span(builder, `${path}:within`, rule, "within", SPAN_UNITS)),
    make("label", { class: "rb-pill" }, every, "at any time")];
}

function filters(builder, rule, source, path) {
  const chosen = rule[source.name];
  const set = (name, value) => {
    if (value) chosen[name] = value; else delete chosen[name];
    builder.write(false);
  };
  return source.filters.map((each) => {
    const key = `${path}:${each.name}`;
    if (each.name === "metadata") return details(builder, chosen, path);
    if (each.choices.length) {
      return make("label", { class: "rb-filter" }, each.label, choice(key, each.label,
        [["", "any"], ...each.choices], chosen[each.name] ?? "", (value) => set(each.name, value)));
    }
    const input = make("input", { class: "rb-input", type: "text", value: chosen[each.name] ?? "", placeholder: "any",
      "data-key": key, oninput: () => set(each.name, input.value.trim()),
      onfocus: () => { if (each.name === "type") builder.offer(input, "lastActivityType"); } });
    return make("label", { class: "rb-filter" }, each.label, input);
  });
}

// What came along with an activity: a name such as "course" and what it must be.
function details(builder, chosen, path) {
  const pairs = Object.entries(chosen.metadata ?? {});
  const save = (isShapeNew) => {
    const named = pairs.filter(([name]) => name.trim());
    if (named.length) chosen.metadata = Object.fromEntries(named); else delete chosen.metadata;
    builder.write(isShapeNew);
  };
  const rows = pairs.map((pair, index) => {
    const key = `${path}:metadata[${index}]`;
    const name = make("input", { class: "rb-input", type: "text", value: pair[0], "aria-label": "Detail",
      placeholder: "course", "data-key": `${key}.name`, oninput: () => { pair[0] = name.value.trim(); save(false); } });
    const value = make("input", { class: "rb-input", type: "text", value: written(pair[1]), "aria-label": "Is",
      "data-key": `${key}.value`, oninput: () => { pair[1] = meant(value.value); save(false); } });
    const drop = make("button", { type: "button", class: "rb-tool", "aria-label": `Remove the detail ${pair[0]}`,
      onclick: () => { pairs.splice(index, 1); save(true); } }, icon("close"));
    return make("span", { class: "rb-pair rb-detail" }, name, "is", value, drop);
  });
  const add = make("button", { type: "button", class: "rb-add", "data-key": `${path}:detail`, onclick: () => {
    pairs.push(["course", "…"]);
    save(true);
    builder.focusOn(`${path}:metadata[${pairs.length - 1}].name`);
  } }, icon("add"), "Detail");
  return make("span", { class: "rb-filters" }, ...rows, add);
}

// 18 and true are a number and a yes; in quotation marks they are texts.
const TYPED = /^(-?\d+(\.\d+)?|true|false)$/;

const written = (value) => (typeof value === "string" && !TYPED.test(value) ? value : JSON.stringify(value));

function meant(text) {
  if (!TYPED.test(text) && !/^".*"$/.test(text)) return text;
  try { return JSON.parse(text); } catch { return text; }
}
