// Bodies of messages: what they may be, and bytes and text of them.

import native from 'httpout:native';
import { URLSearchParams } from 'httpout:url';

/** Bytes of a text, a buffer or a view. */
export function bytes_of(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'string' || value instanceof URLSearchParams) {
    return new Uint8Array(native.utf8_encode(String(value).toWellFormed()));
  }
  throw new TypeError(`${describe(value)} is no part of a body: give text, an ArrayBuffer or a view`);
}

/** Without what begins a file in UTF-8. */
export function text_of(bytes) {
  return native.utf8_decode(bytes, false, true)[0].replace(/^\ufeff/, '');
}

/** All pieces in one. */
export function join(pieces) {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Whether it comes by pieces. */
export function is_iterable(body) {
  return typeof body === 'object' && body !== null && !ArrayBuffer.isView(body) && !(body instanceof URLSearchParams)
    && (Symbol.asyncIterator in body || Symbol.iterator in body);
}

/** The media type that a body says by itself. */
export function type_of(body) {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return 'application/x-www-form-urlencoded;charset=UTF-8';
  return null;
}

/** What can be a body, or an error that says what it is. */
export function check(body) {
  if (body == null || typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body)
    || body instanceof URLSearchParams || is_iterable(body)) return body ?? null;
  throw new TypeError(`${describe(body)} is no body: give text, bytes or an iterator of them, or \`json\``);
}

function describe(value) {
  return typeof value === 'object' ? `an object (${value?.constructor?.name ?? value})` : `a ${typeof value}`;
}
