// What the inputs come to, and the buttons. `ask` sends what was pressed to the kernel, `look` asks for earlier runs.

const TITLES = {
  run: "Make these points as a new run",
  cancel: "Send no more; what is paid for goes on at the service",
  resume: "Collect what is in flight, send what was not sent",
  extend: "Add to this run what the inputs ask for beyond it",
};

function makeFoot({ ask, look }) {
  const formula = make("strong", { class: "ft-formula" });
  const credit = make("span", { class: "ft-credits" });
  const time = make("span", { class: "ft-time" });
  const extra = make("div", { class: "ft-extra", hidden: true });
  const why = make("div", { class: "ft-why", hidden: true });
  const general = make("div", { class: "ft-wrong", role: "alert", dir: "auto", hidden: true });
  const sum = make("div", { class: "ft-sum", role: "status", "aria-live": "polite" }, formula, credit, time);
  const buttons = Object.fromEntries(Object.keys(TITLES).map((name) => [name,
    keep(make("button", { type: "button", class: name === "run" ? "ft-button ft-primary" : "ft-button", "data-do": name, onclick: () => press(name) }))]));
  const earlier = keep(make("select", { class: "ft-earlier", "aria-label": "Load an earlier run", onchange: () => {
    if (earlier.value) press("load", { name: earlier.value });
    earlier.value = "";
  }, onfocus: look }));
  const bar = make("div", { class: "ft-bar" }, make("div", { class: "ft-buttons", role: "toolbar", "aria-label": "The run" }, ...Object.values(buttons)), earlier);
  let verdict = {};
  let pressed = null;

  function press(type, rest = {}) {
    pressed = crypto.randomUUID();
    ask({ type, press: pressed, ...rest });
    judge(verdict);
  }

  function judge(next) {
    verdict = next;
    // The kernel says in its verdict which press it has answered; until then nothing is pressed twice.
    if (verdict.answered === pressed) pressed = null;
    say(general, (verdict.problems?.[""] ?? []).filter(Boolean).join(" "));
    say(formula, verdict.formula ?? "");
    say(credit, verdict.credits ?? "");
    say(time, verdict.time ?? "");
    sum.classList.toggle("ft-none", !verdict.formula);
    const reasons = [];
    for (const [name, button] of Object.entries(buttons)) {
      const { label, why: reason } = verdict.buttons?.[name] ?? { label: TITLES[name], why: "" };
      say(button, label);
      button.disabled = Boolean(reason) || pressed !== null;
      button.title = reason || TITLES[name];
      if (name === "run" && reason) reasons.push(reason);
    }
    earlier.disabled = pressed !== null;
    say(extra, buttons.extend.disabled ? "" : verdict.extra ?? "");
    const asked = pressed && "Asked; if a cell is running, the kernel answers when it ends.";
    say(why, asked || verdict.busy || reasons.join(" "));
    why.classList.toggle("ft-stop", !asked && !verdict.busy && buttons.cancel.disabled && reasons.length > 0);
  }

  function list(runs) {
    earlier.replaceChildren(make("option", { value: "", text: "Load an earlier run…" }),
      ...runs.map(({ name, label }) => make("option", { value: name, text: label })));
  }

  return { element: make("div", { class: "ft-foot" }, sum, general, bar, extra, why), judge, list };
}
