// GPAC's class `Bitstream`: numbers of any number of bits, read from bytes or written to them.

import native from 'httpout:native';

/** Bytes that a new stream has room for; it grows. */
const ROOM = 256;

/** Name, bytes, and what a DataView calls it; then whether the last byte comes first. */
const NUMBERS = [
  ['u8', 1, 'Uint8'],
  ['s8', 1, 'Int8'],
  ['u16', 2, 'Uint16'],
  ['u16_le', 2, 'Uint16', true],
  ['s16', 2, 'Int16'],
  ['u32', 4, 'Uint32'],
  ['u32_le', 4, 'Uint32', true],
  ['s32', 4, 'Int32'],
  ['u64', 8, 'BigUint64'],
  ['u64_le', 8, 'BigUint64', true],
  ['s64', 8, 'BigInt64'],
  ['float', 4, 'Float32'],
  ['double', 8, 'Float64'],
];

export class Bitstream {
  static {
    const view = new DataView(new ArrayBuffer(8));
    for (const [name, count, type, is_little] of NUMBERS) {
      const is_big = type.startsWith('Big');
      this.prototype[`get_${name}`] = function () {
        for (let index = 0; index < count; index++) view.setUint8(index, this.get_bits(8));
        const value = view[`get${type}`](0, is_little);
        return is_big ? Number(value) : value;
      };
      this.prototype[`put_${name}`] = function (value) {
        view[`set${type}`](0, is_big ? BigInt(value) : value, is_little);
        for (let index = 0; index < count; index++) this.put_bits(view.getUint8(index), 8);
      };
    }
  }

  #bytes;
  /** In bytes, what there is. */
  #size;
  /** In bits, where the next one is read or written. */
  #at = 0;
  #can_write;

  /** Reads a buffer, or writes into it where `is_write` says so. Without a buffer it writes to memory. */
  constructor(buffer, is_write = buffer === undefined) {
    this.#can_write = Boolean(is_write);
    this.#bytes = buffer === undefined ? new Uint8Array(ROOM) : new Uint8Array(buffer);
    this.#size = buffer === undefined ? 0 : this.#bytes.length;
  }

  get size() { return this.#size; }
  get pos() { return this.#at >> 3; }
  set pos(bytes) { this.#at = bytes * 8; }
  get bit_pos() { return this.#at % 8; }
  get bit_offset() { return this.#at; }
  get available() { return this.bits_available >> 3; }
  get bits_available() { return Math.max(this.#size * 8 - this.#at, 0); }

  is_align() { return this.#at % 8 === 0; }
  align() {
    while (!this.is_align()) this.#can_write ? this.put_bits(0, 1) : this.get_bits(1);
  }
  skip(bytes) { this.#at += bytes * 8; }
  /** Cuts off what follows. */
  truncate() { this.#size = Math.min(this.#size, this.pos); }
  flush() {}

  /** The next bits, without moving on; from so many bytes ahead. */
  peek(bits, ahead = 0) {
    const at = this.#at;
    this.#at += ahead * 8;
    try {
      return this.get_bits(bits);
    } finally {
      this.#at = at;
    }
  }

  /** Up to 53 bits. */
  get_bits(count) {
    let value = 0;
    for (let left = count; left > 0;) {
      const free = 8 - (this.#at % 8);
      const taken = Math.min(free, left);
      const bits = (this.#byte() >> (free - taken)) & (2 ** taken - 1);
      value = value * 2 ** taken + bits;
      this.#at += taken;
      left -= taken;
    }
    return value;
  }

  put_bits(value, count) {
    for (let left = count; left > 0;) {
      const free = 8 - (this.#at % 8);
      const taken = Math.min(free, left);
      const bits = Math.floor(value / 2 ** (left - taken)) % 2 ** taken;
      this.#reserve(this.pos + 1);
      const kept = this.#bytes[this.pos] & ~((2 ** taken - 1) << (free - taken));
      this.#bytes[this.pos] = kept | (bits << (free - taken));
      this.#at += taken;
      left -= taken;
    }
  }

  get_u24() {
    return this.get_bits(24);
  }
  put_u24(value) {
    this.put_bits(value, 24);
  }

  get_4cc() {
    return this.#text(4);
  }
  put_4cc(code) {
    for (const character of String(code)) this.put_u8(character.charCodeAt(0));
  }

  /** Up to a zero, or to the end. */
  get_string() {
    const bytes = [];
    while (this.available > 0) {
      const byte = this.get_u8();
      if (byte === 0) break;
      bytes.push(byte);
    }
    return native.utf8_decode(Uint8Array.from(bytes), false, true)[0];
  }
  put_string(text) {
    this.put_data(native.utf8_encode(String(text).toWellFormed()));
    this.put_u8(0);
  }

  /** Fills a buffer, and says how many bytes there were. */
  get_data(buffer) {
    const target = new Uint8Array(buffer);
    const count = Math.min(target.length, this.available);
    for (let index = 0; index < count; index++) target[index] = this.get_u8();
    return count;
  }
  put_data(buffer, count = buffer.byteLength) {
    const source = new Uint8Array(buffer, 0, count);
    if (!this.is_align()) return source.forEach((byte) => this.put_u8(byte));
    this.#reserve(this.pos + count);
    this.#bytes.set(source, this.pos);
    this.#at += count * 8;
  }

  /** Takes the rest of another stream. */
  transfer(source) {
    const rest = new ArrayBuffer(source.available);
    source.get_data(rest);
    this.put_data(rest);
  }

  /** Puts bytes in at a place; what stood there follows. */
  insert_data(buffer, at) {
    const end = this.#at;
    const rest = this.#bytes.slice(at, this.#size);
    this.pos = at;
    this.put_data(buffer);
    this.put_data(rest.buffer);
    this.#at = end + buffer.byteLength * 8;
  }

  /** What was written; the stream is empty then. */
  get_content() {
    const content = this.#bytes.slice(0, this.#size).buffer;
    this.#bytes = new Uint8Array(ROOM);
    this.#size = this.#at = 0;
    return content;
  }

  #byte() {
    if (this.pos >= this.#size) throw new RangeError('the end of the stream is reached');
    return this.#bytes[this.pos];
  }

  #text(count) {
    return Array.from({ length: count }, () => String.fromCharCode(this.get_u8())).join('');
  }

  #reserve(size) {
    if (!this.#can_write) throw new TypeError('the stream is one to read');
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#size = Math.max(this.#size, size);
  }
}
