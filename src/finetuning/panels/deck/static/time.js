// Musical time. A place is bars and beats from the beginning; seconds follow from a take's own tempo and meter.

const tempoOf = (take) => take.b || 120;
const meterOf = (take) => take.m || 4;
const barSeconds = (take) => (meterOf(take) * 60) / tempoOf(take);
const barsIn = (take, duration) => Math.max(1, Math.round(duration / barSeconds(take)));

// The same bar and beat of another take. A beat that its bars do not have becomes their last one, at the same
// fraction, so that the pulse goes on; behind its end the music starts over, whole bars on.
function samePlace(from, to, seconds, duration) {
  if (!from || from === to || !from.b || !to.b) return within(seconds, duration);
  const beats = (seconds * from.b) / 60;
  const bar = Math.floor(beats / meterOf(from) + 1e-9);
  let beat = beats - bar * meterOf(from);
  const last = meterOf(to) - 1;
  if (Math.floor(beat) > last) beat = last + (beat % 1);
  const place = ((bar * meterOf(to) + beat) * 60) / to.b;
  if (place < duration) return Math.max(0, place);
  const whole = Math.floor(duration / barSeconds(to)) * barSeconds(to);
  return whole > 0 ? place % whole : place % duration;
}

function within(seconds, duration) {
  return seconds < duration ? Math.max(0, seconds) : seconds % duration;
}

// A loop is kept in bars, and in the seconds that these were when it was set.
function loopOf(bars, take, duration, bySecond) {
  if (!bars) return null;
  const [start, end] = bySecond ? bars.seconds : bars.bars.map((bar) => bar * barSeconds(take));
  return start < duration - 0.05 && end > start ? { start, end: Math.min(end, duration) } : null;
}

function placeName(take, seconds) {
  if (!take.b) return clock(seconds);
  const beats = (seconds * take.b) / 60 + 1e-6;
  const bar = Math.floor(beats / meterOf(take));
  return `${clock(seconds)} · bar ${bar + 1}.${Math.floor(beats - bar * meterOf(take)) + 1}`;
}
