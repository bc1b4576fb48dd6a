// The page's half of finetuning.panels.deck. Text from the service is only ever set as textContent.

// What all decks of a page share: one audio context, one turn to sound, one bounded store of decoded sound.
const page = (globalThis[Symbol.for("finetuning.deck")] ??= {
  context: null,
  master: null, // everything that sounds goes through this one node
  cache: new Map(), // decoded sound, least recently heard first
  bytes: 0, // of it
  limit: 256 * 2 ** 20,
  pinned: new Set(), // what sounds is not let go
  users: new Map(), // how many views each deck has
  sounding: null, // whoever has the turn, as a function that gives it up
});

function audioContext() {
  if (!page.context) {
    page.context = new AudioContext();
    page.master = new GainNode(page.context);
    page.master.connect(page.context.destination);
  }
  return page.context;
}

function takeTurn(giveUp) {
  if (page.sounding !== giveUp) page.sounding?.();
  page.sounding = giveUp;
  for (const media of document.querySelectorAll("audio, video")) media.pause();
}

function leaveTurn(giveUp) {
  if (page.sounding === giveUp) page.sounding = null;
}

const sizeOf = (sound) => sound.length * sound.numberOfChannels * 4;

function letGo(key) {
  const sound = page.cache.get(key);
  page.bytes -= sizeOf(sound);
  page.cache.delete(key);
  // A browser collects garbage by the count of small objects, and these are few and large: their memory is given back
  // by hand, when the last fade is over. A clone that nobody takes frees what is transferred to it at once;
  // `ArrayBuffer.transfer` keeps it until the next collection.
  setTimeout(() => {
    const transfer = Array.from({ length: sound.numberOfChannels }, (_, channel) => sound.getChannelData(channel).buffer);
    try {
      structuredClone(null, { transfer });
    } catch {
      // This browser does not part with the memory of a sound; its next collection frees it.
    }
  }, 500);
}

function remember(key, sound) {
  if (page.cache.has(key)) letGo(key);
  page.cache.set(key, sound);
  page.bytes += sizeOf(sound);
  for (const oldest of [...page.cache.keys()]) {
    if (page.bytes <= page.limit) break;
    if (oldest !== key && !page.pinned.has(oldest)) letGo(oldest);
  }
}

function recall(key) {
  const sound = page.cache.get(key);
  if (sound) {
    page.cache.delete(key);
    page.cache.set(key, sound);
  }
  return sound;
}

function enter(deck) {
  page.users.set(deck, (page.users.get(deck) ?? 0) + 1);
}

function leave(deck) {
  const views = page.users.get(deck) - 1;
  if (views) {
    page.users.set(deck, views);
    return;
  }
  page.users.delete(deck);
  for (const key of [...page.cache.keys()]) if (key.startsWith(`${deck}/`)) letGo(key);
}
