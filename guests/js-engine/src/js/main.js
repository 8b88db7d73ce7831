// The global objects of scripts, and what the server's calls become.

import native from 'httpout:native';
import 'httpout:warm';
import * as gpaccore from 'httpout:gpaccore';
import { constants } from 'httpout:constants';
import { console, print, warn } from 'httpout:console';
import { TextDecoder, TextEncoder } from 'httpout:encoding';
import { HTTPOutRequest } from 'httpout:request';
import { attach, session } from 'httpout:session';
import { structuredClone } from 'httpout:clone';
import * as timers from 'httpout:timers';
import { URL, URLSearchParams } from 'httpout:url';
import { atob, btoa, crypto } from 'httpout:web';

export { run_timers } from 'httpout:timers';

/** The documented object: scripts give it their `on_request`. */
const httpout = {};

/** What answers: `httpout`, or what a session has bound to it. */
let handler = httpout;

const { clearInterval, clearTimeout, setInterval, setTimeout } = timers;
const { Bitstream, File, SHA1, Sys } = gpaccore;

const globals = {
  httpout, session, print, console,
  error_string: native.error_string,
  ...constants,
  // Modules' names, which the document's samples use without importing them.
  Bitstream, File, SHA1, Sys,
  clearInterval, clearTimeout, setInterval, setTimeout,
  // That of QuickJS counts from when it was started, before the snapshot.
  performance: { now: native.now },
  TextDecoder, TextEncoder, URL, URLSearchParams, atob, btoa, crypto, structuredClone,
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

// QuickJS seeds its own once, before the snapshot that all requests begin with.
Math.random = native.random;

/** After the script has run: whether there is something to answer with. */
export function find_handler() {
  handler = attach(httpout);
  return typeof handler?.on_request === 'function';
}

/** The object of a request. */
export function new_request(exchange) {
  return new HTTPOutRequest(exchange);
}

export function on_request(request) {
  handler.on_request(request);
}

/** At most `buffer.byteLength` bytes; 0 is the end, less than 0 that there are none yet. */
export function read(request, buffer) {
  const count = request.read(buffer);
  if (typeof count !== 'number' || !(count <= buffer.byteLength)) {
    throw new TypeError(
      `request.read returned ${describe(count)}, not how many of ${buffer.byteLength} bytes it has filled`);
  }
  return count;
}

/** Bytes of the request's body; null is the end. */
export function write(request, buffer = null) {
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
  request.close(code);
}

function is_about_null(error) {
  return error instanceof TypeError && /\bof null$/.test(error.message);
}

function describe(value) {
  return value instanceof Promise ? 'a promise' : typeof value === 'number' ? value : typeof value;
}
