// What one table knows, whichever views of it there are.
function makeStore() {
  const store = {
    rows: new Map(),
    order: [],
    chosen: new Set(),
    page: crypto.randomUUID?.() ?? String(Math.random()),
    number: 0,
    underWay: [],
    views: new Set(),
    drawn: 0,
    draw() {
      // Several messages come at once; one frame draws what they amount to.
      cancelAnimationFrame(store.drawn);
      store.drawn = requestAnimationFrame(() => store.views.forEach((view) => view()));
    },
  };
  return store;
}

function apply(store, { on, off }) {
  for (const id of on) if (store.rows.has(id)) store.chosen.add(id);
  for (const id of off) store.chosen.delete(id);
}

function receive(store, message) {
  if (message.type === "rows") for (const row of message.rows) store.rows.set(row[0], row);
  else if (message.type === "order") store.order = message.ids;
  else if (message.type === "chosen") {
    store.chosen = new Set(message.ids);
    for (const change of store.underWay) apply(store, change);
  } else if (message.type === "chose") {
    if (message.page === store.page) store.underWay = store.underWay.filter(({ number }) => number > message.number);
    else apply(store, message);
  } else if (message.type === "drop") {
    for (const id of message.ids) {
      store.rows.delete(id);
      store.chosen.delete(id);
    }
    store.order = store.order.filter((id) => store.rows.has(id));
  } else return;
  store.draw();
}
