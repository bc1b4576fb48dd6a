// The takes: a grid of cells. It is built anew only when takes change their places; what changes of a take is set.

const STATES = {
  waiting: "waiting", sent: "sent", lost: "looking for it", generating: "in the making", pending: "queued",
  processing: "in the making", failed: "failed", refused: "refused", uncertain: "uncertain",
};
const BRIEF = { sent: "sent", lost: "lost?", generating: "making", pending: "queued", processing: "making" };
const MANY = 6; // columns from which on a cell shows less; its tooltip and its label for a screen reader tell the rest
const BROKEN = new Set(["failed", "refused", "uncertain"]);

class Matrix {
  constructor(act) {
    this.act = act; // (take, event)
    this.root = element("div", "ft-matrix");
    this.cells = [];
    this.signature = "";
  }

  draw(layout, view) {
    if (layout.signature !== this.signature) {
      this.signature = layout.signature;
      this.build(layout);
    }
    for (const cell of this.cells) this.show(cell, view);
  }

  build(layout) {
    this.cells = [];
    const columns = layout.columns.labels.length;
    this.dense = columns > MANY;
    const kind = layout.list ? "ft-grid ft-list" : this.dense ? "ft-grid ft-dense" : "ft-grid";
    const table = element("table", kind, undefined, { role: "grid", "aria-label": "Takes" });
    table.style.setProperty("--columns", columns);
    if (layout.columns.index >= 0) {
      const head = element("tr", "", undefined, { role: "row" });
      if (layout.rows.index >= 0) head.append(this.corner(layout));
      for (const label of layout.columns.labels) head.append(this.header(layout.columns.name, label, "col"));
      const top = element("thead");
      top.append(head);
      table.append(top);
    }
    const body = element("tbody");
    layout.cells.forEach((stacks, r) => {
      const row = element("tr", "", undefined, { role: "row" });
      if (layout.rows.index >= 0) row.append(this.header(layout.rows.name, layout.rows.labels[r], "row"));
      for (const stack of stacks) row.append(stack.length ? this.cell(stack, layout) : element("td", "ft-empty", undefined, { role: "gridcell" }));
      body.append(row);
    });
    table.append(body);
    this.root.replaceChildren(table);
  }

  corner(layout) {
    const corner = element("th", "ft-corner");
    corner.append(element("span", "", `${nameOf(layout.rows.name)} ↓`), element("span", "", `${nameOf(layout.columns.name)} →`));
    return corner;
  }

  header(name, label, scope) {
    const header = element("th", `ft-head ft-head-${scope}`, undefined, { scope });
    header.append(element("span", "ft-head-name", nameOf(name)), element("span", "ft-head-value", label));
    return header;
  }

  cell(stack, layout) {
    const node = element("td", "ft-cell", undefined, { role: "gridcell", tabindex: "-1" });
    const parts = {
      icon: element("span", "ft-icon", undefined, { "aria-hidden": "true" }),
      title: element("span", "ft-title", undefined, { dir: "auto" }),
      label: element("span", "ft-label"),
      rating: element("span", "ft-stars"),
      rank: element("span", "ft-rank"),
      note: element("span", "ft-note"),
      length: element("span", "ft-length"),
      stack: element("span", "ft-stack"),
    };
    for (let bar = 0; bar < 3; bar += 1) parts.icon.append(element("i", ""));
    node.append(...Object.values(parts));
    const cell = { node, parts, stack, without: [layout.rows.name, layout.columns.name, layout.paging.name] };
    node.addEventListener("click", (event) => this.act(this.top(cell), event));
    this.cells.push(cell);
    return node;
  }

  // What of a stack is on top: the cursor's take where it is in it, else what was there last.
  top(cell) {
    return cell.shown ?? cell.stack[0];
  }

  show(cell, view) {
    const { node, parts, stack } = cell;
    const takes = stack.map((take) => view.take(take.k) ?? take);
    const take = takes.find(({ k }) => k === view.cursor) ?? takes.find(({ k }) => k === cell.shown?.k) ?? takes[0];
    cell.shown = take;
    const [rating, rejected] = view.marks(take.k);
    const rank = view.rank(take.k);
    const here = take.k === view.cursor;
    const problem = view.problems.get(take.k);
    const state = view.stateOf(take);
    node.dataset.key = take.k;
    node.dataset.state = state;
    node.classList.toggle("ft-current", here);
    node.classList.toggle("ft-rejected", rejected);
    node.classList.toggle("ft-chosen", view.chosen(take.k));
    node.classList.toggle("ft-unheard", !view.heard.has(take.k));
    node.setAttribute("aria-selected", String(view.chosen(take.k)));
    node.tabIndex = here ? 0 : -1;
    const label = describe(view.axes, take, cell.without);
    const note = problem ? "cannot be heard" : take.s ? STATES[take.s] ?? take.s : rejected ? "rejected" : "";
    setText(parts.title, take.t);
    setText(parts.label, label);
    setText(parts.rating, rating ? (this.dense ? `${rating}★` : stars(rating)) : "");
    setText(parts.rank, rank ? `#${rank[1]}` : "");
    setText(parts.note, this.dense ? (problem ? "silent" : BRIEF[take.s] ?? note) : note);
    setText(parts.length, take.d ? clock(Math.round(take.d)) : "");
    const depth = takes.length > 1 ? [takes.indexOf(take) + 1, takes.length] : [];
    setText(parts.stack, depth.join(this.dense ? "/" : " of "));
    const told = [take.d && clock(Math.round(take.d)), note, problem || take.e, rating && `${rating} of 5 stars`, rank && `rank ${rank[1]}`, depth.length && `take ${depth.join(" of ")}`];
    node.title = [take.t, describe(view.axes, take), ...told].filter(Boolean).join("\n");
    node.setAttribute("aria-label", [describe(view.axes, take), take.t, ...told, state === "sounding" && "sounding"].filter(Boolean).join(", "));
  }

  focus(key) {
    const node = this.cells.find((cell) => cell.shown?.k === key)?.node;
    node?.focus({ preventScroll: true });
    node?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
