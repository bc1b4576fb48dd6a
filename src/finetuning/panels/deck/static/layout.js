// Where each take has its place: a grid of cells, each with a stack of takes.

class Layout {
  constructor(takes, axes, { rows, columns, page: paging }, pageIndex) {
    const side = (name) => {
      const index = axes.findIndex((axis) => axis.name === name);
      if (index < 0) return { index: -1, name: "", labels: [""] };
      const labels = [...axes[index].labels];
      if (takes.some((take) => take.a[index] < 0)) labels.push("–");
      return { index, name, labels };
    };
    this.rows = side(rows);
    this.columns = side(columns);
    this.paging = side(paging);
    this.pages = this.paging.index < 0 ? 1 : this.paging.labels.length;
    this.page = Math.min(pageIndex, this.pages - 1);
    this.list = this.rows.index < 0 && this.columns.index < 0;
    const at = (side, take) => (side.index < 0 ? 0 : take.a[side.index] < 0 ? side.labels.length - 1 : take.a[side.index]);
    const shown = takes.filter((take) => at(this.paging, take) === this.page);
    if (this.list) {
      this.cells = shown.map((take) => [[take]]);
    } else {
      this.cells = this.rows.labels.map(() => this.columns.labels.map(() => []));
      for (const take of shown) this.cells[at(this.rows, take)][at(this.columns, take)].push(take);
    }
    this.places = new Map();
    this.cells.forEach((row, r) =>
      row.forEach((stack, c) => stack.forEach((take, depth) => this.places.set(take.k, { r, c, depth }))),
    );
    this.pageOf = new Map(takes.map((take) => [take.k, at(this.paging, take)]));
    this.signature = JSON.stringify([this.list, this.rows, this.columns, this.page, this.cells.map((row) => row.map((stack) => stack.map((take) => take.k)))]);
  }

  get wide() {
    return !this.list && this.cells[0]?.length > 1;
  }

  // The take that a step leads to; through the stack of a cell first when it goes up or down.
  step(key, dr, dc) {
    const place = this.places.get(key);
    if (!place) return this.first();
    const stack = this.cells[place.r][place.c];
    if (dr && stack[place.depth + dr]) return stack[place.depth + dr];
    let { r, c } = place;
    for (;;) {
      r += dr;
      c += dc;
      const next = this.cells[r]?.[c];
      if (!next) return null;
      if (next.length) return next[dr > 0 ? 0 : dr < 0 ? next.length - 1 : Math.min(place.depth, next.length - 1)];
    }
  }

  first() {
    return this.cells.flat().find((stack) => stack.length)?.[0] ?? null;
  }

  // The nearest takes in each direction.
  neighbours(key) {
    const steps = [[0, 1], [1, 0], [0, -1], [-1, 0]];
    return [...new Set(steps.map(([dr, dc]) => this.step(key, dr, dc)).filter((take) => take && take.k !== key))];
  }
}

// "bpm 85 → 92 · seed 7 → 11"
function differences(axes, before, now) {
  if (!before || before.k === now.k) return "";
  const said = [];
  axes.forEach(({ name, labels }, index) => {
    const [from, to] = [before.a[index], now.a[index]];
    if (from !== to) said.push(`${nameOf(name)} ${labels[from] ?? "–"} → ${labels[to] ?? "–"}`);
  });
  return said.join(" · ") || "same parameters";
}

function describe(axes, take, without = []) {
  const told = axes.map(({ name, labels }, index) => [name, labels[take.a[index]]]);
  return told.filter(([name, label]) => label !== undefined && !without.includes(name)).map(([name, label]) => `${nameOf(name)} ${label}`).join(" · ");
}
