// A table whose rows have ids: sorted, paged and chosen from here, filled by messages from the kernel.
//
// Kernel to page: {type: "rows", rows: [[id, …values]]} adds or renews rows, {type: "drop", ids} takes them away;
// {type: "order", ids} says which are shown, and in which order; {type: "chosen", ids} says which are chosen, and
// {type: "chose", page, number, on, off} that a page's change has arrived.
// Page to kernel: {type: "ready"} asks for all of it; {type: "choose", page, number, on: [ids], off: [ids]} tells a
// change; {type: "open", id} is a double click or Enter. A kernel that computes hears of it later: until then the change
// is under way, and stands above whatever the kernel says.
// Whatever is shown goes into the page as text.

const SIZES = [25, 50, 100, 250];

function render({ model, el }, store) {
  const columns = model.get("columns");
  const choosing = model.get("choosing");
  const state = { sort: null, down: false, page: 0, size: SIZES[1], at: null, anchor: null };

  const root = element(el, "div", "ft-table");
  if (model.get("stand_in")) element(root, "style", "", `#${CSS.escape(model.get("stand_in"))} { display: none; }`);
  const box = element(root, "div", "ft-box");
  box.style.maxHeight = model.get("height");
  const table = element(box, "table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", model.get("label"));
  if (choosing) table.setAttribute("aria-multiselectable", "true");
  const head = element(element(table, "thead"), "tr");
  const body = element(table, "tbody");
  const foot = element(root, "div", "ft-foot");
  const range = element(foot, "span", "ft-range");
  range.setAttribute("role", "status");
  const pager = element(foot, "span", "ft-pager");
  const before = button("‹", "Page before", () => turn(-1));
  const after = button("›", "Next page", () => turn(1));
  const sizes = element(pager, "select");
  sizes.setAttribute("aria-label", "Rows in a page");
  for (const size of SIZES) element(sizes, "option", "", `${size} rows`).value = size;
  sizes.value = state.size;
  sizes.addEventListener("change", () => {
    state.size = Number(sizes.value);
    state.page = 0;
    draw();
  });
  pager.append(before, after);

  function button(text, label, act) {
    const made = element(pager, "button", "", text);
    made.type = "button";
    made.title = label;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  const lines = new Map();
  let all = null;
  if (choosing) {
    const cell = element(head, "th", "ft-check");
    cell.scope = "col";
    all = element(cell, "input");
    all.type = "checkbox";
    all.title = "All that are shown, on every page";
    all.setAttribute("aria-label", "Choose all that are shown");
    all.addEventListener("change", () => choose(store.order, all.checked));
  }
  const heads = columns.map((column, place) => {
    const cell = element(head, "th", `ft-${column.kind}`);
    cell.scope = "col";
    const sorter = element(cell, "button", "", column.label);
    sorter.type = "button";
    if (column.help) sorter.title = column.help;
    sorter.addEventListener("click", () => {
      // Up, down, and back to the kernel's order.
      if (state.sort !== place) [state.sort, state.down] = [place, false];
      else if (!state.down) state.down = true;
      else [state.sort, state.down] = [null, false];
      state.page = 0;
      draw();
    });
    return cell;
  });

  function sorted() {
    const ids = store.order.filter((id) => store.rows.has(id));
    if (state.sort === null) return ids;
    const place = state.sort + 1;
    const known = (id) => store.rows.get(id)[place] !== null && store.rows.get(id)[place] !== "";
    const sign = state.down ? -1 : 1;
    const some = ids.filter(known);
    some.sort((a, b) => sign * compared(store.rows.get(a)[place], store.rows.get(b)[place]));
    return [...some, ...ids.filter((id) => !known(id))]; // what is not known stands last either way
  }

  function choose(ids, on) {
    const changed = ids.filter((id) => store.chosen.has(id) !== on);
    if (!changed.length) return;
    const change = { page: store.page, number: ++store.number, on: on ? changed : [], off: on ? [] : changed };
    store.underWay.push(change);
    apply(store, change);
    model.send({ type: "choose", ...change });
    store.draw();
  }

  function pick(id, extend) {
    const ids = sorted();
    const [from, to] = [ids.indexOf(state.anchor), ids.indexOf(id)];
    if (extend && from >= 0) {
      choose(ids.slice(Math.min(from, to), Math.max(from, to) + 1), store.chosen.has(state.anchor));
    } else {
      state.anchor = id;
      choose([id], !store.chosen.has(id));
    }
  }

  function turn(by) {
    state.page += by;
    state.at = null;
    draw();
    box.scrollTop = 0;
  }

  function go(id, extend) {
    const ids = sorted();
    const place = Math.min(Math.max(ids.indexOf(id), 0), ids.length - 1);
    if (extend && choosing) {
      state.anchor ??= state.at;
      choose([ids[place]], true);
    }
    state.at = ids[place];
    state.page = Math.floor(place / state.size);
    draw();
    rowOf(state.at)?.focus();
  }

  const rowOf = (id) => [...body.rows].find((row) => row.dataset.id === id);

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-id]");
    if (!row) return;
    state.at = row.dataset.id;
    if (event.shiftKey) getSelection()?.removeAllRanges();
    if (choosing) pick(row.dataset.id, event.shiftKey);
    draw();
    rowOf(state.at)?.focus();
  });
  body.addEventListener("dblclick", (event) => {
    const row = event.target.closest("tr[data-id]");
    if (row && event.target.type !== "checkbox") model.send({ type: "open", id: row.dataset.id });
  });
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.altKey) return;
    const ids = sorted();
    const place = ids.indexOf(row.dataset.id);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: state.size, PageUp: -state.size };
    if (event.key in steps) go(ids[Math.min(Math.max(place + steps[event.key], 0), ids.length - 1)], event.shiftKey);
    else if (event.key === "Home") go(ids[0], false);
    else if (event.key === "End") go(ids.at(-1), false);
    else if (event.key === " " && choosing) pick(row.dataset.id, event.shiftKey);
    else if (event.key === "Enter") model.send({ type: "open", id: row.dataset.id });
    else if (event.key === "a" && (event.ctrlKey || event.metaKey) && choosing) choose(ids, true);
    else if (event.key === "Escape" && choosing) choose([...store.chosen], false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // The line of a row, which stays the same element for as long as the row does: so it keeps the focus.
  function lineOf(id) {
    const row = store.rows.get(id);
    let line = lines.get(id);
    if (line?.row !== row) lines.set(id, (line = { row, made: write(id, row) }));
    const { made } = line;
    const chosen = store.chosen.has(id);
    made.tabIndex = id === state.at ? 0 : -1;
    if (choosing) {
      made.setAttribute("aria-selected", String(chosen));
      made.querySelector("input").checked = chosen;
    }
    columns.forEach((_, place) => (made.cells[place + Number(choosing)].hidden = heads[place].hidden));
    return made;
  }

  function write(id, row) {
    const made = document.createElement("tr");
    made.dataset.id = id;
    own(made);
    if (choosing) {
      const mark = element(element(made, "td", "ft-check"), "input");
      own(mark);
      mark.type = "checkbox";
      mark.tabIndex = -1;
      mark.setAttribute("aria-label", `Choose ${shown(row[1], columns[0].kind) || id}`);
    }
    columns.forEach((column, place) => {
      const value = row[place + 1];
      const cell = element(made, "td", `ft-${column.kind}`);
      const text = shown(value, column.kind);
      cell.textContent = text;
      if (column.kind === "status") cell.dataset.value = String(value ?? "");
      if (column.kind === "flag") cell.dataset.value = text;
      if (column.kind === "stars" && value) cell.setAttribute("aria-label", `${value} of 5`);
      if (column.kind === "text") {
        cell.dir = "auto";
        cell.title = text;
      }
    });
    return made;
  }

  function draw() {
    const ids = sorted();
    const pages = Math.max(1, Math.ceil(ids.length / state.size));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const from = state.page * state.size;
    const page = ids.slice(from, from + state.size);
    if (!page.includes(state.at)) state.at = page[0] ?? null;
    columns.forEach((column, place) => {
      // A column in which nothing is known takes no room.
      heads[place].hidden = !column.always && !ids.some((id) => (store.rows.get(id)[place + 1] ?? "") !== "");
      const way = state.sort !== place ? "none" : state.down ? "descending" : "ascending";
      heads[place].setAttribute("aria-sort", way);
    });
    const present = page.map(lineOf);
    if (present.length !== body.rows.length || present.some((made, place) => made !== body.rows[place])) {
      const held = body.contains(document.activeElement);
      const top = box.scrollTop;
      body.replaceChildren(...present);
      box.scrollTop = top;
      if (held) rowOf(state.at)?.focus({ preventScroll: true });
    }
    if (!page.length) {
      const cell = element(element(body, "tr"), "td", "ft-nothing", model.get("nothing"));
      cell.colSpan = columns.length + 1;
    }
    for (const id of lines.keys()) if (!store.rows.has(id)) lines.delete(id);
    if (all) {
      const count = store.order.filter((id) => store.chosen.has(id)).length;
      all.checked = count > 0 && count === store.order.length;
      all.indeterminate = count > 0 && count < store.order.length;
    }
    table.setAttribute("aria-rowcount", String(ids.length + 1));
    range.textContent = page.length ? `${from + 1}–${from + page.length} of ${ids.length}` : "";
    foot.hidden = ids.length <= SIZES[0];
    before.disabled = state.page === 0;
    after.disabled = state.page >= pages - 1;
  }

  own(...root.querySelectorAll("button, select, input"));
  store.views.add(draw);
  draw();
  return () => store.views.delete(draw);
}

// Called once for each table: its views share a store, and what comes before the first view is not lost.
export default () => {
  const store = makeStore();
  return {
    initialize({ model }) {
      const hear = (message) => receive(store, message);
      model.on("msg:custom", hear);
      model.send({ type: "ready" });
      return () => model.off("msg:custom", hear);
    },
    render: (given) => render(given, store),
  };
};
