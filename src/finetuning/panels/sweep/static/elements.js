// What the form is made of.

// Every panel has this module for itself, and all of them stand in one page.
const ids = (globalThis[Symbol.for("finetuning.sweep")] ??= { last: 0 });

function make(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

// JupyterLab takes keys for its shortcuts unless the element they go to says otherwise.
function keep(element) {
  element.dataset.lmSuppressShortcuts = "true";
  for (const kind of ["keydown", "keyup", "keypress"]) element.addEventListener(kind, (event) => event.stopPropagation());
  return element;
}

const whole = (text) => (/^\s*-?\d+\s*$/.test(text) ? Number(text) : NaN);
const parts = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);

// One line of the form: a label, the control, what is wrong with it.
function field(name, title, control, { group = false, counted = false } = {}) {
  const id = `ft-field-${(ids.last += 1)}`;
  const trouble = make("div", { class: "ft-wrong", role: "alert", id: `${id}-wrong`, dir: "auto", hidden: true });
  const note = make("div", { class: "ft-note", role: "status", dir: "auto", hidden: true });
  const count = make("span", { class: "ft-count" });
  const label = make(group ? "span" : "label", { class: "ft-label", id: `${id}-label`, text: title });
  const main = control.matches("input, textarea, select") ? control : control.querySelector("input, textarea, select");
  if (group) {
    control.setAttribute("role", "group");
    control.setAttribute("aria-labelledby", `${id}-label`);
    control.setAttribute("aria-describedby", `${id}-wrong`);
  } else if (main) {
    main.id = id;
    label.htmlFor = id;
    main.setAttribute("aria-describedby", `${id}-wrong`);
  }
  const element = make("div", { class: `ft-field ft-field-${name}` }, label, make("div", { class: "ft-control" }, control, count, trouble, note));
  return {
    element,
    judge(verdict) {
      const [message, hint] = verdict.problems?.[name] ?? ["", ""];
      say(trouble, [message, hint].filter(Boolean).join(" "));
      say(note, (verdict.notes?.[name] ?? []).join(" "));
      if (main) main.setAttribute("aria-invalid", String(Boolean(message)));
      const values = counted ? verdict.counts?.[name] ?? 0 : 0;
      say(count, values > 1 ? `${values.toLocaleString("en")} values` : "");
    },
  };
}
