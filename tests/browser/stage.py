"""A real widget in a real browser without JupyterLab between them: what one sends is carried to the other."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import comm
from comm.base_comm import BaseComm

#: Milliseconds between two looks at what there is to carry.
_PULSE = 15

MODEL = """
globalThis.stage = { outbox: [], models: {}, cleanups: [] };
stage.Model = class {
  constructor(id, state) { Object.assign(this, { id, state, dirty: {}, handlers: {} }); }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    this.dirty[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes() {
    stage.outbox.push([this.id, { method: "update", state: this.dirty, buffer_paths: [] }]);
    this.dirty = {};
  }
  send(content) { stage.outbox.push([this.id, { method: "custom", content }]); }
  on(event, act) { (this.handlers[event] ??= new Set()).add(act); }
  off(event, act) { this.handlers[event]?.delete(act); }
  emit(event, ...more) { for (const act of [...(this.handlers[event] ?? [])]) act(...more); }
  hear(data, buffers) {
    if (data.method === "custom") {
      const views = buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
      this.emit("msg:custom", data.content, views);
    } else if (data.state) {
      Object.assign(this.state, data.state);
      for (const name of Object.keys(data.state)) this.emit(`change:${name}`);
    }
  }
};
stage.show = async (id, state, script, style) => {
  const model = (stage.models[id] = new stage.Model(id, state));
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const el = document.createElement("div");
  el.id = `view-${id}`;
  el.append(Object.assign(document.createElement("style"), { textContent: style }));
  document.body.append(el);
  stage.cleanups.push(await module.default.render({ model, el }));
};
"""

#: Everything that goes through the page's one output, block by block, with where in time each begins.
RECORDER = """
async () => {
  const context = globalThis[Symbol.for("finetuning.deck")].context;
  const code = `registerProcessor("tape", class extends AudioWorkletProcessor {
    constructor() { super(); this.room = new Float32Array(8192); this.filled = 0; this.begun = 0; }
    process([input]) {
      if (!this.filled) this.begun = currentFrame;
      if (input[0]) this.room.set(input[0], this.filled);
      this.filled += 128;
      if (this.filled === this.room.length) {
        this.port.postMessage([this.begun, this.room]);
        this.room = new Float32Array(8192);
        this.filled = 0;
      }
      return true;
    }
  });`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const mono = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };
  const tape = new AudioWorkletNode(context, "tape", mono);
  globalThis[Symbol.for("finetuning.deck")].master.connect(tape);
  stage.tape = [];
  tape.port.onmessage = ({ data }) => stage.tape.push(data);
}
"""
TAPE = """
() => {
  const from = stage.tape[0][0];
  const last = stage.tape[stage.tape.length - 1];
  const all = new Float32Array(last[0] - from + last[1].length);
  for (const [at, block] of stage.tape) all.set(block, at - from);
  let text = "";
  const bytes = new Uint8Array(all.buffer);
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  const context = globalThis[Symbol.for("finetuning.deck")].context;
  return [from / context.sampleRate, context.sampleRate, btoa(text)];
}
"""
LEVEL = """
async () => {
  const { context, master } = globalThis[Symbol.for("finetuning.deck")];
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  master.connect(analyser);
  const from = context.currentTime; // its clock goes slower than others where the machine has much to do
  while (context.currentTime < from + 0.25) await new Promise((resolve) => setTimeout(resolve, 20));
  const samples = new Float32Array(8192);
  analyser.getFloatTimeDomainData(samples);
  master.disconnect(analyser);
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}
"""


class Wire(BaseComm):
    """A comm that keeps what is sent until the stage carries it to the page."""

    def __init__(self, **more: Any) -> None:
        self.sent: list[tuple[dict[str, Any], list[Any]]] = []
        self.all: list[tuple[dict[str, Any], list[Any]]] = []
        self.lock = threading.Condition()
        super().__init__(**more)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **more: Any
    ) -> None:
        with self.lock:
            self.sent.append((data or {}, list(buffers or [])))
            self.all.append(self.sent[-1])
            self.lock.notify_all()

    def messages(self, kind: str, count: int = 1) -> list[tuple[dict[str, Any], list[Any]]]:
        """The custom messages of a kind, once there are so many."""

        def found() -> list[tuple[dict[str, Any], list[Any]]]:
            customs = [(data["content"], buffers) for data, buffers in self.all if data.get("method") == "custom"]
            return [(content, buffers) for content, buffers in customs if content["type"] == kind]

        with self.lock:
            assert self.lock.wait_for(lambda: len(found()) >= count, timeout=120), f"no {kind}: {self.all}"
            return found()

    def taken(self) -> list[tuple[dict[str, Any], list[Any]]]:
        with self.lock:
            sent, self.sent = self.sent, []
        return sent


def wired() -> Callable[[], None]:
    """Give new widgets such a comm; returns what takes that back."""
    before = comm.create_comm
    comm.create_comm = lambda *positional, **more: Wire(**more)

    def undo() -> None:
        comm.create_comm = before

    return undo


class Stage:
    """Widgets in a page, and what goes to and fro."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.widgets: dict[str, Any] = {}
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(f"{url}/page")
        page.evaluate(f"() => {{ {MODEL} }}")

    def show(self, widget: Any) -> str:
        """Show a widget; returns the selector of its view."""
        widget.comm.taken()
        state = {name: value for name, value in widget.get_state().items() if not name.startswith("_")}
        name = f"w{len(self.widgets)}"
        self.widgets[name] = widget
        self.page.evaluate("([id, state, script, style]) => stage.show(id, state, script, style)",
                           [name, state, str(widget._esm), str(widget._css)])  # fmt: skip
        return f"#view-{name}"

    def carry(self) -> None:
        """Bring what was sent to where it was sent."""
        for name, message in self.page.evaluate("() => stage.outbox.splice(0)"):
            widget = self.widgets[name]
            widget.comm.handle_msg({"content": {"data": message}, "buffers": []})
        for name, widget in self.widgets.items():
            for data, buffers in widget.comm.taken() if widget.comm is not None else ():
                encoded = [base64.b64encode(bytes(part)).decode() for part in buffers]
                self.page.evaluate("([id, data, buffers]) => stage.models[id].hear(data, buffers)",
                                   [name, data, encoded])  # fmt: skip

    def until(self, true: str | Callable[[], Any], seconds: float = 120.0) -> Any:
        """Carry until an expression of JavaScript, or a function here, holds; returns what it says."""
        deadline = time.monotonic() + seconds
        while True:
            self.carry()
            found = self.page.evaluate(true) if isinstance(true, str) else true()
            if found:
                return found
            assert time.monotonic() < deadline, f"never came true: {true}; {self.errors}"
            self.page.wait_for_timeout(_PULSE)

    def wait(self, seconds: float) -> None:
        """Carry until the page's audio clock is so much further on."""
        clock = "globalThis[Symbol.for('finetuning.deck')].context.currentTime"
        end = float(self.page.evaluate(f"() => {clock}")) + seconds
        self.until(f"() => {clock} >= {end}")

    def record(self, seconds: float) -> None:
        """Carry until so much more is on the tape; `RECORDER` has begun it."""
        taped = "stage.tape.length * 8192 / globalThis[Symbol.for('finetuning.deck')].context.sampleRate"
        end = float(self.page.evaluate(f"() => {taped}")) + seconds
        self.until(f"() => {taped} >= {end}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.carry()

    def level(self) -> float:
        """The root mean square of what sounds now."""
        return float(self.page.evaluate(LEVEL))
