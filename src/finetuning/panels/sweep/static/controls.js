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
