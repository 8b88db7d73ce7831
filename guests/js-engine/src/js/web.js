// Small parts of the web's interfaces.

import native from 'httpout:native';

/** That of QuickJS counts from when it was started, before the snapshot. */
export const performance = {
  now: native.now,
  get timeOrigin() {
    return Date.now() - native.now();
  },
};

/** As much as the standard allows at once. */
const MOST_RANDOM = 65536;

export const crypto = {
  /** Fills an array of integers. */
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array)) throw new TypeError('not an array of integers');
    if (!/^(Big)?(Int|Uint)/.test(kind(array))) {
      throw new DOMException('not an array of integers', 'TypeMismatchError');
    }
    if (array.byteLength > MOST_RANDOM) {
      throw new DOMException(`more than ${MOST_RANDOM} bytes at once`, 'QuotaExceededError');
    }
    const bytes = new Uint8Array(native.random_bytes(array.byteLength));
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes);
    return array;
  },

  randomUUID() {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const text = native.base16_encode(bytes);
    return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([from, to]) => text.slice(from, to)).join('-');
  },
};

/** What a typed array holds, whatever a script has made of its names; nothing for another view. */
const kind_of = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
function kind(array) {
  return Reflect.apply(kind_of, array, []) ?? '';
}

/** The characters of a text are bytes. */
export function btoa(text) {
  const codes = Array.from(String(text), (character) => character.codePointAt(0));
  if (codes.some((code) => code > 0xff)) {
    throw new DOMException('a character is beyond U+00FF', 'InvalidCharacterError');
  }
  return native.base64_encode(Uint8Array.from(codes));
}

export function atob(text) {
  const plain = String(text).replace(/[\t\n\f\r ]/g, '');
  const unpadded = plain.length % 4 === 0 ? plain.replace(/==?$/, '') : plain;
  if (unpadded.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(unpadded)) {
    throw new DOMException('this is not base 64', 'InvalidCharacterError');
  }
  const bytes = new Uint8Array(native.base64_decode(unpadded));
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
