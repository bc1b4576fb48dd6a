// Inputs, buttons and progress of a SweepPanel. Nothing here decides anything: the kernel judges what is typed.

const DEBOUNCE = 150; // ms between the last key and the question to the kernel
const SEEDS = 2 ** 31;
const STATES = {
  w: ["·", "to send"],
  s: ["↑", "sent"],
  l: ["?", "to be looked for"],
  g: ["♪", "in the making"],
  c: ["✓", "completed"],
  f: ["✕", "failed"],
  r: ["⊘", "refused"],
  u: ["?", "uncertain"],
};

// Elements ------------------------------------------------------------------------------------------------------------

let serial = 0;

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
  const id = `ft-field-${(serial += 1)}`;
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

// Toggles that may be pressed together. `all` shows what is chosen beside what may be.
function toggles(values, { kind = "", name = String, changed }) {
  const element = make("div", { class: `ft-toggles ${kind}` });
  let chosen = [];
  function draw() {
    element.replaceChildren(
      ...[...values, ...chosen.filter((value) => !values.includes(value))].map((value) =>
        keep(
          make("button", {
            type: "button",
            class: "ft-toggle",
            "aria-pressed": String(chosen.includes(value)),
            "data-value": value,
            text: name(value),
            onclick: () => {
              const before = chosen;
              chosen = before.includes(value) ? before.filter((each) => each !== value) : [...before, value];
              chosen.sort((a, b) => values.indexOf(a) - values.indexOf(b));
              draw();
              element.querySelector(`[data-value="${CSS.escape(String(value))}"]`)?.focus();
              changed();
            },
          }),
        ),
      ),
    );
  }
  draw();
  return { element, get: () => chosen, set: (next) => ((chosen = [...next]), draw()) };
}

// An octave of a piano: one key is pressed as a toggle is, Tab goes to the keyboard and the arrow keys along it.
function keyboard(names, changed) {
  const element = make("div", { class: "ft-piano" });
  let chosen = new Set();
  let white = 0;
  const keys = names.map((name) => {
    const black = name.length > 1;
    const key = make("button", {
      type: "button",
      class: black ? "ft-black" : "ft-white",
      "aria-pressed": "false",
      "aria-label": black ? `${name[0]} sharp` : name,
      title: black ? `${name[0]}♯` : name,
      "data-value": name,
      tabindex: name === names[0] ? "0" : "-1",
    }, make("span", { text: black ? `${name[0]}♯` : name }));
    key.style.setProperty("--at", white);
    if (!black) white += 1;
    key.addEventListener("click", () => {
      if (!chosen.delete(name)) chosen.add(name);
      rove(key);
      draw();
      changed();
    });
    return keep(key);
  });
  function rove(key) {
    for (const each of keys) each.tabIndex = each === key ? 0 : -1;
    key.focus();
  }
  element.addEventListener("keydown", (event) => {
    const at = keys.indexOf(document.activeElement?.getRootNode() === document ? document.activeElement : event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: keys.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    rove(keys[(to + keys.length) % keys.length]);
  }, true);
  function draw() {
    for (const key of keys) key.setAttribute("aria-pressed", String(chosen.has(key.dataset.value)));
  }
  element.append(...keys);
  return { element, get: () => names.filter((name) => chosen.has(name)), set: (next) => ((chosen = new Set(next)), draw()) };
}

// One text, or several to compare.
function texts(most, { rows, noun, placeholder, changed }) {
  const element = make("div", { class: "ft-texts" });
  const list = make("div", { class: "ft-texts-list" });
  const more = make("button", { type: "button", class: "ft-link", text: `+ compare with other ${noun}`, onclick: () => {
    set([...get(), ""]);
    list.lastElementChild.querySelector("textarea").focus();
    changed();
  } });
  element.append(list, keep(more));
  const get = () => [...list.querySelectorAll("textarea")].map((area) => area.value);
  function entry(text, at, count) {
    const left = make("span", { class: "ft-length" });
    const area = keep(make("textarea", { rows, placeholder, dir: "auto", spellcheck: "true", "aria-label": count > 1 ? `${noun} ${at + 1}` : noun }));
    area.value = text;
    const measure = () => {
      const length = [...area.value].length;
      say(left, `${length.toLocaleString("en")} / ${most.toLocaleString("en")}`);
      left.classList.toggle("ft-over", length > most);
    };
    area.addEventListener("input", () => (measure(), changed()));
    measure();
    const drop = count > 1 && keep(make("button", { type: "button", class: "ft-link", text: "remove", "aria-label": `Remove ${noun} ${at + 1}`, onclick: () => {
      set(get().filter((_, place) => place !== at));
      changed();
    } }));
    return make("div", { class: "ft-text" }, area, make("div", { class: "ft-text-foot" }, drop || null, left));
  }
  const set = (next) => list.replaceChildren(...(next.length ? next : [""]).map((text, at) => entry(text, at, next.length)));
  set([""]);
  return { element, get, set };
}

// A list of numbers as text, with a range that writes it.
function series([low, high], { unit, step, changed, label }) {
  const text = keep(make("input", { type: "text", class: "ft-list", placeholder: `left open; or ${label}`, inputmode: "text", autocomplete: "off", spellcheck: "false" }));
  const number = (name, value, min, max) => keep(make("input", { type: "number", class: "ft-number", "aria-label": `${unit} ${name}`, value, min, max, step: 1 }));
  const from = number("from", "", low, high);
  const to = number("to", "", low, high);
  const by = number("step", step, 1, high - low);
  const many = number("count", "", 1, 200);
  const slide = (which, input) => keep(make("input", { type: "range", class: "ft-slide", min: low, max: high, step: 1, "aria-label": `${unit} ${which}, slider`, oninput: (event) => {
    input.value = event.target.value;
    if (input === from && Number(to.value || low) < Number(from.value)) to.value = from.value;
    if (input === to && Number(from.value || high) > Number(to.value)) from.value = to.value;
    spread(false);
  } }));
  const lower = slide("from", from);
  const upper = slide("to", to);
  function written(values) {
    const steps = new Set(values.slice(1).map((value, at) => value - values[at]));
    return values.length > 3 && steps.size === 1 ? `${values[0]}, ${values[1]}, ..., ${values.at(-1)}` : values.join(", ");
  }
  function spread(counted) {
    const [start, end] = [whole(from.value), whole(to.value)];
    if (Number.isNaN(start) || Number.isNaN(end)) return;
    const values = [];
    if (counted) {
      const count = Math.max(1, Math.min(200, whole(many.value) || 1));
      for (let at = 0; at < count; at += 1) values.push(Math.round(count > 1 ? start + ((end - start) * at) / (count - 1) : start));
    } else {
      const stride = Math.max(1, whole(by.value) || 1) * (end < start ? -1 : 1);
      for (let value = start; stride > 0 ? value <= end : value >= end; value += stride) values.push(value);
      many.value = values.length;
    }
    text.value = written([...new Set(values)]);
    lower.value = start;
    upper.value = end;
    changed();
  }
  for (const input of [from, to, by]) input.addEventListener("input", () => spread(false));
  many.addEventListener("input", () => spread(true));
  const show = () => {
    const numbers = parts(text.value).map(Number).filter((value) => !Number.isNaN(value));
    from.value = numbers[0] ?? "";
    to.value = numbers.at(-1) ?? "";
    lower.value = numbers[0] ?? low;
    upper.value = numbers.at(-1) ?? low;
    if (numbers.length > 1) by.value = Math.abs(numbers[1] - numbers[0]) || step;
  };
  text.addEventListener("input", () => (show(), changed()));
  const range = make("span", { class: "ft-range" },
    make("span", { class: "ft-slides" }, lower, upper), from, make("span", { text: "to" }), to, make("span", { text: "step" }), by, make("span", { text: "or count" }), many);
  const element = make("div", { class: "ft-series" }, text, range);
  return { element, get: () => text.value, set: (next) => ((text.value = next), show()), count: (values) => (many.value = values || "") };
}

// Seeds are drawn here and written out, so that what is run is what is seen.
function seeds(changed) {
  const text = keep(make("input", { type: "text", class: "ft-list", placeholder: "no seeds; say how many", autocomplete: "off", spellcheck: "false", "aria-label": "Seeds" }));
  const many = keep(make("input", { type: "number", class: "ft-number", min: 1, max: 1000, value: 1, "aria-label": "How many seeds" }));
  const draw = (count, known) => {
    const found = new Set(known);
    while (found.size < count) found.add(crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS);
    text.value = [...found].slice(0, count).join(", ");
    changed();
  };
  const count = () => Math.max(1, Math.min(1000, whole(many.value) || 1));
  many.addEventListener("input", () => many.value && draw(count(), parts(text.value)));
  const anew = keep(make("button", { type: "button", class: "ft-small", text: "Draw anew", onclick: () => draw(count(), []) }));
  text.addEventListener("input", () => ((many.value = parts(text.value).length || ""), changed()));
  const element = make("div", { class: "ft-seeds" }, many, anew, text);
  return { element, get: () => text.value, set: (next) => ((text.value = next), (many.value = parts(next).length || "")) };
}

function line(type, attributes, changed) {
  const element = keep(make("input", { type, autocomplete: "off", spellcheck: "false", dir: "auto", ...attributes, oninput: changed }));
  return { element, get: () => element.value, set: (next) => (element.value = next) };
}

// The panel -----------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const choices = model.get("choices");
  let timer = 0;
  let pressed = null;

  const gather = () => Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.get()]));
  function send() {
    clearTimeout(timer);
    timer = 0;
    const inputs = gather();
    if (JSON.stringify(inputs) === JSON.stringify(model.get("inputs"))) return;
    model.set("inputs", inputs);
    model.save_changes();
  }
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(send, DEBOUNCE);
  }

  const controls = {
    tags: texts(choices.tags_max, { rows: 2, noun: "tags", placeholder: "lofi chill piano, rainy evening", changed }),
    lyrics: texts(choices.lyrics_max, { rows: 4, noun: "lyrics", placeholder: "Words to sing; none for an instrumental", changed }),
    bpm: series(choices.bpm, { unit: "bpm", step: 10, changed, label: "72, 80, ..., 104" }),
    key: keyboard(choices.key, changed),
    scale: toggles(choices.scale, { changed }),
    time_signature: toggles(choices.time_signature, { changed }),
    duration: line("text", { class: "ft-list ft-short", placeholder: "left open" }, () => (slider.value = parts(controls.duration.get()).at(-1) || slider.min, changed())),
    energy: toggles(choices.energy, { changed }),
    seed: seeds(changed),
    language: toggles(choices.language, { kind: "ft-tiny", changed }),
    replicate: line("number", { class: "ft-number", min: 1, max: 100, placeholder: "1" }, changed),
    name: line("text", { class: "ft-short", placeholder: "made of tags and time" }, changed),
    max_credits: line("number", { class: "ft-number", min: 1, placeholder: "all" }, changed),
  };
  const slider = keep(make("input", { type: "range", class: "ft-slide", min: choices.duration[0], max: choices.duration[1], step: 1, "aria-label": "Length in seconds, slider", oninput: () => {
    controls.duration.set(slider.value);
    changed();
  } }));

  const fold = (title, ...inside) => {
    const summary = keep(make("summary", { text: title }));
    return make("details", { class: "ft-fold" }, summary, ...inside.map((each) => each.element));
  };
  const length = make("div", { class: "ft-duration" }, slider, controls.duration.element, make("span", { class: "ft-unit", text: "s" }));
  const fields = {
    tags: field("tags", "Tags", controls.tags.element),
    lyrics: field("lyrics", "Lyrics", controls.lyrics.element),
    bpm: field("bpm", "Tempo", controls.bpm.element),
    key: field("key", "Key", controls.key.element, { group: true }),
    scale: field("scale", "Scale", controls.scale.element, { group: true }),
    time_signature: field("time_signature", "Metre", controls.time_signature.element, { group: true }),
    energy: field("energy", "Energy", controls.energy.element, { group: true }),
    duration: field("duration", "Length", length, { counted: true }),
    seed: field("seed", "Seeds", controls.seed.element, { group: true }),
    language: field("language", "Language", controls.language.element, { group: true }),
    replicate: field("replicate", "Repeats", controls.replicate.element),
    name: field("name", "Run name", controls.name.element),
    max_credits: field("max_credits", "Credits at most", controls.max_credits.element),
  };
  fields.duration.element.querySelector("label").htmlFor = controls.duration.element.id = `ft-length-${(serial += 1)}`;
  const lyrics = fold("Lyrics", fields.lyrics);
  const more = fold("More", fields.language, fields.replicate, fields.name, fields.max_credits);
  more.classList.add("ft-more");

  const form = make("div", { class: "ft-form" },
    fields.tags.element,
    lyrics,
    fields.bpm.element,
    make("div", { class: "ft-pair" }, fields.key.element,
      make("div", { class: "ft-stack" }, fields.scale.element, fields.time_signature.element, fields.energy.element)),
    fields.duration.element,
    fields.seed.element,
    more,
  );

  // What it comes to, and the buttons.
  const formula = make("strong", { class: "ft-formula" });
  const credit = make("span", { class: "ft-credits" });
  const time = make("span", { class: "ft-time" });
  const extra = make("div", { class: "ft-extra", hidden: true });
  const why = make("div", { class: "ft-why", hidden: true });
  const general = make("div", { class: "ft-wrong", role: "alert", dir: "auto", hidden: true });
  const sum = make("div", { class: "ft-sum", role: "status", "aria-live": "polite" }, formula, credit, time);
  const titles = {
    run: "Make these points as a new run",
    cancel: "Send no more; what is paid for goes on at the service",
    resume: "Collect what is in flight, send what was not sent",
    extend: "Add to this run what the inputs ask for beyond it",
  };
  const buttons = Object.fromEntries(Object.keys(titles).map((name) => [name,
    keep(make("button", { type: "button", class: name === "run" ? "ft-button ft-primary" : "ft-button", "data-do": name, onclick: () => press(name) }))]));
  const earlier = keep(make("select", { class: "ft-earlier", "aria-label": "Load an earlier run", onchange: () => {
    if (earlier.value) press("load", { name: earlier.value });
    earlier.value = "";
  }, onfocus: () => model.send({ type: "runs" }) }));
  const bar = make("div", { class: "ft-bar" }, make("div", { class: "ft-buttons", role: "toolbar", "aria-label": "The run" }, ...Object.values(buttons)), earlier);

  function press(type, rest = {}) {
    send();
    pressed = crypto.randomUUID();
    model.send({ type, inputs: gather(), press: pressed, ...rest });
    judge();
  }

  function judge() {
    const verdict = model.get("verdict");
    for (const each of Object.values(fields)) each.judge(verdict);
    controls.bpm.count(verdict.counts?.bpm);
    say(general, (verdict.problems?.[""] ?? []).filter(Boolean).join(" "));
    say(formula, verdict.formula ?? "");
    say(credit, verdict.credits ?? "");
    say(time, verdict.time ?? "");
    sum.classList.toggle("ft-none", !verdict.formula);
    const reasons = [];
    for (const [name, button] of Object.entries(buttons)) {
      const { label, why: reason } = verdict.buttons?.[name] ?? { label: titles[name], why: "" };
      say(button, label);
      button.disabled = Boolean(reason) || pressed !== null;
      button.title = reason || titles[name];
      if (name === "run" && reason) reasons.push(reason);
    }
    earlier.disabled = pressed !== null;
    say(extra, buttons.extend.disabled ? "" : verdict.extra ?? "");
    const asked = pressed && "Asked; if a cell is running, the kernel answers when it ends.";
    say(why, asked || verdict.busy || reasons.join(" "));
    why.classList.toggle("ft-stop", !asked && !verdict.busy && buttons.cancel.disabled && reasons.length > 0);
  }

  // The run.
  const title = make("strong", { class: "ft-name", dir: "auto" });
  const summary = make("span", { class: "ft-summary", dir: "auto" });
  const rest = make("span", { class: "ft-rest" });
  const meter = make("progress", { class: "ft-meter", max: 1, value: 0, "aria-label": "Points finished" });
  const board = make("div", { class: "ft-board", role: "list", "aria-label": "Points", tabindex: "0" });
  const legend = make("div", { class: "ft-legend" });
  const progress = make("section", { class: "ft-run", "aria-label": "Run", hidden: true },
    make("div", { class: "ft-head" }, title, summary, rest), meter, board, legend);
  let cells = [];
  let drawn = "";

  function lay() {
    const { rows = [], row = [], cell = [] } = model.get("board");
    drawn = "";
    const lines = rows.map((text) => {
      const holder = make("span", { class: "ft-cells" });
      return { holder, element: make("div", { class: "ft-line", role: "presentation" }, make("span", { class: "ft-line-label", dir: "auto", text, title: text }), holder) };
    });
    cells = row.map((at, point) => {
      const label = [rows[at], cell[point]].filter(Boolean).join(" · ") || `point ${point}`;
      const element = make("span", { class: "ft-point", role: "listitem", "data-point": point });
      lines[at].holder.append(element);
      return { element, label };
    });
    board.classList.toggle("ft-plain", rows.length === 1 && !rows[0]);
    // Short lines stand in columns, so that a run of many lines stays in sight.
    const widest = Math.max(0, ...rows.map((text) => [...text].length));
    const longest = Math.max(0, ...lines.map((each) => each.holder.childElementCount));
    board.style.setProperty("--label", `${Math.min(widest, 44) * 0.9}ch`);
    board.style.setProperty("--line", `${longest * 25}px`);
    board.replaceChildren(...lines.map((each) => each.element));
    colour();
  }
  function colour() {
    const states = model.get("states");
    const counts = {};
    cells.forEach(({ element, label }, point) => {
      const state = states[point] ?? "w";
      counts[state] = (counts[state] ?? 0) + 1;
      if (drawn[point] === state) return;
      const [sign, word] = STATES[state] ?? ["?", "unknown"];
      element.textContent = sign;
      element.dataset.state = state;
      element.title = `${label}: ${word}`;
      element.setAttribute("aria-label", element.title);
    });
    drawn = states;
    const present = Object.keys(STATES).filter((state) => counts[state]);
    legend.hidden = present.length < 2;
    legend.replaceChildren(...present.map((state) =>
      make("span", {}, make("span", { class: "ft-point", "data-state": state, "aria-hidden": "true", text: STATES[state][0] }), ` ${counts[state].toLocaleString("en")} ${STATES[state][1]}`)));
    const ended = ["c", "f", "r", "u"].reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    meter.max = Math.max(cells.length, 1);
    meter.value = ended;
  }
  function tell() {
    const run = model.get("run");
    progress.hidden = !run.name;
    progress.classList.toggle("ft-running", Boolean(run.running));
    say(title, run.name ?? "");
    say(summary, run.summary ?? "");
    say(rest, run.rest ?? "");
  }
  function list() {
    earlier.replaceChildren(make("option", { value: "", text: "Load an earlier run…" }),
      ...model.get("runs").map(({ name, label }) => make("option", { value: name, text: label })));
  }

  function fill() {
    const inputs = model.get("inputs");
    if (timer || JSON.stringify(inputs) === JSON.stringify(gather())) return;
    for (const [name, control] of Object.entries(controls)) control.set(inputs[name]);
    slider.value = parts(String(inputs.duration)).at(-1) || slider.min;
    lyrics.open = lyrics.open || inputs.lyrics.some(Boolean);
    more.open = more.open || Boolean(inputs.language.length || inputs.replicate || inputs.name || inputs.max_credits);
  }
  // The kernel says in its verdict which press it has answered; until then nothing is pressed twice.
  const answered = () => {
    if (model.get("verdict").answered === pressed) pressed = null;
    judge();
  };

  const root = make("div", { class: "ft-sweep", role: "region", "aria-label": "Sweep" },
    form, make("div", { class: "ft-foot" }, sum, general, bar, extra, why), progress);
  el.replaceChildren(root);
  fill(), judge(), lay(), tell(), list();

  const heard = { "change:inputs": fill, "change:verdict": answered, "change:board": lay, "change:states": colour, "change:run": tell, "change:runs": list };
  for (const [name, handler] of Object.entries(heard)) model.on(name, handler);
  // A rule, not an attribute: the kernel brings the summary up to date, and it must stay hidden then.
  root.append(make("style", { text: `#${CSS.escape(model.get("stand_in"))} { display: none; }` }));
  return () => {
    clearTimeout(timer);
    for (const [name, handler] of Object.entries(heard)) model.off(name, handler);
  };
}

export default { render };
