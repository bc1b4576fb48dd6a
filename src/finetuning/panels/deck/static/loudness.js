// Takes are compared at the same loudness: -16 LUFS, or that of the quietest where raising it further would make its
// peaks exceed full scale.

const TARGET = -16; // LUFS
const FAINTEST = -36; // LUFS: a take that is all but silent does not silence the others

function targetLoudness(measures) {
  let target = TARGET;
  for (const { loudness, peak } of measures) {
    if (loudness != null && peak != null) target = Math.min(target, Math.max(FAINTEST, loudness - peak));
  }
  return target;
}

function gainFor(measure, target) {
  if (measure?.loudness == null || measure.peak == null) return 1;
  return 10 ** (Math.min(target - measure.loudness, -measure.peak) / 20);
}
