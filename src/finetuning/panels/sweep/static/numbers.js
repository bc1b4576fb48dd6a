// Numbers: lists that are written by ranges, seeds, and single lines.

const SEEDS = 2 ** 31;

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
