// Dragging a rule, or a group, by its grip to another place.

export class Dragging {
  constructor(builder) {
    this.builder = builder;
    this.mark = document.createElement("div");
    this.mark.className = "rb-drop";
    const { rows } = builder;
    rows.addEventListener("pointerdown", (event) => {
      const row = event.target.closest(".rb-grip")?.closest("[data-path]");
      if (row) row.draggable = true;
    });
    rows.addEventListener("dragstart", (event) => this.start(event));
    rows.addEventListener("dragover", (event) => this.over(event));
    rows.addEventListener("drop", (event) => this.drop(event));
    rows.addEventListener("dragend", () => this.end());
  }

  start(event) {
    this.row = event.target.closest("[data-path]");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.row.dataset.path);
    this.row.classList.add("rb-dragged");
  }

  over(event) {
    const list = event.target.closest(".rb-list") ?? event.target.closest(".rb-group")?.querySelector(".rb-list");
    if (!this.row || !list || this.row.contains(list)) return;
    event.preventDefault();
    const rows = [...list.children].filter((each) => each !== this.mark);
    const next = rows.find((each) => {
      const box = each.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    list.insertBefore(this.mark, next ?? null);
  }

  drop(event) {
    if (!this.row || !this.mark.parentElement) return;
    event.preventDefault();
    const { builder } = this;
    const list = this.mark.parentElement;
    const from = builder.find(this.row.dataset.path);
    const rows = [...list.children].filter((each) => each !== this.mark && each !== this.row);
    const index = rows.filter((each) => this.mark.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING).length;
    const target = list.dataset.list === "rules" ? builder.rules
      : builder.find(list.dataset.list.slice(0, -".rules".length)).node;
    from.group.rules.splice(from.index, 1);
    target.rules.splice(index, 0, from.node);
    builder.prune(from.group);
    this.end();
    builder.write();
  }

  end() {
    this.mark.remove();
    this.row?.classList.remove("rb-dragged");
    if (this.row) this.row.draggable = false;
    this.row = null;
  }
}
