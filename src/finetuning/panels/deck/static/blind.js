// Two takes without a name, and which is better.

class Blind {
  constructor({ hear, answer, leave }) {
    this.question = null;
    this.root = element("section", "ft-blind", undefined, { "aria-label": "Blind comparison" });
    this.head = element("p", "ft-blind-head");
    this.bar = element("progress", "ft-blind-bar", undefined, { max: "1", "aria-label": "How far the ranking is settled" });
    this.sides = ["a", "b"].map((side) => {
      const card = button("ft-side", undefined, `Hear ${side.toUpperCase()}`, () => hear(side));
      card.append(element("span", "ft-side-name", side.toUpperCase()), element("span", "ft-side-state", "hear"));
      return card;
    });
    this.answers = [
      button("ft-answer", "A is better", "A is better", () => answer("a")),
      button("ft-answer", "no difference", "No difference", () => answer("same")),
      button("ft-answer", "B is better", "B is better", () => answer("b")),
    ];
    const cards = element("div", "ft-sides");
    cards.append(...this.sides);
    const answers = element("div", "ft-answers");
    answers.append(...this.answers);
    const foot = element("p", "ft-blind-foot");
    foot.append(
      element("span", "", "← → to hear A or B · 1 A · 2 B · 0 no difference "),
      button("ft-button", "Enough: show the ranking", "End the blind comparison", leave),
    );
    this.root.append(this.head, this.bar, cards, answers, foot);
  }

  show(question, { sounding, loading, waiting }) {
    this.question = question;
    setText(this.head, question ? `Question ${question.number}: which is better?` : "Preparing the first question …");
    this.bar.value = question?.settled ?? 0;
    ["a", "b"].forEach((side, index) => {
      const card = this.sides[index];
      const state = question && question[side] === sounding ? "sounding" : question && question[side] === loading ? "loading" : "idle";
      card.dataset.state = state;
      card.disabled = !question;
      card.setAttribute("aria-pressed", String(state === "sounding"));
      setText(card.lastChild, { sounding: "sounding", loading: "loading …", idle: "hear" }[state]);
    });
    for (const node of this.answers) node.disabled = !question || waiting;
  }
}
