// What sounds, and where in it. Switching is scheduled ahead on the audio clock: until then, and until the next take
// is there, the present one goes on.

const LEAD = 0.03; // seconds ahead of the audio clock

class Engine {
  constructor(store, changed) {
    this.store = store;
    this.changed = changed;
    this.take = null; // what sounds or last sounded
    this.voice = null;
    this.position = 0; // seconds into it, while nothing sounds
    this.loop = null; // {bars: [from, to], seconds: [from, to]}
    this.bySecond = false;
    this.giveUp = () => this.stop();
  }

  get sounding() {
    return this.voice !== null;
  }

  get duration() {
    return (this.take && this.store.ready(this.take.k)?.duration) || this.take?.d || 0;
  }

  now() {
    return this.voice ? this.voice.at(page.context.currentTime) : this.position;
  }

  // In the gesture, as browsers demand.
  wake() {
    audioContext().resume();
    takeTurn(this.giveUp);
  }

  placeIn(take, duration, seconds) {
    return this.bySecond || !this.take ? within(seconds, duration) : samePlace(this.take, take, seconds, duration);
  }

  // Let this take sound from where the last one is, in musical time, or from `from` seconds on.
  sound(take, from) {
    const sound = this.store.ready(take.k);
    const when = page.context.currentTime + LEAD;
    const loop = loopOf(this.loop, take, sound.duration, this.bySecond);
    let offset = from ?? this.placeIn(take, sound.duration, this.voice ? this.voice.at(when) : this.position);
    if (loop && (offset < loop.start || offset >= loop.end)) offset = loop.start;
    if (offset >= sound.duration - 0.02) offset = loop ? loop.start : 0;
    this.voice?.leave(when);
    if (this.take) this.store.unpin(this.take.k);
    this.store.pin(take.k);
    this.take = take;
    const gain = gainFor(this.store.measure(take.k), this.store.target());
    const voice = new Voice(sound, { when, offset, gain, loop, ended: () => this.voice === voice && this.ended() });
    this.voice = voice;
    this.changed();
  }

  // While nothing sounds the place moves along.
  rest(take) {
    if (this.take !== take) {
      this.position = this.placeIn(take, this.store.ready(take.k)?.duration || take.d || Infinity, this.position);
      this.take = take;
    }
    this.changed();
  }

  seek(seconds) {
    const place = Math.min(Math.max(0, seconds), Math.max(0, this.duration - 0.02));
    if (this.voice) this.sound(this.take, place);
    else this.position = place;
    this.changed();
  }

  setLoop(loop) {
    this.loop = loop;
    if (this.voice) this.sound(this.take, this.voice.at(page.context.currentTime + LEAD));
    this.changed();
  }

  adjust() {
    this.voice?.setGain(gainFor(this.store.measure(this.take.k), this.store.target()));
  }

  stop() {
    if (this.voice) {
      this.position = this.now();
      this.voice.leave(page.context.currentTime + 0.002);
      this.voice = null;
      this.store.unpin(this.take.k);
    }
    leaveTurn(this.giveUp);
    this.changed();
  }

  ended() {
    this.voice = null;
    this.position = 0;
    this.store.unpin(this.take.k);
    leaveTurn(this.giveUp);
    this.changed();
  }
}
