// One take sounding: a source, a fade in, a fade out, a gain. Each fade has its own node, so that no two ever meet.

const FADE = 0.012; // seconds, equal power
const STEPS = 32;
const RISE = Float32Array.from({ length: STEPS }, (_, step) => Math.sin((step / (STEPS - 1)) * (Math.PI / 2)));
const FALL = RISE.slice().reverse();

class Voice {
  constructor(sound, { when, offset, gain, loop, ended }) {
    const context = page.context;
    this.when = when;
    this.offset = offset;
    this.loop = loop;
    this.duration = sound.duration;
    this.source = new AudioBufferSourceNode(context, { buffer: sound });
    if (loop) Object.assign(this.source, { loop: true, loopStart: loop.start, loopEnd: loop.end });
    this.rise = new GainNode(context, { gain: 0 });
    this.fall = new GainNode(context, { gain: 1 });
    this.trim = new GainNode(context, { gain });
    this.source.connect(this.rise).connect(this.fall).connect(this.trim).connect(page.master);
    this.rise.gain.setValueCurveAtTime(RISE, when, FADE);
    this.source.start(when, offset);
    this.source.onended = () => {
      this.trim.disconnect();
      this.source.buffer = null; // the sound may be let go at once
      if (!this.leaving) ended();
    };
  }

  // Seconds into the take at a moment of the audio clock.
  at(moment) {
    const place = this.offset + Math.max(0, moment - this.when);
    if (!this.loop) return Math.min(place, this.duration);
    const { start, end } = this.loop;
    return place < end ? place : start + ((place - start) % (end - start));
  }

  leave(when) {
    if (this.leaving) return;
    this.leaving = true;
    this.fall.gain.setValueCurveAtTime(FALL, when, FADE);
    this.source.stop(when + FADE + 0.005);
  }

  setGain(gain) {
    this.trim.gain.setTargetAtTime(gain, page.context.currentTime, 0.1);
  }
}
