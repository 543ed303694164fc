// Keys of the review: each presses the button or link that names it in data-key. Nothing is done by
// a key that a button does not do as well.
const KEEP = "fairway.review.keys";
const WRITING = "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]";

function areKeysOn() {
  return localStorage.getItem(KEEP) !== "off";
}

function showSwitch() {
  const isOn = areKeysOn();
  for (const button of document.querySelectorAll("[data-keys-switch]")) {
    button.textContent = isOn ? "Turn keys off" : "Turn keys on";
    button.setAttribute("aria-pressed", String(isOn));
    button.closest("[data-keys-legend]").classList.toggle("is-off", !isOn);
  }
}

function press(event) {
  const isCombined = event.ctrlKey || event.metaKey || event.altKey;
  if (!areKeysOn() || isCombined || event.repeat || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest(WRITING)) return;
  const key = event.key.toLowerCase();
  const target = /^[a-z]$/.test(key) && document.querySelector(`[data-review] [data-key="${key}"]`);
  if (!target || target.disabled) return;
  event.preventDefault();
  target.click();
}

// A second press while the first is on its way would decide on the next pair unseen.
function sendOnce(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || !form.closest("[data-review]")) return;
  if (document.documentElement.dataset.sending) event.preventDefault();
  else document.documentElement.dataset.sending = "yes";
}

document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector("[data-review]")) return;
  showSwitch();
  document.addEventListener("keydown", press);
  document.addEventListener("submit", sendOnce);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-keys-switch]")) return;
    localStorage.setItem(KEEP, areKeysOn() ? "off" : "on");
    showSwitch();
  });
});
// Back from the browser's memory the page is as it was left: let it decide again.
window.addEventListener("pageshow", () => delete document.documentElement.dataset.sending);
