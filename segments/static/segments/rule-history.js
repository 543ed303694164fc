// What the rules were before, for undo and redo.

const ONE_EDIT_MS = 900; // Letters typed closer together than this are one edit.

export class History {
  constructor(rules) {
    this.states = [JSON.stringify(rules)];
    this.at = 0;
    this.place = null;
    this.time = 0;
  }

  // `place` is where somebody is typing: a run of edits in one place is undone together.
  note(rules, place) {
    const state = JSON.stringify(rules);
    if (state === this.states[this.at]) return;
    const now = Date.now();
    const isSameEdit = place && place === this.place && now - this.time < ONE_EDIT_MS && this.at > 0;
    this.states.length = this.at + 1;
    if (isSameEdit) this.states[this.at] = state;
    else this.at = this.states.push(state) - 1;
    this.place = place;
    this.time = now;
  }

  get canUndo() { return this.at > 0; }
  get canRedo() { return this.at < this.states.length - 1; }

  step(by) {
    this.place = null;
    this.at = Math.min(Math.max(this.at + by, 0), this.states.length - 1);
    return JSON.parse(this.states[this.at]);
  }
}
