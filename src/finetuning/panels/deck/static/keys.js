// Keys while the focus is in the deck.

const HELP = [
  ["space", "play, stop"],
  ["← ↑ → ↓", "to the next take; the sound goes along"],
  ["enter", "hear the take under the cursor"],
  ["1 … 5", "rate; 0 takes it back"],
  ["x", "reject, or take it back"],
  ["s", "select"],
  ["shift ← →", "a bar back, on"],
  [", .", "page before, next page"],
  ["[ ]", "loop from here, to here"],
  ["l", "loop on, off"],
  ["m", "same beat, or same second"],
  ["b", "compare blindly"],
  ["?", "these keys"],
];

function helpPanel() {
  const list = element("dl", "ft-help", undefined, { "aria-label": "Keys" });
  for (const [key, what] of HELP) {
    const pair = element("div", "");
    pair.append(element("dt", "", key), element("dd", "", what));
    list.append(pair);
  }
  return list;
}

function keyMap(deck) {
  const map = {
    " ": () => deck.toggle(),
    Enter: () => deck.enter(),
    ArrowUp: () => deck.step(-1, 0),
    ArrowDown: () => deck.step(1, 0),
    ArrowLeft: () => deck.step(0, -1),
    ArrowRight: () => deck.step(0, 1),
    "shift ArrowLeft": () => deck.skip(-1),
    "shift ArrowRight": () => deck.skip(1),
    ",": () => deck.turn(-1),
    ".": () => deck.turn(1),
    "[": () => deck.loopEdge(0),
    "]": () => deck.loopEdge(1),
    l: () => deck.toggleLoop(),
    m: () => deck.toggleMode(),
    x: () => deck.reject(),
    s: () => deck.select(),
    b: () => deck.toggleBlind(),
    "?": () => deck.toggleHelp(),
    Escape: () => deck.escape(),
  };
  for (let rating = 0; rating <= 5; rating += 1) map[rating] = () => deck.rate(rating);
  return map;
}

const blindKeys = (deck) => ({
  " ": () => deck.toggle(),
  ArrowLeft: () => deck.hearSide("a"),
  ArrowRight: () => deck.hearSide("b"),
  "shift ArrowLeft": () => deck.skip(-1),
  "shift ArrowRight": () => deck.skip(1),
  0: () => deck.answer("same"),
  1: () => deck.answer("a"),
  2: () => deck.answer("b"),
  l: () => deck.toggleLoop(),
  m: () => deck.toggleMode(),
  b: () => deck.toggleBlind(),
  "?": () => deck.toggleHelp(),
  Escape: () => deck.toggleBlind(),
});

// On the window, to come before JupyterLab, which listens on the document.
function listen(root, deck) {
  const plain = keyMap(deck);
  const blind = blindKeys(deck);
  const press = (event) => {
    const { target } = event;
    if (!root.contains(target) || event.altKey || event.ctrlKey || event.metaKey) return;
    // What a control does with a key by itself it does all the same.
    const own = target instanceof HTMLSelectElement ? event.key !== "Escape" : target.closest("button, summary") && ["Enter", " "].includes(event.key);
    if (own) return event.stopPropagation();
    if (target.getAttribute("role") === "slider" && deck.nudge(target, event)) return event.stopPropagation();
    const name = event.shiftKey && event.key.startsWith("Arrow") ? `shift ${event.key}` : event.key;
    const act = (deck.blind ? blind : plain)[name.length === 1 ? name.toLowerCase() : name];
    // JupyterLab's own keys would move or delete the cell; those with a modifier, such as saving, still reach it.
    if (act || event.key.length === 1) event.stopPropagation();
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || name.includes("Arrow")) act();
  };
  window.addEventListener("keydown", press, true);
  return () => window.removeEventListener("keydown", press, true);
}
