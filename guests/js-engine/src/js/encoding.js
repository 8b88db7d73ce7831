// TextEncoder and TextDecoder, of UTF-8.

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

const LABELS = ['utf-8', 'utf8', 'unicode-1-1-utf-8'];

export class TextDecoder {
  /** The beginning of a character whose end is to come. */
  #rest = new Uint8Array();
  #is_begun = false;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!LABELS.includes(String(label).trim().toLowerCase())) {
      throw new RangeError(`TextDecoder knows utf-8, not ${label}`);
    }
    this.fatal = Boolean(fatal);
    this.ignoreBOM = Boolean(ignoreBOM);
  }

  get encoding() {
    return 'utf-8';
  }

  decode(input = new ArrayBuffer(), { stream = false } = {}) {
    const bytes = this.#with_rest(view(input));
    let [text, kept] = native.utf8_decode(bytes, this.fatal, !stream);
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
  return ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : new Uint8Array(input);
}
