// Sound from the kernel: asked for when it is first needed, decoded once, let go when the page holds too much.

const AHEAD = 2; // that are fetched at once before anybody asked for them

class Store {
  constructor(model, learnt) {
    this.model = model;
    this.learnt = learnt; // called when measures come in
    this.deck = model.get("stand_in");
    this.awaited = new Map(); // key → {promise, resolve, reject}
    this.measures = new Map(); // key → {loudness, peak, peaks}
    this.wishes = []; // keys that may be wanted soon
    this.hear = (content, buffers) => this.receive(content, buffers);
    model.on("msg:custom", this.hear);
    enter(this.deck);
  }

  close() {
    this.model.off("msg:custom", this.hear);
    this.wishes = [];
    leave(this.deck);
  }

  ready(key) {
    return page.cache.get(`${this.deck}/${key}`);
  }

  measure(key) {
    return this.measures.get(key);
  }

  target() {
    return targetLoudness(this.measures.values());
  }

  pin(key) {
    page.pinned.add(`${this.deck}/${key}`);
  }

  unpin(key) {
    page.pinned.delete(`${this.deck}/${key}`);
  }

  load(key) {
    const known = recall(`${this.deck}/${key}`);
    if (known && this.measures.has(key)) return Promise.resolve(known);
    if (!this.awaited.has(key)) {
      const entry = {};
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      this.awaited.set(key, entry);
      this.model.send({ type: "load", key });
    }
    return this.awaited.get(key).promise;
  }

  // Whoever is likely to be heard next, the likeliest first; what was wished before is forgotten.
  wish(keys) {
    this.wishes = keys.filter((key) => !this.ready(key));
    this.fetchAhead();
  }

  fetchAhead() {
    while (this.wishes.length && this.awaited.size < AHEAD) {
      const settle = () => this.fetchAhead();
      this.load(this.wishes.shift()).then(settle, settle);
    }
  }

  async receive(content, buffers) {
    const entry = this.awaited.get(content?.key);
    if (!entry || (content.type !== "audio" && content.type !== "failed")) return; // asked for by another view
    const { key } = content;
    if (content.type === "failed") {
      this.awaited.delete(key);
      entry.reject({ message: content.message, hint: content.hint });
      return;
    }
    try {
      const [audio, peaks] = buffers.map((view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
      this.measures.set(key, { loudness: content.loudness, peak: content.peak, peaks: new Int8Array(peaks) });
      const sound = this.ready(key) ?? (await audioContext().decodeAudioData(audio));
      if (page.users.has(this.deck)) remember(`${this.deck}/${key}`, sound); // nobody would let it go after the last view
      entry.resolve(sound);
    } catch {
      entry.reject({ message: "The browser cannot decode this take.", hint: "Download it and play it elsewhere." });
    } finally {
      this.awaited.delete(key);
    }
    this.learnt(key);
  }
}
