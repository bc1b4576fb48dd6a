function element(tag, className, text, attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function button(className, text, label, act) {
  const node = element("button", className, text, { type: "button", title: label, "aria-label": label });
  node.addEventListener("click", act);
  return node;
}

function choice(label, act) {
  const wrap = element("label", "ft-choice", undefined);
  const select = element("select", "ft-select");
  select.addEventListener("change", () => act(select.value));
  wrap.append(element("span", "ft-choice-name", label), select);
  return { wrap, select };
}

function options(select, entries, chosen) {
  const signature = JSON.stringify(entries);
  if (select.dataset.entries !== signature) {
    select.dataset.entries = signature;
    select.replaceChildren(...entries.map(([value, text]) => element("option", "", text, { value })));
  }
  select.value = chosen;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const names = { time_signature: "beats", replicate: "repeat" };
const nameOf = (axis) => names[axis] ?? axis;
const stars = (rating) => "★".repeat(rating) + "☆".repeat(5 - rating);
