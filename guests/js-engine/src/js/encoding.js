// TextEncoder, of UTF-8, and TextDecoder.

import native from 'httpout:native';

export class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(text = '') {
    return new Uint8Array(native.utf8_encode(String(text).toWellFormed()));
  }

  /** As many whole characters as the array has room for. */
  encodeInto(text, array) {
    let read = 0, written = 0;
    for (const character of String(text).toWellFormed()) {
      const bytes = this.encode(character);
      if (written + bytes.length > array.length) break;
      array.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

/** What decodes, by the labels that it is known by. */
const DECODERS = { __proto__: null };
for (const [encoding, decode, ...labels] of [
  ['utf-8', native.utf8_decode, 'utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8'],
  ['utf-16le', native.utf16_decode, 'utf-16le', 'utf-16', 'ucs-2', 'unicode', 'csunicode', 'iso-10646-ucs-2', 'unicodefeff'],
]) {
  for (const label of labels) DECODERS[label] = { encoding, decode };
}

export class TextDecoder {
  /** The beginning of a character whose end is to come. */
  #rest = new Uint8Array();
  #is_begun = false;
  #decoder;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.#decoder = DECODERS[String(label).trim().toLowerCase()];
    if (!this.#decoder) throw new RangeError(`TextDecoder knows utf-8 and utf-16le, not ${label}`);
    this.fatal = Boolean(fatal);
    this.ignoreBOM = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#decoder.encoding;
  }

  decode(input = new ArrayBuffer(), { stream = false } = {}) {
    const bytes = this.#with_rest(view(input));
    this.#rest = new Uint8Array();
    let [text, kept] = this.#decoder.decode(bytes, this.fatal, !stream);
    this.#rest = bytes.slice(bytes.length - kept);
    if (!this.#is_begun && !this.ignoreBOM && text.startsWith('\ufeff')) text = text.slice(1);
    this.#is_begun = stream && (this.#is_begun || bytes.length > kept);
    return text;
  }

  #with_rest(bytes) {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    return all;
  }
}

function view(input) {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError('there are no bytes to decode: give an ArrayBuffer or a view');
}
