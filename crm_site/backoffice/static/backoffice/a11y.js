// What the theme leaves out for keyboards and screen readers, put right as elements appear.
const ICON = ".material-symbols-outlined";
const CLICKABLE = "[x-on\\:click], [\\@click]";
const NATIVE = "a[href], button, input, select, textarea, label, summary, form";
const TABS = "#tabs-items, #tabs-dropdown";

// Icons are words in a font; read aloud they are noise. An icon that is itself a button needs a name.
const NAMES = {
  dock_to_right: "Show or hide the menu",
  close: "Close",
  more_horiz: "More",
  expand_more: "Show more of this row",
  filter_list: "Filters",
};

function improve(root) {
  for (const icon of root.querySelectorAll(ICON)) {
    if (!icon.closest("[aria-hidden]")) improveIcon(icon);
  }
  for (const element of root.querySelectorAll(CLICKABLE)) improveClickable(element);
  for (const list of root.querySelectorAll(TABS)) improveTabs(list);
}

function improveIcon(icon) {
  const word = icon.textContent.trim();
  if (icon.matches(CLICKABLE)) {
    icon.setAttribute("aria-label", NAMES[word] || word.replaceAll("_", " "));
    return;
  }
  icon.setAttribute("aria-hidden", "true");
  const button = icon.closest(`${CLICKABLE}, a, button`);
  const isAlone = button && button.textContent.trim() === word;
  if (isAlone && !button.title && !button.hasAttribute("aria-label") && NAMES[word]) {
    button.setAttribute("aria-label", NAMES[word]);
  }
}

function improveClickable(element) {
  if (element.matches(NATIVE) || element.hasAttribute("tabindex")) return;
  element.tabIndex = 0;
  if (!element.hasAttribute("role") && element.tagName !== "TD") element.setAttribute("role", "button");
  element.addEventListener("keydown", (event) => {
    if (event.target === element && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      element.click();
    }
  });
}

function improveTabs(list) {
  for (const tab of list.querySelectorAll("a[x-on\\:click]")) {
    const mark = () => {
      if (tab.classList.contains("active")) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    };
    mark();
    new MutationObserver(mark).observe(tab, { attributeFilter: ["class"] });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  improve(document);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node instanceof Element && node.parentElement) improve(node.parentElement);
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
});
