// Title, transport, menus of the axes, and the switches.

class Toolbar {
  constructor(acts) {
    this.root = element("div", "ft-toolbar", undefined, { role: "toolbar", "aria-label": "Deck" });
    this.play = button("ft-play", "", "Play (space)", acts.toggle);
    this.play.append(element("span", "ft-play-icon", undefined, { "aria-hidden": "true" }));
    this.now = element("div", "ft-now");
    this.title = element("span", "ft-now-title", "", { dir: "auto" });
    this.status = element("span", "ft-status", "", { role: "status", "aria-live": "polite" });
    this.now.append(this.title, this.status);
    this.time = element("span", "ft-time", "");
    this.sides = ["columns", "rows", "page"].map((side) => {
      const { wrap, select } = choice({ rows: "rows", columns: "columns", page: "pages" }[side], (name) => acts.spread(side, name));
      return { side, wrap, select };
    });
    this.back = button("ft-button ft-step", "‹", "Page before (,)", () => acts.turn(-1));
    this.forth = button("ft-button ft-step", "›", "Next page (.)", () => acts.turn(1));
    this.pageName = element("span", "ft-page-name", "");
    this.pager = element("span", "ft-pager");
    this.pager.append(this.back, this.pageName, this.forth);
    this.beat = button("ft-button", "♩ beat", "Switch at the same bar and beat (m)", acts.mode);
    this.loop = button("ft-button", "loop", "Repeat a range of bars (l)", acts.loop);
    this.blind = button("ft-button", "blind", "Compare blindly (b)", acts.blind);
    this.help = button("ft-button", "?", "Keys (?)", acts.help);
    const menus = element("div", "ft-menus");
    menus.append(...this.sides.map(({ wrap }) => wrap), this.pager, element("span", "ft-gap"), this.beat, this.loop, this.blind, this.help);
    const top = element("div", "ft-top");
    top.append(this.play, this.now, this.time);
    this.root.append(top, menus);
  }

  show({ model, layout, axes, sounding, loading, title, bySecond, looping, blind, help }) {
    this.play.dataset.state = loading ? "loading" : sounding ? "sounding" : "idle";
    this.play.title = sounding || loading ? "Stop (space)" : "Play (space)";
    this.play.setAttribute("aria-label", this.play.title);
    setText(this.title, title);
    const entries = [["", "—"], ...axes.map(({ name }) => [name, nameOf(name)])];
    for (const { side, wrap, select } of this.sides) {
      options(select, entries, model.get(side));
      wrap.hidden = blind || !axes.length;
    }
    this.pager.hidden = blind || layout.pages < 2;
    setText(this.pageName, layout.pages < 2 ? "" : `${nameOf(layout.paging.name)} ${layout.paging.labels[layout.page]}`);
    this.back.disabled = layout.page === 0;
    this.forth.disabled = layout.page >= layout.pages - 1;
    setText(this.beat, bySecond ? "◷ second" : "♩ beat");
    this.beat.title = bySecond ? "Takes switch at the same second (m)" : "Takes switch at the same bar and beat (m)";
    this.beat.setAttribute("aria-label", this.beat.title);
    for (const [node, on] of [[this.loop, looping], [this.blind, blind], [this.help, help]]) node.setAttribute("aria-pressed", String(on));
  }
}
