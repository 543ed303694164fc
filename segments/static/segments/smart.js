// Shows what the chosen type of segment asks for: the settings of a model, and of which model.

const rows = (form, name) => form.querySelectorAll(`.field-${name}`);

const follow = (form) => {
  const isSmart = form.elements.type?.value === "SMART";
  const isAlike = form.elements.smart_model?.value === "LOOKALIKE";
  for (const name of ["smart_model", "smart_size", "smart_min_score", "smart_trial"]) {
    for (const row of rows(form, name)) row.hidden = !isSmart;
  }
  for (const row of rows(form, "smart_segment")) row.hidden = !(isSmart && isAlike);
};

for (const form of document.querySelectorAll("form")) {
  if (!form.elements.smart_model) continue;
  for (const name of ["type", "smart_model"]) {
    form.elements[name]?.addEventListener("change", () => follow(form));
  }
  // What was found out holds for what was asked, not for what is written now.
  form.addEventListener("input", (event) => {
    if (event.target.name?.startsWith("smart_")) form.querySelector(".sg-trial")?.replaceChildren();
  });
  follow(form);
}
