// The run: how it stands, and a sign for each of its points.

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

function makeRun() {
  const title = make("strong", { class: "ft-name", dir: "auto" });
  const summary = make("span", { class: "ft-summary", dir: "auto" });
  const rest = make("span", { class: "ft-rest" });
  const meter = make("progress", { class: "ft-meter", max: 1, value: 0, "aria-label": "Points finished" });
  const board = make("div", { class: "ft-board", role: "list", "aria-label": "Points", tabindex: "0" });
  const legend = make("div", { class: "ft-legend" });
  const element = make("section", { class: "ft-run", "aria-label": "Run", hidden: true },
    make("div", { class: "ft-head" }, title, summary, rest), meter, board, legend);
  let cells = [];
  let drawn = "";

  function lay({ rows = [], row = [], cell = [] }, states) {
    drawn = "";
    const lines = rows.map((text) => {
      const holder = make("span", { class: "ft-cells" });
      return { holder, element: make("div", { class: "ft-line", role: "presentation" }, make("span", { class: "ft-line-label", dir: "auto", text, title: text }), holder) };
    });
    cells = row.map((at, point) => {
      const label = [rows[at], cell[point]].filter(Boolean).join(" · ") || `point ${point}`;
      const sign = make("span", { class: "ft-point", role: "listitem", "data-point": point });
      lines[at].holder.append(sign);
      return { sign, label };
    });
    board.classList.toggle("ft-plain", rows.length === 1 && !rows[0]);
    // Short lines stand in columns, so that a run of many lines stays in sight.
    const widest = Math.max(0, ...rows.map((text) => [...text].length));
    const longest = Math.max(0, ...lines.map((each) => each.holder.childElementCount));
    board.style.setProperty("--label", `${Math.min(widest, 44) * 1.05}ch`);
    board.style.setProperty("--line", `${longest * 25}px`);
    board.replaceChildren(...lines.map((each) => each.element));
    colour(states);
  }

  function colour(states) {
    const counts = {};
    cells.forEach(({ sign, label }, point) => {
      const state = states[point] ?? "w";
      counts[state] = (counts[state] ?? 0) + 1;
      if (drawn[point] === state) return;
      const [letter, word] = STATES[state] ?? ["?", "unknown"];
      sign.textContent = letter;
      sign.dataset.state = state;
      sign.title = `${label}: ${word}`;
      sign.setAttribute("aria-label", sign.title);
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

  function tell(run) {
    element.hidden = !run.name;
    element.classList.toggle("ft-running", Boolean(run.running));
    say(title, run.name ?? "");
    say(summary, run.summary ?? "");
    say(rest, run.rest ?? "");
  }

  return { element, lay, colour, tell };
}
