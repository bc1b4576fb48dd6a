// Inputs, buttons and progress of a SweepPanel. Nothing here decides anything: the kernel judges what is typed.

const DEBOUNCE = 150; // ms between the last key and the question to the kernel

function render({ model, el }) {
  let timer = 0;
  const same = () => JSON.stringify(form.gather()) === JSON.stringify(model.get("inputs"));
  function send() {
    clearTimeout(timer);
    timer = 0;
    if (same()) return;
    model.set("inputs", form.gather());
    model.save_changes();
  }
  const form = makeForm(model.get("choices"), () => {
    clearTimeout(timer);
    timer = setTimeout(send, DEBOUNCE);
  });
  const foot = makeFoot({
    ask: (order) => {
      send();
      model.send({ inputs: form.gather(), ...order });
    },
    look: () => model.send({ type: "runs" }),
  });
  const run = makeRun();
  el.replaceChildren(make("div", { class: "ft-sweep", role: "region", "aria-label": "Sweep" }, form.element, foot.element, run.element));

  const heard = {
    "change:inputs": () => timer || same() || form.fill(model.get("inputs")), // what is being typed stands
    "change:verdict": () => (form.judge(model.get("verdict")), foot.judge(model.get("verdict"))),
    "change:board": () => run.lay(model.get("board"), model.get("states")),
    "change:states": () => run.colour(model.get("states")),
    "change:run": () => run.tell(model.get("run")),
    "change:runs": () => foot.list(model.get("runs")),
  };
  for (const [name, handler] of Object.entries(heard)) {
    handler();
    model.on(name, handler);
  }
  // A rule, not an attribute: the kernel brings the summary up to date, and it must stay hidden then.
  el.firstElementChild.append(make("style", { text: `#${CSS.escape(model.get("stand_in"))} { display: none; }` }));
  return () => {
    clearTimeout(timer);
    for (const [name, handler] of Object.entries(heard)) model.off(name, handler);
  };
}

export default { render };
