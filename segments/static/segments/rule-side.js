// Beside the rules: how many they find, how they come to be so many, and who.

import { icon, make, number } from "./rule-dom.js";

const CHANNELS = { EMAIL: "e-mail", SMS: "SMS", PUSH: "push", WHATSAPP: "WhatsApp" };
const ESTIMATED = "An estimate: this took too long to count. Fewer or simpler rules are counted exactly; "
  + "rules about what people did cost the most.";

export function fault(message) {
  return [make("p", { class: "rb-fault" }, icon("error"), message ?? "These rules cannot be read.")];
}

// `named` says of a step that is a group how its rules go together.
export function summary(answer, named) {
  return [
    make("p", { class: "rb-total" }, (answer.isExact ? "" : "≈ ") + number(answer.count),
      make("small", {}, answer.count === 1 ? "customer" : "customers")),
    make("p", { class: "rb-sentence" }, answer.sentence),
    answer.isExact ? null : make("p", { class: "rb-fault" }, icon("hourglass_bottom"), ESTIMATED),
    ...difference(answer.difference),
    ...waterfall(answer, named),
    ...reach(answer),
    ...titled("Some of them", answer.sample.map(person)),
  ].filter(Boolean);
}

function person({ name, url }) {
  return make("li", {}, url ? make("a", { href: url }, name) : name);
}

function titled(title, items, attributes = {}) {
  return items.length ? [make("h3", {}, title), make("ul", attributes, ...items)] : [];
}

// From everybody to who is found, a bar for each rule.
function waterfall({ total, steps, isExact }, named) {
  if (!isExact || !total || steps.length < 2) return [];
  const bar = (label, count, depth, path) => {
    const fill = make("span", { class: "rb-step-fill" });
    fill.style.setProperty("--share", `${(100 * count) / total}%`);
    fill.style.setProperty("--depth", depth - 1);
    return make("li", { class: "rb-step", "data-for": path },
      make("span", { class: "rb-step-name" }, label), make("b", {}, number(count)), fill);
  };
  const bars = steps.map((step) => bar(step.isGroup ? named(step.path) : step.sentence,
    step.kept, step.depth, step.path));
  return titled("On the way", [bar("Everybody", total, 1), ...bars], { class: "rb-steps" });
}

function reach({ reachable, count }) {
  const items = Object.entries(reachable).filter(([, able]) => able != null)
    .map(([channel, able]) => {
      const share = count ? ` · ${Math.round((100 * able) / count)} %` : "";
      return make("li", {}, make("b", {}, number(able)), ` by ${CHANNELS[channel]}`, make("small", {}, share));
    });
  return titled("Can be reached now", items, { class: "rb-reach" });
}

// What saving would change in a segment that is there already.
function difference(found) {
  if (!found || !(found.joining.count || found.leaving.count)) return [];
  const side = (sign, word, { count, sample }) => {
    if (!count) return null;
    const names = sample.flatMap(({ name, url }, index) => [index ? ", " : "", make("a", { href: url }, name)]);
    const more = count > sample.length ? ` and ${number(count - sample.length)} more` : "";
    return make("li", {}, make("b", {}, `${sign}${number(count)} ${word}`), make("span", {}, ...names, more));
  };
  const uses = found.usedIn.map(({ name, kind, url }) => make("li", {}, `${kind}: `,
    url ? make("a", { href: url }, name) : name));
  return [
    ...titled("If you save this", [side("+", "join", found.joining), side("−", "leave", found.leaving)].filter(Boolean),
      { class: "rb-difference" }),
    ...titled("That touches", uses),
  ];
}
