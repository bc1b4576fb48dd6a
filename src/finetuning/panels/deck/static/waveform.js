// The picture of the current take: its swing, bar lines, the loop with two handles, and where the sound is.

const DRAG = 5; // pixels from which a press is a drag

class Waveform {
  constructor({ seek, loop }) {
    this.seek = seek;
    this.setLoop = loop;
    this.root = element("div", "ft-wave");
    this.canvas = element("canvas", "ft-canvas");
    this.range = element("div", "ft-range");
    this.head = element("div", "ft-playhead");
    this.empty = element("span", "ft-wave-empty", "");
    this.handles = ["Loop from", "Loop to"].map((label, side) => this.handle(label, side));
    this.root.append(this.canvas, this.range, this.head, ...this.handles, this.empty);
    Object.assign(this, { take: null, peaks: null, duration: 0, loop: null, bars: null });
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.root);
  }

  handle(label, side) {
    const node = element("div", "ft-handle", undefined, { role: "slider", tabindex: "0", "aria-label": label });
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      const move = (moved) => this.drag(side, Math.round(this.secondsAt(moved) / barSeconds(this.take)));
      const end = () => node.removeEventListener("pointermove", move);
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", end, { once: true });
      node.addEventListener("pointercancel", end, { once: true });
    });
    return node;
  }

  nudge(node, event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.bars) return false;
    event.preventDefault();
    const side = this.handles.indexOf(node);
    this.drag(side, this.bars[side] + step);
    return true;
  }

  drag(side, bar) {
    const bars = [...this.bars];
    const last = barsIn(this.take, this.duration);
    bars[side] = side ? Math.min(last, Math.max(bars[0] + 1, bar)) : Math.max(0, Math.min(bars[1] - 1, bar));
    if (bars.join() !== this.bars.join()) this.setLoop(bars);
  }

  secondsAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.duration;
  }

  press(event) {
    if (!this.take || !this.duration) return;
    const from = this.secondsAt(event);
    const moved = (other) => Math.abs(other.clientX - event.clientX) > DRAG;
    this.canvas.setPointerCapture(event.pointerId);
    const move = (other) => {
      if (!moved(other)) return;
      const bars = [from, this.secondsAt(other)].sort((a, b) => a - b).map((seconds) => seconds / barSeconds(this.take));
      this.setLoop([Math.floor(bars[0]), Math.max(Math.floor(bars[0]) + 1, Math.ceil(bars[1]))]);
    };
    const up = (other) => {
      this.canvas.removeEventListener("pointermove", move);
      if (!moved(other)) this.seek(from);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", up, { once: true });
  }

  show({ take, peaks, duration, loop, bars, empty }) {
    const changed = take !== this.take || peaks !== this.peaks || duration !== this.duration;
    Object.assign(this, { take, peaks, duration, loop, bars });
    setText(this.empty, empty);
    const share = (seconds) => `${(100 * seconds) / (duration || 1)}%`;
    for (const [side, node] of this.handles.entries()) {
      node.hidden = !loop;
      if (!loop) continue;
      node.style.left = share(side ? loop.end : loop.start);
      node.setAttribute("aria-valuemin", 0);
      node.setAttribute("aria-valuemax", barsIn(take, duration));
      node.setAttribute("aria-valuenow", bars[side]);
      node.setAttribute("aria-valuetext", `bar ${bars[side] + 1}`);
    }
    this.range.hidden = !loop;
    if (loop) Object.assign(this.range.style, { left: share(loop.start), width: share(loop.end - loop.start) });
    if (changed) this.paint();
  }

  move(seconds) {
    this.head.hidden = !this.duration;
    this.head.style.left = `${(100 * Math.min(seconds, this.duration)) / (this.duration || 1)}%`;
  }

  paint() {
    const { canvas } = this;
    const width = this.root.clientWidth;
    const height = this.root.clientHeight;
    if (!width || !height) return;
    const scale = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: width * scale, height: height * scale });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.root);
    if (this.take?.b && this.duration) this.bars_(pen, width, height, style);
    if (!this.peaks?.length) return;
    pen.fillStyle = style.getPropertyValue("--ft-wave");
    const buckets = this.peaks.length / 2;
    const middle = height / 2 + 4;
    const reach = height / 2 - 8;
    const bars = Math.max(1, Math.floor(width / 3));
    for (let bar = 0; bar < bars; bar += 1) {
      let swing = 0;
      const end = Math.max(Math.floor(((bar + 1) * buckets) / bars), Math.floor((bar * buckets) / bars) + 1);
      for (let place = Math.floor((bar * buckets) / bars); place < end; place += 1) {
        swing = Math.max(swing, -this.peaks[2 * place], this.peaks[2 * place + 1]);
      }
      const size = Math.max(0.75, (swing / 127) * reach);
      pen.beginPath();
      pen.roundRect(bar * 3, middle - size, 2, 2 * size, 1);
      pen.fill();
    }
  }

  bars_(pen, width, height, style) {
    const length = barSeconds(this.take);
    const count = Math.ceil(this.duration / length);
    const every = [1, 2, 4, 8, 16, 32].find((step) => (width / count) * step > 26) ?? 64;
    pen.font = `10px ${style.fontFamily}`;
    for (let bar = 0; bar < count; bar += 1) {
      const x = Math.round((bar * length * width) / this.duration) + 0.5;
      const strong = bar % every === 0;
      pen.fillStyle = style.getPropertyValue(strong ? "--ft-bar-strong" : "--ft-bar");
      if (strong || width / count > 5) pen.fillRect(x, strong ? 0 : 14, 1, height);
      if (!strong) continue;
      pen.fillStyle = style.getPropertyValue("--ft-faint");
      pen.fillText(String(bar + 1), x + 3, 9);
    }
  }

  close() {
    this.observer.disconnect();
  }
}
