// Elements, and values as text.

const COLLATOR = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function element(parent, tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

// Keys that are pressed here are not the notebook's, where `d d` deletes a cell. JupyterLab looks for the mark on the
// element that has the focus before it looks further up.
function own(...focusable) {
  for (const each of focusable) each.dataset.lmSuppressShortcuts = "true";
}

function length(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function shown(value, kind) {
  if (value === null || value === undefined) return "";
  if (kind === "length") return length(value);
  if (kind === "flag") return value ? "public" : "private";
  if (kind === "stars") return "★".repeat(value);
  return String(value);
}

function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return COLLATOR.compare(String(a), String(b));
}
