// Plays what is live on this server with dash.js, hls.js or the browser itself, and tells how far behind it is.
'use strict';

const $ = (id) => document.getElementById(id);
const video = $('video');
const form = $('choice');

const CLOCK = new URL('time', location.href).href;
const EVENTS_SHOWN = 100;
const MINUTE = 60_000;

// What is chosen, by the query: /_/player?src=/live/ll.mpd&engine=hls&target=1.5
const query = new URLSearchParams(location.search);
const chosen = {
  src: query.get('src') || '',
  engine: query.get('engine') || '',
  target: Number(query.get('target')) || null,
};

// What is counted, also for those who watch this page.
const figures = {
  state: 'idle', engine: null, latency: null, target: null, buffer: 0, rate: 1, dropped: 0, frames: 0,
  stalls: 0, stalledFor: 0, errors: [], refused: 0, attached: 0, clockOffset: null,
};
window.figures = figures;

// ---- the page ----

function setState(state, text) {
  figures.state = state;
  $('state').dataset.state = state;
  $('state').textContent = text;
}

function notice(text) {
  $('notice').textContent = text || '';
  $('notice').hidden = !text;
}

function tell(text, isBad) {
  const row = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toTimeString().slice(0, 8);
  row.append(time, text);
  row.classList.toggle('bad', Boolean(isBad));
  const events = $('events');
  events.prepend(row);
  if (events.childElementCount > EVENTS_SHOWN) events.lastElementChild.remove();
}

let lastError = '';
function fail(text) {
  figures.errors.push(text);
  if (figures.errors.length > EVENTS_SHOWN) figures.errors.shift();
  // One that comes again and again is told once.
  if (text !== lastError) tell(text, true);
  lastError = text;
}

// ---- the clock of the server ----

// The offset of the answer that came fastest is nearest to the truth.
async function readClock() {
  let best = Infinity;
  for (let round = 0; round < 5; round += 1) {
    try {
      const before = Date.now();
      const start = performance.now();
      const answer = await fetch(CLOCK, { cache: 'no-store' });
      const took = performance.now() - start;
      const time = Date.parse(await answer.text());
      if (answer.ok && took < best && Number.isFinite(time)) {
        best = took;
        figures.clockOffset = time - (before + took / 2);
      }
    } catch {
      return;
    }
  }
}

const now = () => Date.now() + (figures.clockOffset || 0);

// ---- the players ----

const loaded = new Map();

// Loads a library of ours once.
function library(name) {
  if (!loaded.has(name)) {
    loaded.set(name, new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = `player/${name}`;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${name} cannot be loaded`));
      document.head.append(script);
    }));
    loaded.get(name).catch(() => loaded.delete(name));
  }
  return loaded.get(name);
}

const LACKING = 'this httpout was built without its players: `cargo xtask build` fetches them, with npm';

// Each tells its latency() and target(), and what it does at the end(). While nothing comes it is asked for patience(), and
// given up after lastPatience, in ms.
async function dashEngine(src) {
  await library('dash.js');
  if (!window.dashjs) throw new Error(LACKING);
  const player = dashjs.MediaPlayer().create();
  const events = dashjs.MediaPlayer.events;
  let availabilityStart = null;
  player.initialize();
  player.updateSettings({
    streaming: {
      applyServiceDescription: chosen.target === null,
      delay: { liveDelay: chosen.target ?? NaN },
      liveCatchup: { enabled: true },
    },
  });
  player.clearDefaultUTCTimingSources();
  player.addUTCTimingSource('urn:mpeg:dash:utc:http-iso:2014', CLOCK);
  player.on(events.ERROR, ({ error }) => {
    fail(`dash.js: ${error?.message || error?.code || error}`);
    const lost = [dashjs.MediaPlayer.errors.MANIFEST_LOADER_LOADING_FAILURE_ERROR_CODE,
      dashjs.MediaPlayer.errors.MANIFEST_LOADER_PARSING_FAILURE_ERROR_CODE,
      dashjs.MediaPlayer.errors.DOWNLOAD_ERROR_ID_MANIFEST_CODE];
    if (lost.includes(error?.code)) setTimeout(start, 1000);
  });
  player.on(events.MANIFEST_LOADED, ({ data }) => {
    const begin = data?.availabilityStartTime ? Number(new Date(data.availabilityStartTime)) : null;
    if (availabilityStart !== null && begin !== null && begin !== availabilityStart) {
      // Another run of the encoder: dash.js would compute with the begin of the first.
      tell('the encoder has started again');
      setTimeout(() => player.attachSource(src), 0);
    }
    availabilityStart = begin ?? availabilityStart;
  });
  player.attachView(video);
  player.setAutoPlay(true);
  player.attachSource(src);
  return {
    name: `dash.js ${player.getVersion()}`,
    latency: () => player.getCurrentLiveLatency(),
    target: () => player.getTargetLiveDelay(),
    // A manifest may say that it need not be asked for again for minutes.
    patience: () => player.refreshManifest(() => {}),
    lastPatience: 2500,
    // Without destroy(): what it has under way would set the pace of a video that it has no more.
    end: () => player.attachSource(null),
  };
}

async function hlsEngine(src) {
  await library('hls.js');
  if (!window.Hls) throw new Error(LACKING);
  if (!Hls.isSupported()) throw new Error('this browser has no Media Source Extensions');
  const hls = new Hls({
    lowLatencyMode: true,
    maxLiveSyncPlaybackRate: 1.5,
    // Seconds by which a stall puts it back: those of an encoder that is started again are no sign of a slow line.
    liveSyncOnStallIncrease: 0.1,
    ...(chosen.target === null ? {} : { liveSyncDuration: chosen.target, liveMaxLatencyDuration: chosen.target + 4 }),
  });
  // Farther behind, in segments, it goes to the live edge. As an option it would take the place of what the playlist says.
  hls.config.liveMaxLatencyDurationCount = 2;
  hls.on(Hls.Events.ERROR, (_, data) => {
    const status = data.response?.code ? ` (${data.response.code})` : '';
    fail(`hls.js: ${data.details}${status}${data.fatal ? ', fatal' : ''}`);
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else setTimeout(start, 1000);
  });
  hls.loadSource(src);
  hls.attachMedia(video);
  return {
    name: `hls.js ${Hls.version}`,
    // By the date of the picture. It cannot be nearer to the camera than to the live edge, whatever an encoder's clock says.
    latency: () => Math.max(hls.latency, hls.playingDate ? (now() - hls.playingDate) / 1000 : 0),
    target: () => hls.targetLatency,
    // It asks by itself; asked to, it would give up the answer that the server holds back for it.
    patience: () => {},
    lastPatience: 8000,
    end: () => hls.destroy(),
  };
}

async function nativeEngine(src) {
  video.src = src;
  return {
    name: 'the browser',
    latency: () => null,
    target: () => null,
    patience: () => {},
    lastPatience: 8000,
    end: () => { video.removeAttribute('src'); video.load(); },
  };
}

const ENGINES = { dash: dashEngine, hls: hlsEngine, native: nativeEngine };

function engineOf(src) {
  const path = src.split(/[?#]/)[0];
  if (path.endsWith('.mpd')) return 'dash';
  return path.endsWith('.m3u8') ? 'hls' : 'native';
}

let engine = null;
let turn = 0;

// Plays from the begin: as soon as there is something to play, which may be later.
async function start() {
  turn += 1;
  const mine = turn;
  engine?.end();
  engine = null;
  figures.latency = null;
  if (!chosen.src) return;
  // Players take it relative to the page.
  const src = new URL(chosen.src, location.href).href;
  if (new URL(src).origin !== location.origin) {
    setState('failed', 'not of this server');
    notice('only what this server has can be played here');
    return;
  }
  setState('waiting', 'waiting');
  if (!await isThere(src, () => mine === turn)) return;
  try {
    const begun = await ENGINES[chosen.engine || engineOf(src)](src);
    if (mine !== turn) {
      begun.end();
      return;
    }
    engine = begun;
    figures.engine = begun.name;
    figures.attached += 1;
    $('engine').textContent = begun.name;
    tell(`${begun.name} plays ${chosen.src}`);
  } catch (error) {
    fail(error.message);
    setState('failed', 'cannot play');
    notice(error.message);
  }
}

// Asks until the server has it, which it may learn from an encoder that is started later.
async function isThere(src, isWanted) {
  while (isWanted()) {
    try {
      const answer = await fetch(src, { method: 'HEAD', cache: 'no-store' });
      if (answer.ok) {
        if (performance.now() - refusedAt > 10_000) notice('');
        return isWanted();
      }
      if (answer.status === 503) sayWhyRefused();
      else if (answer.status === 404) notice(`${chosen.src} is not there yet: push to it with one of the lines below`);
      else notice(`${chosen.src}: the server answers ${answer.status} ${answer.statusText}`);
    } catch {
      notice('the server does not answer');
    }
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
  return false;
}

const TOO_MANY = 'the server turns connections away (503). Browser and encoder on one host need more than the six that a ' +
  'client gets: start it with --maxp=32, or --maxp=0 for no limit';

let refusedAt = -Infinity;

function sayWhyRefused() {
  if (performance.now() - refusedAt > MINUTE) tell(TOO_MANY, true);
  refusedAt = performance.now();
  notice(TOO_MANY);
}

// ---- what the browser tells ----

// Answers to the players' own requests: they do not say what they were.
new PerformanceObserver((list) => {
  const refused = list.getEntries().filter((entry) => entry.responseStatus === 503);
  if (refused.length === 0) return;
  sayWhyRefused();
  figures.refused += refused.length;
}).observe({ type: 'resource', buffered: true });

let stalledSince = null;
let hasPlayed = false;

video.addEventListener('playing', () => {
  if (stalledSince !== null) {
    const took = (performance.now() - stalledSince) / 1000;
    stalledSince = null;
    figures.stalledFor += took;
    tell(`plays on after ${took.toFixed(1)} s`);
  }
  hasPlayed = true;
  lastError = '';
  notice('');
  setState('playing', 'playing');
});

video.addEventListener('waiting', () => {
  if (!hasPlayed || stalledSince !== null) return;
  stalledSince = performance.now();
  figures.stalls += 1;
  setState('waiting', 'waiting for media');
});

video.addEventListener('error', () => fail(`the browser: ${video.error?.message || 'cannot play this'}`));

// ---- figures ----

const history = [];

const seconds = (value) => (Number.isFinite(value) ? `${value.toFixed(2)} s` : '–');

function buffered() {
  const ranges = video.buffered;
  for (let index = 0; index < ranges.length; index += 1) {
    if (ranges.start(index) <= video.currentTime && video.currentTime <= ranges.end(index)) {
      return ranges.end(index) - video.currentTime;
    }
  }
  return 0;
}

function update() {
  const quality = video.getVideoPlaybackQuality();
  const known = (value) => (Number.isFinite(value) && value > 0 ? value : null);
  figures.latency = engine && video.readyState >= 2 ? known(engine.latency()) : null;
  figures.target = engine ? known(engine.target()) : null;
  figures.buffer = buffered();
  figures.rate = video.playbackRate;
  figures.dropped = quality.droppedVideoFrames;
  figures.frames = quality.totalVideoFrames;
  $('latency').textContent = seconds(figures.latency ?? NaN);
  $('against').textContent = figures.target ? `target ${figures.target.toFixed(2)} s` : '';
  $('buffer').textContent = seconds(figures.buffer);
  $('rate').textContent = `${figures.rate.toFixed(2)} ×`;
  $('picture').textContent = video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '–';
  $('dropped').textContent = `${figures.dropped} of ${figures.frames}`;
  $('stalls').textContent = figures.stalls ? `${figures.stalls}, ${figures.stalledFor.toFixed(1)} s` : '0';
  $('errors').textContent = figures.errors.length + (figures.refused ? ` and ${figures.refused} × 503` : '');
  const offset = figures.clockOffset;
  $('clock').textContent = offset === null ? '–' : `${offset < 0 ? '−' : '+'}${Math.abs(offset).toFixed(0)} ms to ours`;
  history.push({ at: Date.now(), latency: figures.latency, buffer: figures.buffer });
  while (history[0].at < Date.now() - MINUTE) history.shift();
  draw();
}

function draw() {
  const canvas = $('graph');
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const highest = Math.max(2, ...history.map(({ latency, buffer }) => Math.max(latency || 0, buffer)));
  const top = Math.ceil(highest);
  context.clearRect(0, 0, width, height);
  context.font = '20px system-ui, sans-serif';
  context.fillStyle = style.borderTopColor;
  context.strokeStyle = style.borderTopColor;
  context.lineWidth = 1;
  for (const value of [0, top / 2, top]) {
    const y = Math.round((height - 24) * (1 - value / top)) + 12;
    context.globalAlpha = 0.4;
    context.beginPath();
    context.moveTo(48, y);
    context.lineTo(width, y);
    context.stroke();
    context.globalAlpha = 1;
    context.fillText(`${value} s`, 0, y + 7);
  }
  const line = (key, colour) => {
    context.strokeStyle = colour;
    context.lineWidth = 3;
    context.beginPath();
    let isDown = false;
    for (const point of history) {
      const value = point[key];
      if (value === null) {
        isDown = false;
        continue;
      }
      const x = 48 + (width - 48) * (1 - (Date.now() - point.at) / MINUTE);
      const y = (height - 24) * (1 - value / top) + 12;
      if (isDown) context.lineTo(x, y);
      else context.moveTo(x, y);
      isDown = true;
    }
    context.stroke();
  };
  line('buffer', style.borderTopColor);
  line('latency', style.color);
}

// While nothing comes, the player is made to look again. When that does not help though the encoder is at work, it begins
// anew: while there is none, it would only take in what it has shown already.
const PATIENCE = 1000;
let askedAt = 0;
let stuckSince = null;
let writtenSince = null;

function watch() {
  const at = performance.now();
  if (!engine || (video.readyState > 2 && !video.ended)) {
    stuckSince = null;
    return;
  }
  stuckSince ??= at;
  if (writtenSince !== null && at - Math.max(stuckSince, writtenSince) > engine.lastPatience) {
    stuckSince = null;
    startWhatIsLive();
  } else if (at - stuckSince > PATIENCE && at - askedAt > PATIENCE) {
    askedAt = at;
    engine.patience();
    list();
  }
}

// What an encoder has ended is not begun anew: it has been shown.
async function startWhatIsLive() {
  const mine = turn;
  try {
    const answer = await fetch(manifestOf(chosen.src), { cache: 'no-store' });
    if (/type="static"|#EXT-X-ENDLIST/.test(await answer.text())) return;
  } catch {
    return;
  }
  if (mine === turn) start();
}

function manifestOf(src) {
  return src.replace(/\.m3u8$/, '.mpd');
}

// Notes whether an encoder writes what is played: it writes a manifest with each segment, once at least. Playlists are made
// of what it writes.
function noteWritten(presentations) {
  const manifest = manifestOf(chosen.src);
  const own = presentations.find(({ path }) => path === chosen.src || path === manifest);
  if (own && own.age < 3) writtenSince ??= performance.now();
  else writtenSince = null;
}

// ---- what there is to play, and how to push ----

async function list() {
  let presentations = [];
  try {
    const answer = await fetch('player/presentations', { cache: 'no-store' });
    if (answer.status === 503) sayWhyRefused();
    if (!answer.ok) return;
    presentations = await answer.json();
    noteWritten(presentations);
  } catch {
    return;
  }
  const link = (src, text) => Object.assign(document.createElement('a'), {
    href: `?${new URLSearchParams({ src })}`,
    textContent: text,
  });
  const paths = new Set(presentations.map(({ path }) => path));
  const rows = presentations.map(({ path, age }) => {
    const row = document.createElement('li');
    const written = document.createElement('span');
    written.className = 'quiet';
    written.textContent = age < 10 ? 'being written' : `written ${ago(age)} ago`;
    row.append(link(path, decodeURI(path)), written);
    // Live DASH is there as HLS too, unless an encoder makes that itself.
    const playlist = path.replace(/\.mpd$/, '.m3u8');
    if (age < 10 && !paths.has(playlist)) written.before(link(playlist, 'as HLS'));
    return row;
  });
  if (rows.length > 0) $('presentations').replaceChildren(...rows);
  $('known').replaceChildren(...presentations.map(({ path }) => Object.assign(document.createElement('option'), { value: path })));
  // Without a choice, the latest that an encoder writes.
  if (!chosen.src && presentations[0]?.age < 10) {
    chosen.src = presentations[0].path;
    show();
    start();
  }
}

function ago(age) {
  for (const [unit, length] of [['d', 86400], ['h', 3600], ['min', 60]]) {
    if (age >= length) return `${Math.floor(age / length)} ${unit}`;
  }
  return `${Math.floor(age)} s`;
}

function show() {
  form.src.value = chosen.src;
  form.engine.value = chosen.engine;
  const target = chosen.target === null ? '' : String(chosen.target);
  if (![...form.target.options].some(({ value }) => value === target)) form.target.add(new Option(`${target} s`, target));
  form.target.value = target;
  const url = new URL(chosen.src || '/live/ll.mpd', location.href).href;
  $('target-url').textContent = new URL(url).pathname.replace(/\.m3u8$/, '.mpd');
  $('lines').replaceChildren(...pushLines(url, chosen.target ?? 1.5).map(({ title, text }) => {
    const box = document.createElement('div');
    box.className = 'line';
    const head = document.createElement('div');
    const copy = document.createElement('button');
    const shown = document.createElement('pre');
    shown.textContent = text;
    copy.textContent = 'Copy';
    copy.addEventListener('click', () => copied(text, shown, copy));
    head.append(title, copy);
    box.append(head, shown);
    return box;
  }));
}

async function copied(text, shown, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  } catch {
    // Without TLS there is no clipboard but on this host: it is marked, ready for Ctrl-C.
    getSelection().selectAllChildren(shown);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = new URLSearchParams();
  for (const name of ['src', 'engine', 'target']) {
    if (form[name].value) wanted.set(name, form[name].value);
  }
  location.search = wanted;
});

show();
readClock().then(start);
list();
setInterval(update, 250);
setInterval(watch, 250);
setInterval(list, 5000);
setInterval(readClock, MINUTE);
