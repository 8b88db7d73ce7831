// Small parts of the web's interfaces.

import native from 'httpout:native';

/** As much as the standard allows at once. */
const MOST_RANDOM = 65536;

export const crypto = {
  /** Fills an array of integers. */
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || array instanceof DataView || 'Float64Array Float32Array Float16Array'.includes(array.constructor.name)) {
      throw new TypeError('not an array of integers');
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

/** The characters of a text are bytes. */
export function btoa(text) {
  const codes = Array.from(String(text), (character) => character.codePointAt(0));
  if (codes.some((code) => code > 0xff)) {
    throw new DOMException('a character is beyond U+00FF', 'InvalidCharacterError');
  }
  return native.base64_encode(Uint8Array.from(codes));
}

export function atob(text) {
  const bytes = new Uint8Array(native.base64_decode(String(text)));
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
