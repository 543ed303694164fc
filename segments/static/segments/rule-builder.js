// <rule-builder>: turns the JSON in its text area into rows of fields, and back.
// The text area stays the form's value, so without this script the JSON is edited by hand.

const DEBOUNCE_MS = 350;
const CHANNELS = { EMAIL: "e-mail", SMS: "SMS", PUSH: "push", WHATSAPP: "WhatsApp" };
const UNIT_NAMES = { cents: "cents", years: "years" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const number = (value) => value.toLocaleString("en-GB");
const icon = (name) => make("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

class RuleBuilder extends HTMLElement {
  connectedCallback() {
    this.text = this.querySelector("textarea");
    this.catalogue = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    this.fields = new Map(this.catalogue.fields.map((field) => [field.name, field]));
    this.values = new Map();
    this.json = this.querySelector(".rb-json");
    this.rows = make("div", { class: "rb-rows" });
    this.side = make("aside", { class: "rb-side", "aria-live": "polite", "aria-label": "Who this finds" });
    this.tabs = make("div", { class: "rb-tabs", role: "group", "aria-label": "View" },
      this.tab("Builder", false), this.tab("JSON", true));
    this.prepend(this.tabs, make("div", { class: "rb-main" }, this.rows, this.side));
    this.text.addEventListener("input", () => { this.read(); this.ask(); });
    this.text.setAttribute("spellcheck", "false");
    this.read();
    this.show(false);
    this.followType();
    this.ask();
  }

  disconnectedCallback() { this.request?.abort(); clearTimeout(this.timer); }

  // Only a segment by rules has any.
  followType() {
    const type = this.closest("form")?.elements.type;
    if (!type) return;
    const row = this.closest(".field-rules") ?? this;
    const follow = () => { row.hidden = type.value !== "DYNAMIC"; };
    type.addEventListener("change", follow);
    follow();
  }

  tab(label, asJson) {
    return make("button", { type: "button", "data-json": asJson, onclick: () => this.show(asJson) }, label);
  }

  show(asJson) {
    this.json.hidden = !asJson;
    this.rows.hidden = asJson;
    for (const button of this.tabs.children) {
      button.setAttribute("aria-pressed", button.hasAttribute("data-json") === asJson);
    }
    if (!asJson) { this.read(); this.render(); }
  }

  read() {
    try {
      const rules = JSON.parse(this.text.value);
      if (!Array.isArray(rules.rules)) throw new Error();
      this.rules = rules;
    } catch {
      this.rules ??= { combinator: "AND", rules: [] };
    }
  }

  write(render = true) {
    this.text.value = JSON.stringify(this.rules, null, 1);
    this.text.dispatchEvent(new Event("change", { bubbles: true }));
    if (render) this.render();
    this.ask();
  }

  // Drawing

  render() {
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    this.counts = new Map();
    this.rows.replaceChildren(this.group(this.rules, "rules", 1, null));
    if (focused) this.rows.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  group(group, path, depth, parent) {
    const listPath = depth === 1 ? "rules" : `${path}.rules`;
    const which = this.select(`${path}:combinator`, "How these rules go together",
      [["AND", "all"], ["OR", "any"]], group.combinator, (value) => { group.combinator = value; this.write(); });
    const lead = parent && this.select(`${path}:negate`, "Those who match, or those who do not",
      [["", "match"], ["1", "do not match"]], group.negate ? "1" : "",
      (value) => { group.negate = Boolean(value); this.write(); });
    const head = make("div", { class: "rb-head" }, parent ? "who" : "Customers who match", lead, which, "of these:",
      parent && this.tools(parent, group, path, "group"));
    const list = make("div", { class: "rb-list" }, ...group.rules.map((rule, index) => {
      const at = `${listPath}[${index}]`;
      return rule.rules ? this.group(rule, at, depth + 1, group) : this.rule(rule, at, group);
    }));
    const isFull = this.size(this.rules) >= this.catalogue.maxRules;
    const foot = make("div", { class: "rb-foot" },
      make("button", { type: "button", class: "rb-add", "data-key": `${path}:add`, disabled: isFull,
        onclick: () => { group.rules.push({ field: "city", operator: "equals", value: "" }); this.write();
          this.focusOn(`${listPath}[${group.rules.length - 1}]:field`); } }, icon("add"), "Add a rule"),
      depth < this.catalogue.maxDepth && make("button", { type: "button", class: "rb-add", disabled: isFull,
        "data-key": `${path}:group`,
        onclick: () => { group.rules.push({ combinator: "OR", rules: [
          { field: "tags", operator: "hasAny", value: [] }] }); this.write();
          this.focusOn(`${listPath}[${group.rules.length - 1}].rules[0]:field`); } }, icon("account_tree"), "Add a group"));
    return make("fieldset", { class: `rb-group rb-depth-${depth}` },
      make("legend", { class: "rb-legend" }, depth === 1 ? "Rules" : "Group of rules"), head, list, foot);
  }

  size(node) { return node.rules ? node.rules.reduce((sum, rule) => sum + this.size(rule), 0) : 1; }

  focusOn(key) { this.rows.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus(); }

  tools(group, rule, path, what) {
    const index = group.rules.indexOf(rule);
    const move = (by) => { group.rules.splice(index, 1); group.rules.splice(index + by, 0, rule); this.write(); };
    const button = (name, label, act, disabled = false) => make("button",
      { type: "button", class: "rb-tool", title: label, "aria-label": label, "data-key": `${path}:${name}`,
        disabled, onclick: act }, icon(name));
    return make("span", { class: "rb-tools" },
      button("arrow_upward", `Move this ${what} up`, () => move(-1), index === 0),
      button("arrow_downward", `Move this ${what} down`, () => move(1), index === group.rules.length - 1),
      button("content_copy", `Copy this ${what}`, () => {
        group.rules.splice(index + 1, 0, structuredClone(rule)); this.write(); }),
      button("close", `Remove this ${what}`, () => { group.rules.splice(index, 1); this.write(); }));
  }

  rule(rule, path, group) {
    const count = make("output", { class: "rb-count", title: "How many this rule finds by itself" });
    this.counts.set(path, count);
    const source = this.catalogue.counts.find((each) => rule[each.name]);
    const parts = source ? this.countParts(rule, source, path) : this.fieldParts(rule, path);
    return make("div", { class: "rb-rule", "data-path": path }, this.what(rule, source, path), ...parts,
      count, this.tools(group, rule, path, "rule"));
  }

  what(rule, source, path) {
    const groups = new Map();
    const add = (name, value, label) => {
      if (!groups.has(name)) groups.set(name, make("optgroup", { label: name }));
      groups.get(name).append(make("option", { value }, label));
    };
    for (const field of this.catalogue.fields) add(field.group, field.name, capital(field.label));
    for (const each of this.catalogue.counts) add(each.group, `count:${each.name}`, `Number of ${each.label}`);
    const current = source ? `count:${source.name}` : rule.field;
    if (!source && !this.fields.has(current)) add("Identifiers", current, current ?? "");
    const choice = make("select", { class: "rb-input rb-field", "aria-label": "What", "data-key": `${path}:field`,
      onchange: () => { this.startOver(rule, choice.value); this.write(); } }, ...groups.values());
    choice.value = current;
    return choice;
  }

  startOver(rule, value) {
    for (const key of Object.keys(rule)) delete rule[key];
    if (value.startsWith("count:")) {
      Object.assign(rule, { [value.slice(6)]: { type: "" }, operator: "countAtLeast", value: 1,
        within: { amount: 90, unit: "days" } });
      return;
    }
    rule.field = value;
    const [operator] = this.operators(rule);
    rule.operator = operator.name;
    this.blank(rule, operator.shape);
  }

  operators(rule) {
    const kind = this.fields.get(rule.field)?.kind ?? "text";
    return this.catalogue.operators[kind];
  }

  blank(rule, shape) {
    const kind = this.fields.get(rule.field)?.kind ?? "text";
    const today = new Date().toISOString().slice(0, 10);
    const blanks = {
      NONE: undefined, MANY: [], SPAN: { amount: 30, unit: "days" }, DAYS: { amount: 7, unit: "days" },
      WHEN: today, DAY: today, PAIR: kind === "number" ? [0, 100] : [today, today],
      ONE: kind === "number" ? 0 : kind === "choice" ? this.fields.get(rule.field).choices[0][0] : "",
    };
    if (blanks[shape] === undefined) delete rule.value;
    else rule.value = blanks[shape];
  }

  fieldParts(rule, path) {
    const operators = this.operators(rule);
    const shape = (name) => operators.find((each) => each.name === name)?.shape;
    const choice = this.select(`${path}:operator`, "How it compares",
      operators.map((each) => [each.name, each.label]), rule.operator, (value) => {
        const before = shape(rule.operator);
        rule.operator = value;
        if (shape(value) !== before) this.blank(rule, shape(value));
        this.write();
      });
    return [choice, this.value(rule, shape(rule.operator), path)];
  }

  value(rule, shape, path) {
    const field = this.fields.get(rule.field) ?? { kind: "text", choices: [], units: [] };
    const set = (value) => { rule.value = value; this.write(false); };
    const key = `${path}:value`;
    switch (shape) {
      case "ONE":
        if (field.kind === "choice") return this.select(key, "Value", field.choices, rule.value, set);
        if (field.kind === "number") return this.number(key, rule.value, set, field.unit);
        return this.textInput(key, rule.value, set, rule.field);
      case "MANY": return this.many(rule, field, key);
      case "PAIR": return make("span", { class: "rb-pair" },
        ...[0, 1].flatMap((end) => {
          const setEnd = (value) => { rule.value[end] = value; this.write(false); };
          const input = field.kind === "number" ? this.number(`${key}${end}`, rule.value[end], setEnd, field.unit)
            : this.day(`${key}${end}`, rule.value[end], setEnd);
          return end ? [" and ", input] : [input];
        }));
      case "WHEN": case "DAY": return this.day(key, rule.value, set);
      case "SPAN": return this.span(key, rule, "value", field.units);
      case "DAYS": return this.span(key, rule, "value", ["days"]);
      default: return null;
    }
  }

  select(key, label, options, value, act) {
    const choice = make("select", { class: "rb-input", "aria-label": label, "data-key": key,
      onchange: () => act(choice.value) },
      ...options.map(([name, text]) => make("option", { value: name }, text)));
    choice.value = value ?? "";
    return choice;
  }

  number(key, value, act, unit) {
    const input = make("input", { class: "rb-input rb-number", type: "number", step: "any", value, "aria-label": "Number",
      "data-key": key, oninput: () => { if (input.value !== "") act(Number(input.value)); } });
    return unit && UNIT_NAMES[unit] ? make("span", { class: "rb-pair" }, input, UNIT_NAMES[unit]) : input;
  }

  day(key, value, act) {
    const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value);
    const input = make("input", { class: "rb-input", type: isDay ? "date" : "text", value, "aria-label": "Day",
      "data-key": key, oninput: () => { if (input.value) act(input.value); } });
    return input;
  }

  span(key, holder, name, units) {
    const span = holder[name];
    const amount = make("input", { class: "rb-input rb-amount", type: "number", min: 1, step: 1, value: span.amount,
      "aria-label": "How many", "data-key": `${key}.amount`,
      oninput: () => { span.amount = Number.parseInt(amount.value, 10) || 1; this.write(false); } });
    return make("span", { class: "rb-pair" }, amount, units.length === 1 ? units[0]
      : this.select(`${key}.unit`, "Unit", units.map((unit) => [unit, unit]), span.unit,
        (value) => { span.unit = value; this.write(false); }));
  }

  textInput(key, value, act, fieldName) {
    const input = make("input", { class: "rb-input rb-text", type: "text", value, "aria-label": "Text", "data-key": key,
      placeholder: "…", oninput: () => act(input.value), onfocus: () => this.offer(input, fieldName) });
    return input;
  }

  // A datalist of what the club really has, fetched once for each field.
  async offer(input, fieldName) {
    if (input.hasAttribute("list")) return;
    if (!this.values.has(fieldName)) {
      this.values.set(fieldName, fetch(`${this.catalogue.valuesUrl}?field=${encodeURIComponent(fieldName)}`)
        .then((answer) => answer.json()).then((answer) => answer.values).catch(() => []));
    }
    const offered = await this.values.get(fieldName);
    if (!offered.length) return;
    const id = `rb-offer-${fieldName.replaceAll(/\W/g, "-")}`;
    if (!this.querySelector(`#${id}`)) {
      this.append(make("datalist", { id }, ...offered.map((value) => make("option", { value }))));
    }
    input.setAttribute("list", id);
  }

  many(rule, field, key) {
    const options = field.kind === "segment" ? this.catalogue.segments : field.choices;
    if (options.length || field.kind === "segment") return this.pills(rule, options, key);
    const values = Array.isArray(rule.value) ? rule.value : [];
    const chips = values.map((value, index) => make("span", { class: "rb-chip" }, String(value),
      make("button", { type: "button", "aria-label": `Remove ${value}`, "data-key": `${key}[${index}]`,
        onclick: () => { values.splice(index, 1); this.write(); this.focusOn(key); } }, icon("close"))));
    const input = make("input", { class: "rb-input rb-text", type: field.kind === "number" ? "number" : "text",
      "aria-label": "Add a value; Enter after each", "data-key": key, placeholder: "Type and press Enter",
      onfocus: () => this.offer(input, rule.field) });
    const add = () => {
      const text = input.value.trim();
      if (!text) return;
      const value = field.kind === "number" ? Number(text) : text;
      input.value = ""; // An edited field reports a change again when it is redrawn.
      if (!values.includes(value)) values.push(value);
      rule.value = values;
      this.write();
      this.focusOn(key);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === ",") { event.preventDefault(); add(); }
      if (event.key === "Backspace" && !input.value && values.length) { values.pop(); this.write(); this.focusOn(key); }
    });
    input.addEventListener("change", add);
    return make("span", { class: "rb-many" }, ...chips, input);
  }

  pills(rule, options, key) {
    const chosen = new Set(rule.value);
    return make("span", { class: "rb-many", role: "group", "aria-label": "Any of" },
      ...options.map(([value, label], index) => {
        const box = make("input", { type: "checkbox", checked: chosen.has(value), "data-key": `${key}[${index}]`,
          onchange: () => {
            if (box.checked) chosen.add(value); else chosen.delete(value);
            rule.value = options.map(([each]) => each).filter((each) => chosen.has(each));
            this.write();
          } });
        return make("label", { class: "rb-pill" }, box, label);
      }));
  }

  countParts(rule, source, path) {
    const filters = rule[source.name];
    const operator = this.select(`${path}:operator`, "How often",
      this.catalogue.countOperators.map((each) => [each.name, each.label]), rule.operator,
      (value) => { rule.operator = value; this.write(false); });
    const times = make("input", { class: "rb-input rb-amount", type: "number", min: 0, step: 1, value: rule.value,
      "aria-label": "Times", "data-key": `${path}:times`,
      oninput: () => { rule.value = Number.parseInt(times.value, 10) || 0; this.write(false); } });
    const set = (name, value) => { if (value) filters[name] = value; else delete filters[name]; this.write(false); };
    const inputs = source.filters.filter((each) => each.name !== "metadata").map((each) => {
      const key = `${path}:${each.name}`;
      if (each.choices.length) {
        return make("label", { class: "rb-filter" }, each.label, this.select(key, each.label,
          [["", "any"], ...each.choices], filters[each.name] ?? "", (value) => set(each.name, value)));
      }
      const input = make("input", { class: "rb-input", type: "text", value: filters[each.name] ?? "", placeholder: "any",
        "data-key": key, oninput: () => set(each.name, input.value.trim()),
        onfocus: () => { if (each.name === "type") this.offer(input, "lastActivityType"); } });
      return make("label", { class: "rb-filter" }, each.label, input);
    });
    const every = make("input", { type: "checkbox", checked: !rule.within, "data-key": `${path}:ever`,
      onchange: () => {
        if (every.checked) delete rule.within; else rule.within = { amount: 90, unit: "days" };
        this.write();
      } });
    const units = ["minutes", "hours", "days", "weeks", "months", "years"];
    return [operator, times, make("span", { class: "rb-filters" }, ...inputs),
      rule.within && make("span", { class: "rb-pair" }, "in the last", this.span(`${path}:within`, rule, "within", units)),
      make("label", { class: "rb-pill" }, every, "at any time")];
  }

  // Asking who matches, while somebody types

  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.preview(), DEBOUNCE_MS);
  }

  async preview() {
    this.request?.abort();
    this.request = new AbortController();
    this.side.classList.add("rb-busy");
    let answer;
    try {
      const token = this.closest("form").elements.csrfmiddlewaretoken.value;
      const response = await fetch(this.catalogue.previewUrl, { method: "POST", body: JSON.stringify(this.rules),
        signal: this.request.signal, headers: { "Content-Type": "application/json", "X-CSRFToken": token } });
      answer = { ok: response.ok, ...(await response.json()) };
    } catch (error) {
      if (error.name === "AbortError") return;
      answer = { ok: false, message: "The count could not be fetched. Saving still works." };
    }
    this.side.classList.remove("rb-busy");
    this.report(answer);
  }

  report(answer) {
    for (const rule of this.rows.querySelectorAll(".rb-rule")) rule.classList.remove("rb-wrong");
    if (!answer.ok) {
      const wrong = [...this.rows.querySelectorAll(".rb-rule")].find((rule) => answer.path?.startsWith(rule.dataset.path));
      wrong?.classList.add("rb-wrong");
      this.side.replaceChildren(make("p", { class: "rb-fault" }, answer.message ?? "These rules cannot be read."));
      return;
    }
    for (const { path, count } of answer.rules) {
      const output = this.counts?.get(path);
      if (output) output.textContent = count == null ? "" : number(count);
    }
    const people = answer.sample.map(({ name, url }) => make("li", {}, url ? make("a", { href: url }, name) : name));
    const reach = Object.entries(answer.reachable).filter(([, count]) => count != null)
      .map(([channel, count]) => make("li", {}, make("b", {}, number(count)), ` by ${CHANNELS[channel]}`));
    const estimate = "An estimate: this took too long to count. Fewer or simpler rules are counted exactly.";
    this.side.replaceChildren(
      make("p", { class: "rb-total" }, (answer.isExact ? "" : "≈ ") + number(answer.count),
        make("small", {}, answer.count === 1 ? "customer" : "customers")),
      make("p", { class: "rb-sentence" }, answer.sentence),
      answer.isExact ? "" : make("p", { class: "rb-fault" }, estimate),
      reach.length ? make("h3", {}, "Can be reached now") : "", make("ul", { class: "rb-reach" }, ...reach),
      people.length ? make("h3", {}, "Some of them") : "", make("ul", {}, ...people));
  }
}

function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }

customElements.define("rule-builder", RuleBuilder);
