// All that is typed and chosen; it is read, filled and judged together.

function makeForm(choices, changed) {
  const controls = {
    tags: texts(choices.tags_max, { rows: 2, noun: "tags", placeholder: "lofi chill piano, rainy evening", changed }),
    lyrics: texts(choices.lyrics_max, { rows: 4, noun: "lyrics", placeholder: "Words to sing; none for an instrumental", changed }),
    bpm: series(choices.bpm, { unit: "bpm", step: 10, changed, label: "72, 80, ..., 104" }),
    key: keyboard(choices.key, changed),
    scale: toggles(choices.scale, { changed }),
    time_signature: toggles(choices.time_signature, { changed }),
    duration: line("text", { class: "ft-list ft-short", placeholder: "left open" }, () => (slider.value = parts(controls.duration.get()).at(-1) || slider.min, changed())),
    energy: toggles(choices.energy, { changed }),
    seed: seeds(changed),
    language: toggles(choices.language, { kind: "ft-tiny", changed }),
    replicate: line("number", { class: "ft-number", min: 1, max: 100, placeholder: "1" }, changed),
    name: line("text", { class: "ft-short", placeholder: "made of tags and time" }, changed),
    max_credits: line("number", { class: "ft-number", min: 1, placeholder: "all" }, changed),
  };
  const slider = keep(make("input", { type: "range", class: "ft-slide", min: choices.duration[0], max: choices.duration[1], step: 1, "aria-label": "Length in seconds, slider", oninput: () => {
    controls.duration.set(slider.value);
    changed();
  } }));

  const fold = (title, ...inside) => {
    const summary = keep(make("summary", { text: title }));
    return make("details", { class: "ft-fold" }, summary, ...inside.map((each) => each.element));
  };
  const length = make("div", { class: "ft-duration" }, slider, controls.duration.element, make("span", { class: "ft-unit", text: "s" }));
  const fields = {
    tags: field("tags", "Tags", controls.tags.element),
    lyrics: field("lyrics", "Lyrics", controls.lyrics.element),
    bpm: field("bpm", "Tempo", controls.bpm.element),
    key: field("key", "Key", controls.key.element, { group: true }),
    scale: field("scale", "Scale", controls.scale.element, { group: true }),
    time_signature: field("time_signature", "Metre", controls.time_signature.element, { group: true }),
    energy: field("energy", "Energy", controls.energy.element, { group: true }),
    duration: field("duration", "Length", length, { counted: true }),
    seed: field("seed", "Seeds", controls.seed.element, { group: true }),
    language: field("language", "Language", controls.language.element, { group: true }),
    replicate: field("replicate", "Repeats", controls.replicate.element),
    name: field("name", "Run name", controls.name.element),
    max_credits: field("max_credits", "Credits at most", controls.max_credits.element),
  };
  fields.duration.element.querySelector("label").htmlFor = controls.duration.element.id = `ft-length-${(ids.last += 1)}`;
  const lyrics = fold("Lyrics", fields.lyrics);
  const more = fold("More", fields.language, fields.replicate, fields.name, fields.max_credits);
  more.classList.add("ft-more");

  const element = make("div", { class: "ft-form" },
    fields.tags.element,
    lyrics,
    fields.bpm.element,
    make("div", { class: "ft-pair" }, fields.key.element,
      make("div", { class: "ft-stack" }, fields.scale.element, fields.time_signature.element, fields.energy.element)),
    fields.duration.element,
    fields.seed.element,
    more,
  );

  return {
    element,
    gather: () => Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.get()])),
    fill(inputs) {
      for (const [name, control] of Object.entries(controls)) control.set(inputs[name]);
      slider.value = parts(String(inputs.duration)).at(-1) || slider.min;
      lyrics.open = lyrics.open || inputs.lyrics.some(Boolean);
      more.open = more.open || Boolean(inputs.language.length || inputs.replicate || inputs.name || inputs.max_credits);
    },
    judge(verdict) {
      for (const each of Object.values(fields)) each.judge(verdict);
      controls.bpm.count(verdict.counts?.bpm);
    },
  };
}
