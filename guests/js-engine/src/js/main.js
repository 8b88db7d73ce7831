// The global objects of scripts, and what the server's calls become.

import native from 'httpout:native';
import 'httpout:warm';
import * as gpaccore from 'httpout:gpaccore';
import { AbortController, AbortSignal } from 'httpout:abort';
import { constants } from 'httpout:constants';
import { console, print, warn } from 'httpout:console';
import { TextDecoder, TextEncoder } from 'httpout:encoding';
import { fetch } from 'httpout:fetch';
import { begin_watch, read_with } from 'httpout:globals';
import { Headers } from 'httpout:headers';
import { metrics } from 'httpout:metrics';
import { HTTPOutRequest, end, read_body, write_body } from 'httpout:request';
import { Response } from 'httpout:response';
import { attach, session } from 'httpout:session';
import { state } from 'httpout:state';
import { structuredClone } from 'httpout:clone';
import * as timers from 'httpout:timers';
import { URL, URLSearchParams } from 'httpout:url';
import { forget_waits } from 'httpout:waits';
import { atob, btoa, crypto, performance } from 'httpout:web';

export { begin_background, put_aside, run_timers } from 'httpout:timers';
export { run_waits } from 'httpout:waits';
export { watch_globals, written_globals } from 'httpout:globals';

/** The documented object: scripts give it their `on_request`. */
const httpout = {};

/** What answers: `httpout`, or what a session has bound to it. */
let handler = httpout;

const { clearInterval, clearTimeout, setInterval, setTimeout } = timers;
const { Bitstream, File, SHA1, Sys } = gpaccore;

/** What the script is told: of values with the same name the first. All of them, in order, come of walking through it. */
const pairs = native.config();
const config = Object.create(null);
for (const [name, value] of pairs) config[name] ??= value;
Object.defineProperty(config, Symbol.iterator, { value: () => pairs.values() });
Object.freeze(config);

const globals = {
  httpout, session, print, console,
  error_string: native.error_string,
  ...constants,
  // Modules' names, which the document's samples use without importing them.
  Bitstream, File, SHA1, Sys,
  clearInterval, clearTimeout, setInterval, setTimeout,
  AbortController, AbortSignal, Headers, Response, config, fetch, metrics, state,
  performance, TextDecoder, TextEncoder, URL, URLSearchParams, atob, btoa, crypto, structuredClone,
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

// QuickJS seeds its own once, before the snapshot that all requests begin with.
globalThis.Math.random = native.random;

globalThis.__httpout_read_with = read_with;
begin_watch();

/** After the script has run: whether there is something to answer with. */
export function find_handler() {
  handler = attach(httpout);
  return typeof handler?.on_request === 'function';
}

/** A request is over: what it has left behind must not run in the next one of this instance. */
export function end_request() {
  timers.forget_timers();
  forget_waits();
}

/** The object of a request. */
export function new_request(exchange) {
  return new HTTPOutRequest(exchange);
}

export function on_request(request) {
  const result = handler.on_request(request);
  if (result !== undefined) reply_with(request, result);
}

/** Handlers may also give a Response, or a promise of one. */
function reply_with(request, result) {
  if (result instanceof Response) request.respond(result);
  else if (result instanceof Promise) result.then((value) => value instanceof Response && request.respond(value));
}

/** At most `buffer.byteLength` bytes; 0 is the end, less than 0 that there are none yet. */
export function read(request, buffer) {
  const of_iterator = read_body(request, buffer);
  if (of_iterator !== undefined) return of_iterator;
  const count = request.read(buffer);
  if (typeof count !== 'number' || !(count <= buffer.byteLength)) {
    throw new TypeError(
      `request.read returned ${describe(count)}, not how many of ${buffer.byteLength} bytes it has filled`);
  }
  return Math.max(count, -1);
}

/** Bytes of the request's body; null is the end. */
export function write(request, buffer = null) {
  if (write_body(request, buffer)) return;
  try {
    request.write(buffer);
  } catch (error) {
    // The document's sample does not look for the end.
    if (buffer !== null || !is_about_null(error)) throw error;
    warn(`request.write does not know null, the end of the body: ${error.message}`);
  }
  // A refusal ends the body before its end.
  if (buffer === null || request.reply >= 400) request.update();
}

/** Microseconds to wait before the next block. */
export function throttle(request, done, total) {
  const delay = request.throttle(done, total) ?? 0;
  if (typeof delay !== 'number') {
    throw new TypeError(`request.throttle returned ${describe(delay)}, not a number of microseconds`);
  }
  return delay;
}

export function close(request, code) {
  if (typeof request.close === 'function') request.close(code);
  return end(request);
}

function is_about_null(error) {
  return error instanceof TypeError && /\bof null$/.test(error.message);
}

function describe(value) {
  return value instanceof Promise ? 'a promise' : typeof value === 'number' ? value : typeof value;
}
