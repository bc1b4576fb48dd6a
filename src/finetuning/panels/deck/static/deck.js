// One view of a deck: its state, what a person may do, and who is told.

const PATIENCE = 3000; // ms until the page says that it is waiting for the kernel
const WAITING = "Waiting for the kernel. It answers when the running cell ends; if none is running, run this cell again.";

class DeckView {
  constructor(model) {
    this.model = model;
    this.store = new Store(model, () => (this.engine.adjust(), this.draw()));
    this.engine = new Engine(this.store, () => this.draw());
    this.cursor = null; // key of the take that keys act on
    this.before = null; // the take heard before the present one
    this.wanted = null; // {key, from}: what shall sound as soon as it is here
    this.heard = new Set();
    this.problems = new Map(); // key → why it cannot be heard
    this.pending = new Map(); // seq → what was done here and is not confirmed yet
    this.pageIndex = 0;
    this.question = null;
    this.blind = false;
    this.helping = false;
    this.lastLoop = null;
    this.build();
    this.listening = [
      ["change:takes change:axes change:rows change:columns change:page change:marks change:chosen change:ranking change:title", () => this.refreshSoon()],
      ["msg:custom", (content) => this.receive(content)],
    ];
    for (const [events, act] of this.listening) for (const event of events.split(" ")) model.on(event, act);
    this.unlisten = listen(this.root, this);
    this.refresh();
    this.tick = this.tick.bind(this);
    this.frame = requestAnimationFrame(this.tick);
    this.beginOnce();
  }

  // One view does, and not again when the deck is shown elsewhere or anew.
  beginOnce() {
    if (!this.model.get("begin")) return;
    this.model.set("begin", false);
    this.model.save_changes();
    this.hear(this.present);
  }

  build() {
    this.root = element("section", "ft-deck", undefined, { "aria-label": "Audition deck" });
    this.heading = element("h3", "ft-heading", "", { dir: "auto" });
    this.toolbar = new Toolbar({
      toggle: () => this.toggle(), mode: () => this.toggleMode(), loop: () => this.toggleLoop(), blind: () => this.toggleBlind(),
      help: () => this.toggleHelp(), turn: (by) => this.turn(by), spread: (side, name) => this.spread(side, name),
    });
    this.waveform = new Waveform({ seek: (seconds) => this.engine.seek(seconds), loop: (bars) => this.setLoop(bars) });
    this.matrix = new Matrix((take, event) => this.press(take, event));
    this.questions = new Blind({ hear: (side) => this.hearSide(side), answer: (outcome) => this.answer(outcome), leave: () => this.toggleBlind() });
    this.results = new RankingTable((key) => this.hear(this.take(key)));
    this.help = helpPanel();
    this.trouble = element("div", "ft-trouble", undefined, { role: "alert" });
    this.troubleText = element("span", "");
    this.trouble.append(this.troubleText, button("ft-button", "×", "Dismiss", () => this.complain("")));
    this.nothing = element("p", "ft-nothing", "No takes yet.");
    this.root.append(this.heading, this.toolbar.root, this.waveform.root, this.questions.root, this.matrix.root, this.nothing, this.results.root, this.help, this.trouble);
    this.trouble.hidden = true;
  }

  // What is known

  take(key) {
    return this.takes.find(({ k }) => k === key);
  }

  get present() {
    return this.take(this.cursor);
  }

  marks(key) {
    const [rating, rejected] = this.model.get("marks")[key] ?? [0, 0];
    const mark = { rating, rejected };
    for (const { type, keys, ...change } of this.pending.values()) {
      if (type !== "select" && keys.includes(key)) Object.assign(mark, change);
    }
    return [mark.rating ?? 0, Boolean(mark.rejected)];
  }

  chosen(key) {
    let on = this.model.get("chosen").includes(key);
    for (const { type, keys, on: later } of this.pending.values()) if (type === "select" && keys.includes(key)) on = later;
    return on;
  }

  rank(key) {
    return this.model.get("ranking").find(([ranked]) => ranked === key);
  }

  stateOf(take) {
    if (take.k === this.wanted?.key) return "loading";
    if (this.engine.sounding && take.k === this.engine.take.k) return "sounding";
    if (this.problems.has(take.k)) return "broken";
    return take.s ? (BROKEN.has(take.s) ? "broken" : "waiting") : "idle";
  }

  // Drawing

  refresh() {
    const { model } = this;
    this.takes = model.get("takes");
    this.axes = model.get("axes");
    for (const [key] of this.problems) if (!this.take(key)) this.problems.delete(key);
    this.lay();
    if (!this.present) this.cursor = (this.layout.first() ?? this.takes[0])?.k ?? null;
    const sounding = this.engine.take && this.take(this.engine.take.k);
    if (sounding) this.engine.take = sounding;
    else if (this.engine.sounding) this.engine.stop();
    this.draw();
  }

  // Several changes of the model come at once.
  refreshSoon() {
    if (this.refreshing) return;
    this.refreshing = true;
    queueMicrotask(() => {
      this.refreshing = false;
      this.refresh();
    });
  }

  lay() {
    const { model } = this;
    const sides = { rows: model.get("rows"), columns: model.get("columns"), page: model.get("page") };
    this.layout = new Layout(this.takes, this.axes, sides, this.pageIndex);
    this.pageIndex = this.layout.page;
  }

  draw() {
    if (!this.layout) return;
    const { engine, model, present, blind } = this;
    const shown = blind ? engine.take : present;
    setText(this.heading, model.get("title"));
    this.heading.hidden = !model.get("title");
    this.nothing.hidden = this.takes.length > 0;
    this.toolbar.root.hidden = !this.takes.length;
    this.toolbar.show({
      model, layout: this.layout, axes: this.axes, sounding: engine.sounding, loading: Boolean(this.wanted),
      title: blind ? "Listening blindly" : (present?.t ?? ""), bySecond: engine.bySecond, looping: Boolean(engine.loop), blind, help: this.helping,
    });
    const duration = (shown && this.store.ready(shown.k)?.duration) || shown?.d || 0;
    this.waveform.root.hidden = !shown || blind; // its bars would tell the tempo
    this.waveform.show({
      take: shown, duration, peaks: shown && this.store.measure(shown.k)?.peaks,
      loop: shown && loopOf(engine.loop, shown, duration, engine.bySecond), bars: engine.loop?.bars,
      empty: this.absence(shown),
    });
    this.matrix.root.hidden = blind;
    if (!blind) this.matrix.draw(this.layout, this);
    this.questions.root.hidden = !blind;
    if (blind) this.questions.show(this.question, { sounding: engine.sounding ? engine.take.k : null, loading: this.wanted?.key, waiting: this.answering });
    this.results.show(blind ? [] : model.get("ranking"), this.takes, this.axes);
    this.help.hidden = !this.helping;
  }

  // What stands where the picture of a sound is not.
  absence(take) {
    if (!take || this.store.measure(take.k)) return "";
    if (take.s) return [STATES[take.s] ?? take.s, take.e].filter(Boolean).join(": ");
    return this.wanted?.key === take.k ? "loading …" : "press space to hear it";
  }

  tick() {
    this.frame = requestAnimationFrame(this.tick);
    const shown = this.blind ? this.engine.take : this.present;
    if (!shown) return;
    const here = this.engine.take === shown;
    const seconds = here ? this.engine.now() : 0;
    this.waveform.move(seconds);
    setText(this.toolbar.time, this.blind ? "" : here ? placeName(shown, seconds) : shown.d ? clock(shown.d) : "");
  }

  say(text) {
    setText(this.toolbar.status, text);
  }

  complain(text) {
    this.trouble.hidden = !text;
    setText(this.troubleText, text);
  }

  // Hearing

  async hear(take, from) {
    if (!take || take.s) return;
    this.engine.wake();
    const wish = (this.wanted = { key: take.k });
    this.problems.delete(take.k);
    const late = setTimeout(() => this.wanted === wish && this.say(WAITING), PATIENCE);
    this.draw();
    try {
      if (!this.store.ready(take.k) || !this.store.measure(take.k)) await this.store.load(take.k);
      else recall(`${this.store.deck}/${take.k}`);
      if (this.wanted !== wish) return; // another take was chosen meanwhile, or none
      this.wanted = null;
      const before = this.engine.take;
      this.engine.sound(take, from);
      this.heard.add(take.k);
      this.tell(before, take);
      this.store.wish((this.blind ? [this.question?.a, this.question?.b].filter(Boolean) : this.layout.neighbours(take.k).filter(({ s }) => !s).map(({ k }) => k)));
    } catch (problem) {
      const text = [problem.message ?? String(problem), problem.hint].filter(Boolean).join(" ");
      this.problems.set(take.k, text);
      if (this.wanted === wish) {
        this.wanted = null;
        this.say("");
        if (!this.engine.sounding) this.engine.stop();
      }
      this.complain(`${this.blind ? "A take" : take.t} cannot be heard. ${text}`);
    } finally {
      clearTimeout(late);
    }
    this.draw();
  }

  tell(before, take) {
    if (before && before.k !== take.k) this.before = before;
    this.say(this.blind ? "" : differences(this.axes, this.before, take) || describe(this.axes, take));
  }

  stop() {
    this.wanted = null;
    this.engine.stop();
  }

  toggle() {
    if (this.engine.sounding || this.wanted) this.stop();
    else if (this.blind) this.hearSide(this.engine.take?.k === this.question?.b ? "b" : "a");
    else this.hear(this.present);
  }

  enter() {
    if (this.cursor !== this.engine.take?.k || !this.engine.sounding) this.hear(this.present);
  }

  press(take, event) {
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      this.go(take, false);
      this.select();
    } else if (take.k === this.cursor && (this.engine.sounding || this.wanted)) {
      this.stop();
    } else {
      this.go(take, false);
      this.hear(take);
    }
    this.matrix.focus(take.k);
  }

  // Going

  go(take, along = true) {
    if (!take || take.k === this.cursor) return;
    this.cursor = take.k;
    this.model.send({ type: "current", key: take.k });
    const page = this.layout.pageOf.get(take.k);
    if (page !== undefined && page !== this.pageIndex) {
      this.pageIndex = page;
      this.lay();
    }
    if (along && !take.s && (this.engine.sounding || this.wanted)) this.hear(take);
    else if (!take.s && !this.engine.sounding) this.engine.rest(take);
    if (take.s) this.say(this.absence(take));
    this.draw();
  }

  step(dr, dc) {
    if (dc && !this.layout.wide) return this.skip(dc);
    const next = this.layout.step(this.cursor, dr, dc);
    this.go(next);
    this.matrix.focus(this.cursor);
  }

  skip(bars) {
    const { take } = this.engine;
    if (take) this.engine.seek(this.engine.now() + bars * (take.b ? barSeconds(take) : 5));
  }

  turn(by) {
    const index = Math.min(Math.max(0, this.pageIndex + by), this.layout.pages - 1);
    if (index === this.pageIndex) return;
    const place = this.layout.places.get(this.cursor);
    this.pageIndex = index;
    this.lay();
    const stack = place && this.layout.cells[place.r]?.[place.c];
    this.go(stack?.[Math.min(place.depth, stack.length - 1)] ?? this.layout.first());
    this.draw();
    this.matrix.focus(this.cursor);
  }

  spread(side, name) {
    for (const other of ["rows", "columns", "page"]) {
      if (name && other !== side && this.model.get(other) === name) this.model.set(other, this.model.get(side));
    }
    this.model.set(side, name);
    this.model.save_changes();
    this.pageIndex = this.layout.pageOf.get(this.cursor) ?? 0;
    this.refresh();
    if (this.layout.pageOf.has(this.cursor)) {
      this.pageIndex = this.layout.pageOf.get(this.cursor);
      this.refresh();
    }
  }
}
