// Says at once what the server would say after minutes: that a file is too big.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches("[data-upload] input[type=file]")) return;
  const form = input.closest("form");
  const problem = form.querySelector("[data-problem]");
  const isTooBig = [...input.files].some((file) => file.size > Number(input.dataset.maxBytes));
  problem.hidden = !isTooBig;
  problem.textContent = isTooBig ? input.dataset.tooBig : "";
  form.querySelector("button[type=submit]").disabled = isTooBig;
});
