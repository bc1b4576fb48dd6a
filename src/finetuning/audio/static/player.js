// The page's half of finetuning.audio.player: a list of takes, heard one at a time.
// Text from the service is only ever set as textContent.

const CACHE_BYTES = 192 * 2 ** 20; // of decoded sound on the whole page: about eight minutes in stereo
const PATIENCE = 3000; // ms until the page says that it is waiting for the kernel
const SKIP = 5; // seconds
const FADE = 0.008; // seconds, against clicks

// Every player on the page shares one audio context, one cache and one turn to sound.
const page = (globalThis[Symbol.for("finetuning.player")] ??= {
  context: null,
  cache: new Map(), // least recently heard first
  bytes: 0,
  views: 0,
  sounding: null,
});

function remember(key, buffer) {
  const size = (sound) => sound.length * sound.numberOfChannels * 4;
  page.cache.set(key, buffer);
  page.bytes += size(buffer);
  for (const [oldest, sound] of page.cache) {
    if (page.bytes <= CACHE_BYTES || oldest === key) break;
    page.cache.delete(oldest);
    page.bytes -= size(sound);
  }
}

function recall(key) {
  const buffer = page.cache.get(key);
  if (buffer) {
    page.cache.delete(key);
    page.cache.set(key, buffer);
  }
  return buffer;
}

function forget(prefix) {
  for (const [key, sound] of page.cache) {
    if (!key.startsWith(prefix)) continue;
    page.cache.delete(key);
    page.bytes -= sound.length * sound.numberOfChannels * 4;
  }
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function render({ model, el }) {
  const takes = model.get("takes");
  const prefix = `${++page.views}/`;
  const awaited = new Map(); // id → {promise, resolve, reject}

  let current = 0; // the take that the keys act on
  let loaded = null; // the decoded sound of the current take, once it has been played
  let position = 0; // seconds into it, while nothing sounds
  let voice = null; // {source, gain, start} while something sounds
  let wanted = null; // id of the take that shall sound as soon as it is here
  let frame = 0;

  const root = element("div", "ft-player");
  const list = element("ul", "ft-takes");
  list.setAttribute("role", "list");
  list.setAttribute("aria-label", "Takes");
  const rows = takes.map((take, index) => {
    const item = element("li", "");
    const button = element("button", "ft-take");
    button.type = "button";
    button.tabIndex = index === 0 ? 0 : -1;
    button.setAttribute("aria-pressed", "false");
    const icon = element("span", "ft-icon");
    icon.setAttribute("aria-hidden", "true");
    button.append(
      icon,
      element("span", "ft-title", take.title),
      element("span", "ft-label", take.label),
      element("span", "ft-length", take.duration == null ? "" : clock(Math.round(take.duration))),
    );
    button.addEventListener("click", () => (index === current && (voice || wanted) ? stop() : play(index)));
    const problem = element("p", "ft-problem");
    problem.setAttribute("role", "alert");
    problem.hidden = true;
    item.append(button, problem);
    list.append(item);
    return { button, problem };
  });
  const transport = element("div", "ft-transport");
  const line = element("input", "ft-line");
  Object.assign(line, { type: "range", min: 0, max: 1, step: "any", value: 0, disabled: true });
  line.setAttribute("aria-label", "Position in the take");
  const time = element("span", "ft-time", "");
  const status = element("p", "ft-status");
  status.setAttribute("role", "status");
  transport.append(line, time);
  root.append(takes.length ? list : element("p", "ft-status", "No takes to play."));
  if (takes.length) root.append(transport, status);
  // The static table of a saved notebook steps aside for as long as this view is in the page.
  el.append(root, element("style", "", `#${CSS.escape(model.get("stand_in"))} { display: none; }`));

  function at() {
    return voice ? Math.min(page.context.currentTime - voice.start, loaded.duration) : position;
  }

  function show() {
    takes.forEach((take, index) => {
      const { button } = rows[index];
      const mine = index === current;
      button.dataset.state = mine && voice ? "sounding" : mine && wanted ? "loading" : "idle";
      button.setAttribute("aria-pressed", String(mine && Boolean(voice || wanted)));
      button.classList.toggle("ft-current", mine && Boolean(loaded || wanted));
      button.tabIndex = mine ? 0 : -1;
    });
    line.disabled = !loaded;
    tick();
  }

  function tick() {
    cancelAnimationFrame(frame);
    if (loaded) {
      const now = at();
      line.max = loaded.duration;
      line.value = now;
      line.style.setProperty("--ft-played", `${(100 * now) / loaded.duration}%`);
      const text = `${clock(now)} / ${clock(Math.round(loaded.duration))}`;
      if (time.textContent !== text) {
        time.textContent = text;
        line.setAttribute("aria-valuetext", text);
      }
    }
    if (voice) frame = requestAnimationFrame(tick);
  }

  function load(id) {
    const known = recall(prefix + id);
    if (known) return Promise.resolve(known);
    if (!awaited.has(id)) {
      const entry = {};
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      awaited.set(id, entry);
      model.send({ type: "load", id });
    }
    return awaited.get(id).promise;
  }

  async function receive(content, buffers) {
    const entry = awaited.get(content?.id);
    if (!entry) return; // asked for by another view
    if (content.type === "failed") {
      awaited.delete(content.id);
      entry.reject({ message: content.message, hint: content.hint });
    } else if (content.type === "audio") {
      const { buffer, byteOffset, byteLength } = buffers[0];
      try {
        const sound = await page.context.decodeAudioData(buffer.slice(byteOffset, byteOffset + byteLength));
        remember(prefix + content.id, sound);
        entry.resolve(sound);
      } catch {
        entry.reject({ message: "The browser cannot decode this take.", hint: "Download it and play it elsewhere." });
      } finally {
        awaited.delete(content.id);
      }
    }
  }

  function silence() {
    if (!voice) return;
    position = at();
    const { source, gain } = voice;
    const now = page.context.currentTime;
    source.onended = null;
    gain.gain.setValueAtTime(1, now);
    gain.gain.linearRampToValueAtTime(0, now + FADE);
    source.stop(now + FADE);
    voice = null;
  }

  function stop() {
    wanted = null;
    status.textContent = "";
    silence();
    if (page.sounding === stop) page.sounding = null;
    show();
  }

  function sound() {
    const { context } = page;
    const source = new AudioBufferSourceNode(context, { buffer: loaded });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(context.destination);
    if (position >= loaded.duration - 0.05) position = 0;
    const now = context.currentTime;
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(1, now + FADE);
    source.onended = () => {
      position = 0;
      voice = null;
      stop();
    };
    source.start(now, position);
    voice = { source, gain, start: now - position };
  }

  async function play(index) {
    const { id } = takes[index];
    if (page.sounding !== stop) page.sounding?.();
    page.sounding = stop;
    for (const media of document.querySelectorAll("audio, video")) media.pause();
    page.context ??= new AudioContext();
    page.context.resume(); // in the gesture, as browsers demand
    silence();
    if (index !== current || !loaded) {
      current = index;
      loaded = null;
      position = 0;
      line.value = 0;
      time.textContent = "";
    }
    wanted = id;
    rows[index].problem.hidden = true;
    status.textContent = "";
    show();
    const patience = setTimeout(() => {
      if (wanted === id) {
        status.textContent =
          "Waiting for the kernel. It answers when the running cell ends; if none is running, run this cell again.";
      }
    }, PATIENCE);
    try {
      const decoded = await load(id);
      if (wanted !== id) return; // another take was chosen meanwhile
      loaded = decoded;
      sound();
      wanted = null;
    } catch (problem) {
      rows[index].problem.textContent = [problem.message ?? String(problem), problem.hint].filter(Boolean).join(" ");
      rows[index].problem.hidden = false;
      if (wanted !== id) return;
      wanted = null;
      if (page.sounding === stop) page.sounding = null;
    } finally {
      clearTimeout(patience);
    }
    status.textContent = "";
    show();
  }

  function seek(seconds) {
    if (!loaded) return;
    const sounded = Boolean(voice);
    silence();
    position = Math.min(Math.max(0, seconds), loaded.duration);
    if (sounded) sound();
    show();
  }

  function move(step) {
    const next = Math.min(Math.max(0, current + step), takes.length - 1);
    if (next !== current) {
      if (voice || wanted) {
        play(next);
      } else {
        current = next;
        loaded = null;
        position = 0;
        line.value = 0;
        time.textContent = "";
        show();
      }
    }
    rows[next].button.focus();
    rows[next].button.scrollIntoView({ block: "nearest" });
  }

  function toggle() {
    if (voice || wanted) stop();
    else play(current);
  }

  const keys = {
    ArrowUp: () => move(-1),
    ArrowDown: () => move(1),
    ArrowLeft: () => seek(at() - SKIP),
    ArrowRight: () => seek(at() + SKIP),
    Enter: toggle,
    " ": toggle,
  };

  function press(event) {
    if (!root.contains(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    const act = event.shiftKey ? undefined : keys[event.key];
    // JupyterLab's own keys would move or delete the cell; those with a modifier, such as saving, still reach it.
    if (act || event.key.length === 1) event.stopPropagation();
    if (!act) return;
    event.preventDefault();
    if (act !== toggle || !event.repeat) act();
  }

  // On the window, to come before JupyterLab, which listens on the document.
  if (takes.length) window.addEventListener("keydown", press, true);
  // A button would click once more when the space bar is let go.
  root.addEventListener("keyup", (event) => event.key === " " && event.preventDefault());
  line.addEventListener("input", () => seek(Number(line.value)));
  model.on("msg:custom", receive);
  show();

  return () => {
    stop();
    window.removeEventListener("keydown", press, true);
    model.off("msg:custom", receive);
    forget(prefix);
  };
}

export default { render };
