// Timers. The server awaits the next one while no script runs, then calls.

import native from 'httpout:native';

/** By time, then in the order in which they were set. */
let timers = own([]);
let last_id = 0;

/** Those that the script has set while it was loaded, with the time that is left. */
let posted = own([]);

/** What a timer waits at least when it comes again and again, in ms. */
const SHORTEST_INTERVAL = 1;

export function setTimeout(callback, delay = 0, ...values) {
  return add(callback, values, number(delay), null);
}

export function setInterval(callback, delay = 0, ...values) {
  const interval = Math.max(number(delay), SHORTEST_INTERVAL);
  return add(callback, values, interval, interval);
}

export function clearTimeout(id) {
  posted = own(posted.filter((timer) => timer.id !== id));
  const index = timers.findIndex((timer) => timer.id === id);
  if (index < 0) return;
  timers.splice(index, 1);
  set_alarm();
}

export const clearInterval = clearTimeout;

/** The script is loaded: its timers are not those of the requests that begin with this memory. */
export function put_aside() {
  const now = native.now();
  posted = own(timers.map((timer) => ({ ...timer, at: Math.max(timer.at - now, 0) })));
  forget_timers();
}

/** This instance serves no request: what was put aside runs here. */
export function begin_background() {
  const now = native.now();
  for (let timer = posted.shift(); timer; timer = posted.shift()) insert({ ...timer, at: now + timer.at });
  set_alarm();
}

/** Forgets all that were set. */
export function forget_timers() {
  timers = own([]);
  set_alarm();
}

/** Runs those that are due; those that they set come later. Where one throws, the others run in the next call. */
export function run_timers() {
  const now = native.now();
  const newest = last_id;
  try {
    for (let timer = next(now, newest); timer; timer = next(now, newest)) {
      if (timer.interval !== null) insert({ ...timer, at: now + timer.interval });
      Reflect.apply(timer.callback, undefined, timer.values);
    }
  } finally {
    set_alarm();
  }
}

function add(callback, values, delay, interval) {
  if (typeof callback !== 'function') throw new TypeError('a timer needs a function to call');
  const id = ++last_id;
  insert({ id, at: native.now() + delay, interval, callback, values });
  set_alarm();
  return id;
}

function insert(timer) {
  const later = timers.findLastIndex((other) => other.at <= timer.at);
  timers.splice(later + 1, 0, timer);
}

/** Takes the first one that is due and not newer than that. */
function next(now, newest) {
  const index = timers.findIndex((timer) => timer.at > now || timer.id <= newest);
  return index >= 0 && timers[index].at <= now ? timers.splice(index, 1)[0] : undefined;
}

function set_alarm() {
  native.set_alarm(timers[0]?.at);
}

function number(delay) {
  const milliseconds = Number(delay);
  return milliseconds > 0 ? Math.min(milliseconds, Number.MAX_SAFE_INTEGER) : 0;
}
