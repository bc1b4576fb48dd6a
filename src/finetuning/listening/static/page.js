"use strict";
(() => {
  const STEP = 5; // seconds that an arrow winds
  const tracks = [...document.querySelectorAll(".track")];
  const said = document.querySelector(".said");
  let current = null;

  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds || 0));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };
  const parts = (track) => ({
    audio: track.querySelector("audio"),
    button: track.querySelector(".play"),
    seek: track.querySelector(".seek"),
    now: track.querySelector(".now"),
    heard: track.querySelector(".heard"),
    name: track.querySelector("h2").textContent,
    length: Number(track.dataset.duration),
  });
  const lengthOf = ({ audio, length }) => (Number.isFinite(audio.duration) ? audio.duration : length);

  const show = (track, at) => {
    const part = parts(track);
    const length = lengthOf(part);
    part.now.textContent = clock(at);
    part.seek.value = at;
    part.seek.setAttribute("aria-valuetext", `${clock(at)} of ${clock(length)}`);
    part.heard?.style.setProperty("--heard", `${length ? Math.min(100, (100 * at) / length) : 0}%`);
  };
  const choose = (track) => {
    current?.classList.remove("current");
    current = track;
    current.classList.add("current");
  };
  const play = (track) => {
    choose(track);
    parts(track).audio.play().catch(() => {}); // its error event tells
  };
  const toggle = (track) => {
    const { audio } = parts(track);
    if (audio.paused) play(track);
    else audio.pause();
  };
  const wind = (track, to) => {
    const part = parts(track);
    const at = Math.min(Math.max(0, to), lengthOf(part));
    if (part.audio.readyState > 0) part.audio.currentTime = at;
    else part.audio.addEventListener("loadedmetadata", () => (part.audio.currentTime = at), { once: true });
    if (part.audio.readyState === 0) part.audio.load();
    show(track, at);
  };
  const go = (by) => {
    const at = tracks.indexOf(current);
    const next = tracks[at < 0 ? 0 : at + by];
    if (!next) return;
    const goesOn = current && !parts(current).audio.paused;
    choose(next);
    next.scrollIntoView({ block: "nearest" });
    parts(next).button.focus({ preventScroll: true });
    if (goesOn) play(next);
  };

  for (const track of tracks) {
    const { audio, button, seek, name } = parts(track);
    button.addEventListener("click", () => toggle(track));
    seek.addEventListener("input", () => {
      choose(track);
      wind(track, Number(seek.value));
    });
    audio.addEventListener("play", () => {
      for (const other of tracks) if (other !== track) parts(other).audio.pause();
      choose(track);
      track.classList.add("playing");
      button.setAttribute("aria-pressed", "true");
      button.setAttribute("aria-label", `Pause ${name}`);
      said.textContent = `Playing ${name}`;
    });
    audio.addEventListener("pause", () => {
      track.classList.remove("playing");
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", `Play ${name}`);
    });
    audio.addEventListener("timeupdate", () => show(track, audio.currentTime));
    audio.addEventListener("ended", () => {
      show(track, 0);
      const next = tracks[tracks.indexOf(track) + 1];
      if (next) play(next);
    });
    audio.addEventListener("error", () => {
      if (track.querySelector(".broken")) return;
      const told = document.createElement("p");
      told.className = "broken";
      told.textContent = "This sound cannot be played. Is the folder “audio” beside this page?";
      track.append(told);
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !tracks.length) return;
    const inside = event.target.closest?.(".track");
    const track = inside ?? current ?? tracks[0];
    const { audio } = parts(track);
    if (event.key === " ") {
      if (event.target.closest?.("button, a")) return; // they have their own meaning for it
      toggle(track);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      wind(track, audio.currentTime + (event.key === "ArrowRight" ? STEP : -STEP));
    } else if (event.key === "ArrowDown") go(1);
    else if (event.key === "ArrowUp") go(-1);
    else return;
    event.preventDefault();
  });

  document.documentElement.classList.add("js");
})();
