// What a person thinks of takes, and the switches: the rest of a deck's view.

let sequence = 0;

Object.assign(DeckView.prototype, {
  // Shown at once; it counts when the kernel has recorded it.
  change(type, keys, change) {
    const seq = `${this.store.deck}-${(sequence += 1)}`;
    this.pending.set(seq, { type, keys, ...change });
    this.model.send({ type, seq, keys, ...change });
    this.draw();
  },

  rate(rating) {
    if (this.present && !this.present.s) this.change("rate", [this.cursor], { rating });
  },

  reject() {
    if (this.present) this.change("reject", [this.cursor], { rejected: !this.marks(this.cursor)[1] });
  },

  select() {
    if (this.present) this.change("select", [this.cursor], { on: !this.chosen(this.cursor) });
  },

  receive(content) {
    const text = [content.message, content.hint].filter(Boolean).join(" ");
    if (content.type === "done") {
      this.pending.delete(content.seq);
    } else if (content.type === "refused" && this.pending.delete(content.seq)) {
      this.complain(`It is not recorded. ${text}`);
    } else if (content.type === "trouble") {
      this.complain(text);
    } else if (content.type === "question") {
      this.ask(content);
    } else if (content.type === "stands") {
      this.leaveBlind();
    } else {
      return;
    }
    this.draw();
  },

  // Loops

  setLoop(bars) {
    const take = this.present;
    if (!take) return;
    this.lastLoop = { bars, seconds: bars.map((bar) => bar * barSeconds(take)) };
    this.engine.setLoop(this.lastLoop);
    this.draw();
  },

  loopEdge(side) {
    const { take } = this.engine;
    if (!take) return;
    const bar = Math.floor(this.engine.now() / barSeconds(take) + 1e-6);
    const last = barsIn(take, this.engine.duration);
    const bars = [...(this.engine.loop?.bars ?? [0, last])];
    if (side) bars[1] = Math.min(last, bar + 1);
    else bars[0] = bar;
    if (bars[0] >= bars[1]) bars[side ? 0 : 1] = side ? bars[1] - 1 : Math.min(last, bars[0] + 4);
    this.setLoop(bars);
  },

  toggleLoop() {
    const take = this.engine.take ?? this.present;
    if (this.engine.loop) {
      this.engine.setLoop(null);
    } else if (this.lastLoop) {
      this.engine.setLoop(this.lastLoop);
    } else if (take) {
      const bar = take === this.engine.take ? Math.floor(this.engine.now() / barSeconds(take) + 1e-6) : 0;
      this.setLoop([bar, bar + 4]);
    }
  },

  nudge(handle, event) {
    return this.waveform.nudge(handle, event);
  },

  toggleMode() {
    this.engine.bySecond = !this.engine.bySecond;
    this.engine.setLoop(this.engine.loop);
    this.say(this.engine.bySecond ? "Takes switch at the same second." : "Takes switch at the same bar and beat.");
  },

  toggleHelp() {
    this.helping = !this.helping;
    this.draw();
  },

  escape() {
    if (this.helping) this.toggleHelp();
    else this.complain("");
  },

  // Blindly

  toggleBlind() {
    this.model.send({ type: "blind", on: !this.blind });
    if (this.blind) {
      this.leaveBlind();
    } else {
      this.stop();
      this.blind = true;
      this.question = null;
      this.answering = false;
      this.say("");
      this.complain("");
    }
    this.draw();
    if (this.blind) this.questions.sides[0].focus();
  },

  leaveBlind() {
    if (!this.blind) return;
    this.stop();
    this.blind = false;
    this.question = null;
    this.results.root.open = true;
    this.say("");
    if (this.present) this.engine.rest(this.present);
    this.draw();
    this.matrix.focus(this.cursor);
  },

  ask(question) {
    if (!this.blind) return;
    const again = this.answering || !this.question;
    this.question = question;
    this.answering = false;
    this.store.wish([question.a, question.b]);
    this.draw();
    if (again && this.question.number > 1) this.hearSide("a");
    if (!this.root.contains(document.activeElement)) this.questions.sides[0].focus();
  },

  hearSide(side) {
    if (this.question) this.hear(this.take(this.question[side]));
  },

  answer(outcome) {
    if (!this.question || this.answering) return;
    this.answering = true; // until it is recorded, and the next question comes
    this.model.send({ type: "answer", number: this.question.number, outcome });
    this.draw();
  },

  close() {
    this.stop();
    cancelAnimationFrame(this.frame);
    this.unlisten();
    this.waveform.close();
    for (const [events, act] of this.listening) for (const event of events.split(" ")) this.model.off(event, act);
    this.store.close();
  },
});
