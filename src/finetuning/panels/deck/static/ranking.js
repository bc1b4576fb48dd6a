// What the blind comparison found: ranks, and between which ranks each take lies with nine tenths.

class RankingTable {
  constructor(act) {
    this.act = act;
    this.root = element("details", "ft-ranking");
    this.summary = element("summary", "", "");
    this.list = element("ol", "ft-ranks", undefined, { "aria-label": "Ranking" });
    this.root.append(this.summary, this.list);
    this.signature = "";
  }

  show(ranking, takes, axes) {
    this.root.hidden = !ranking.length;
    const signature = JSON.stringify([ranking, axes]);
    if (signature === this.signature) return;
    this.signature = signature;
    const count = ranking.length;
    const answers = ranking.reduce((sum, row) => sum + row[4], 0) / 2;
    setText(this.summary, `Ranking of ${count} takes from ${answers} blind ${answers === 1 ? "answer" : "answers"}`);
    this.list.replaceChildren(
      ...ranking.map(([key, rank, low, high, compared]) => {
        const take = takes.find(({ k }) => k === key);
        const row = element("li", "ft-rank-row");
        const line = button("ft-rank-take", undefined, `Hear rank ${rank}`, () => this.act(key));
        const span = element("span", "ft-interval", undefined, { "aria-hidden": "true" });
        const bar = element("span", "ft-interval-bar");
        bar.style.left = `${(100 * (low - 1)) / count}%`;
        bar.style.width = `${(100 * (high - low + 1)) / count}%`;
        const dot = element("span", "ft-interval-dot");
        dot.style.left = `${(100 * (rank - 0.5)) / count}%`;
        span.append(bar, dot);
        line.append(
          element("span", "ft-rank-number", String(rank)),
          element("span", "ft-title", take?.t ?? "", { dir: "auto" }),
          element("span", "ft-label", take ? describe(axes, take) : ""),
          span,
          element("span", "ft-rank-range", low === high ? `${low}` : `${low}–${high}`),
          element("span", "ft-length", `${compared} ×`),
        );
        row.append(line);
        return row;
      }),
    );
  }
}
