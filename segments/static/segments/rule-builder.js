// <rule-builder>: turns the JSON in its text area into rows of fields, and back.
// The text area stays the form's value, so without this script the JSON is edited by hand.

import { capital, choice, icon, make, number } from "./rule-dom.js";
import { Dragging } from "./rule-dragging.js";
import { History } from "./rule-history.js";
import { fault, summary } from "./rule-side.js";
import { countParts, fieldParts, startOver } from "./rule-values.js";

const DEBOUNCE_MS = 300;
const GROUPS = { AND: "All of these:", OR: "Any of these:", "not AND": "Not all of these:", "not OR": "None of these:" };
const COPIED = "fairway.copied-rule";

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
    this.undoing = make("div", { class: "rb-undo", role: "group", "aria-label": "Undo" },
      this.stepper("undo", "Undo (Ctrl+Z)", -1), this.stepper("redo", "Redo (Ctrl+Shift+Z)", 1));
    this.prepend(make("div", { class: "rb-bar" }, this.tabs, this.starters(), this.undoing),
      make("div", { class: "rb-main" }, this.rows, this.side));
    this.read();
    this.history = new History(this.rules);
    this.dragging = new Dragging(this);
    this.text.addEventListener("input", () => { this.read(); this.note("json"); this.ask(); });
    this.text.setAttribute("spellcheck", "false");
    this.addEventListener("keydown", (event) => this.press(event));
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

  // The bar above: builder or JSON, something to start from, undo and redo

  tab(label, asJson) {
    return make("button", { type: "button", "data-json": asJson, onclick: () => this.show(asJson) }, label);
  }

  stepper(name, label, by) {
    return make("button", { type: "button", class: "rb-tool", title: label, "aria-label": label,
      onclick: () => this.step(by) }, icon(name));
  }

  starters() {
    const names = this.catalogue.starters.map(({ name }, index) => [String(index), name]);
    return choice("starters", "Start from", [["", "Start from …"], ...names], "", (index) => {
      const starter = this.catalogue.starters[Number(index)];
      if (!starter) return;
      this.rules = structuredClone(starter.rules);
      this.write();
      this.name(starter);
      this.querySelector('[data-key="starters"]').value = "";
    });
  }

  // A segment that has no name yet is called as what it starts from.
  name(starter) {
    const { name, description } = this.closest("form").elements;
    if (name && !name.value) name.value = starter.name;
    if (description && !description.value) description.value = starter.description;
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
    this.store();
    this.note(document.activeElement?.dataset?.key);
    if (render) this.render();
    this.ask();
  }

  store() {
    this.text.value = JSON.stringify(this.rules, null, 1);
    this.text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  note(place) {
    this.history.note(this.rules, place);
    this.enableSteps();
  }

  step(by) {
    this.rules = this.history.step(by);
    this.store();
    this.enableSteps();
    this.render();
    this.ask();
  }

  enableSteps() {
    const [undo, redo] = this.undoing.children;
    undo.disabled = !this.history.canUndo;
    redo.disabled = !this.history.canRedo;
  }

  // Keys: in a text field they belong to the text

  press(event) {
    const isTyping = event.target.matches("textarea, input:not([type=checkbox])");
    const isCommand = event.ctrlKey || event.metaKey;
    const row = event.target.closest?.("[data-path]");
    if (event.altKey && row && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      this.move(row.dataset.path, event.key === "ArrowUp" ? -1 : 1);
    } else if (isCommand && !isTyping && event.key.toLowerCase() === "z") {
      event.preventDefault();
      this.step(event.shiftKey ? 1 : -1);
    } else if (isCommand && !isTyping && event.key.toLowerCase() === "y") {
      event.preventDefault();
      this.step(1);
    } else if (isCommand && !isTyping && row && event.key.toLowerCase() === "c" && !String(getSelection())) {
      this.copy(this.find(row.dataset.path).node);
    } else if (isCommand && !isTyping && row && event.key.toLowerCase() === "v") {
      event.preventDefault();
      const { group, index } = this.find(row.dataset.path);
      this.paste(group, index + 1, row.dataset.path);
    }
  }

  // Where a rule or group stands: `rules[2].rules[0]` is the first in the group at the third place.
  find(path) {
    let [node, group, index] = [this.rules, null, 0];
    for (const step of path.matchAll(/rules\[(\d+)\]/g)) {
      group = node;
      index = Number(step[1]);
      node = group?.rules?.[index];
    }
    return { node, group, index };
  }

  // One place up or down; past the end of a group out of it, and into the one it meets.
  move(path, by) {
    const { node, group, index } = this.find(path);
    const listPath = path.slice(0, path.lastIndexOf("["));
    const neighbour = group.rules[index + by];
    if (!neighbour && listPath === "rules") return;
    group.rules.splice(index, 1);
    if (!neighbour) {
      const above = this.find(listPath.slice(0, -".rules".length));
      above.group.rules.splice(above.index + (by > 0 ? 1 : 0), 0, node);
    } else if (neighbour.rules && !node.rules) {
      neighbour.rules.splice(by > 0 ? 0 : neighbour.rules.length, 0, node);
    } else {
      group.rules.splice(index + by, 0, node);
    }
    this.prune(group);
    this.write();
    this.focusOn(`${this.pathOf(node)}:grip`);
  }

  // A group whose last rule went elsewhere asks nothing.
  prune(group) {
    if (group === this.rules || group.rules.length) return;
    const { group: parent, index } = this.find(this.pathOf(group));
    parent.rules.splice(index, 1);
  }

  pathOf(wanted, node = this.rules, path = "") {
    for (const [index, rule] of node.rules.entries()) {
      const at = `${path && `${path}.`}rules[${index}]`;
      if (rule === wanted) return at;
      const inside = rule.rules && this.pathOf(wanted, rule, at);
      if (inside) return inside;
    }
    return null;
  }

  kindOf(path) {
    const { node } = this.find(path);
    return `${node?.negate ? "not " : ""}${node?.combinator}`;
  }

  copy(node) {
    localStorage.setItem(COPIED, JSON.stringify(node));
    navigator.clipboard?.writeText(JSON.stringify(node, null, 1)).catch(() => {});
    this.render();
  }

  paste(group, index, path) {
    const copied = localStorage.getItem(COPIED);
    if (!copied) return;
    const node = JSON.parse(copied);
    if (this.size(this.rules) + this.size(node) > this.catalogue.maxRules) return;
    group.rules.splice(index, 0, node);
    this.write();
    this.focusOn(`${this.pathOf(node) ?? path}:grip`);
  }

  // Drawing

  render() {
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    this.counts = new Map();
    this.rows.replaceChildren(this.group(this.rules, "rules", 1, null));
    if (focused) this.focusOn(focused);
    this.enableSteps();
    if (this.answer?.ok) this.count(this.answer);
  }

  group(group, path, depth, parent) {
    const listPath = depth === 1 ? "rules" : `${path}.rules`;
    const which = choice(`${path}:combinator`, "How these rules go together",
      [["AND", "all"], ["OR", "any"]], group.combinator, (value) => { group.combinator = value; this.write(); });
    const lead = parent && choice(`${path}:negate`, "Those who match, or those who do not",
      [["", "match"], ["1", "do not match"]], group.negate ? "1" : "",
      (value) => { group.negate = Boolean(value); this.write(); });
    const head = make("div", { class: "rb-head" }, parent && this.grip(path), parent ? "who" : "Customers who match",
      lead, which, "of these:", parent && this.counter(path), parent && this.tools(parent, group, path, "group"));
    const list = make("div", { class: "rb-list", "data-list": listPath }, ...group.rules.map((rule, index) => {
      const at = `${listPath}[${index}]`;
      return rule.rules ? this.group(rule, at, depth + 1, group) : this.rule(rule, at, group);
    }));
    return make("fieldset", { class: `rb-group rb-depth-${depth}`, "data-path": parent && path },
      make("legend", { class: "rb-legend" }, depth === 1 ? "Rules" : "Group of rules"), head, list,
      this.foot(group, path, listPath, depth));
  }

  foot(group, path, listPath, depth) {
    const isFull = this.size(this.rules) >= this.catalogue.maxRules;
    const end = () => `${listPath}[${group.rules.length - 1}]`;
    const button = (name, key, label, act, disabled = isFull) => make("button",
      { type: "button", class: "rb-add", "data-key": `${path}:${key}`, disabled, onclick: act }, icon(name), label);
    return make("div", { class: "rb-foot" },
      button("add", "add", "Add a rule", () => {
        group.rules.push({ field: "city", operator: "equals", value: "" });
        this.write();
        this.focusOn(`${end()}:field`);
      }),
      depth < this.catalogue.maxDepth && button("account_tree", "group", "Add a group", () => {
        group.rules.push({ combinator: "OR", rules: [{ field: "tags", operator: "hasAny", value: [] }] });
        this.write();
        this.focusOn(`${end()}.rules[0]:field`);
      }),
      localStorage.getItem(COPIED) && button("content_paste", "paste", "Paste",
        () => this.paste(group, group.rules.length, path)));
  }

  size(node) { return node.rules ? node.rules.reduce((sum, rule) => sum + this.size(rule), 0) : 1; }

  focusOn(key) { this.rows.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus(); }

  grip(path) {
    const label = "Move: drag, or Alt with the up and down arrows";
    return make("button", { type: "button", class: "rb-tool rb-grip", title: label, "aria-label": label,
      "data-key": `${path}:grip` }, icon("drag_indicator"));
  }

  counter(path) {
    const count = make("output", { class: "rb-count" });
    this.counts.set(path, count);
    return count;
  }

  tools(group, rule, path, what) {
    const index = group.rules.indexOf(rule);
    const button = (name, label, act) => make("button", { type: "button", class: "rb-tool", title: label,
      "aria-label": label, "data-key": `${path}:${name}`, onclick: act }, icon(name));
    return make("span", { class: "rb-tools" },
      button("content_copy", `Copy this ${what}`, () => this.copy(rule)),
      button("close", `Remove this ${what}`, () => { group.rules.splice(index, 1); this.write(); }));
  }

  rule(rule, path, group) {
    const source = this.catalogue.counts.find((each) => rule[each.name]);
    const parts = source ? countParts(this, rule, source, path) : fieldParts(this, rule, path);
    return make("div", { class: "rb-rule", "data-path": path }, this.grip(path), this.what(rule, source, path), ...parts,
      this.counter(path), this.tools(group, rule, path, "rule"));
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
    const select = make("select", { class: "rb-input rb-field", "aria-label": "What", "data-key": `${path}:field`,
      onchange: () => { startOver(this, rule, select.value); this.write(); } }, ...groups.values());
    select.value = current;
    return select;
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
      const asked = { ...this.rules, segment: this.catalogue.segment };
      const response = await fetch(this.catalogue.previewUrl, { method: "POST", body: JSON.stringify(asked),
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
    this.answer = answer;
    for (const rule of this.rows.querySelectorAll(".rb-rule")) rule.classList.remove("rb-wrong");
    if (!answer.ok) {
      const wrong = [...this.rows.querySelectorAll(".rb-rule")].find((rule) => answer.path?.startsWith(rule.dataset.path));
      wrong?.classList.add("rb-wrong");
      this.side.replaceChildren(...fault(answer.message));
      return;
    }
    this.count(answer);
    this.side.replaceChildren(...summary(answer, (path) => GROUPS[this.kindOf(path)]));
    for (const step of this.side.querySelectorAll("[data-for]")) {
      const light = (isOn) => this.rows.querySelector(`[data-path="${CSS.escape(step.dataset.for)}"]`)
        ?.classList.toggle("rb-lit", isOn);
      step.addEventListener("mouseenter", () => light(true));
      step.addEventListener("mouseleave", () => light(false));
    }
  }

  count({ steps }) {
    for (const { path, count } of steps) {
      const output = this.counts.get(path);
      if (!output) continue;
      output.textContent = count == null ? "" : number(count);
      output.title = count == null ? "" : `${number(count)} customers match this by itself`;
    }
  }
}

customElements.define("rule-builder", RuleBuilder);
