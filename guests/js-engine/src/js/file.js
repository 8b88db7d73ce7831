// GPAC's class `File`: a file in the directories that the server exposes, or beside the script.

import native from 'httpout:native';

/** Bytes that are looked through at once for the end of a line. */
const LINE = 4096;

export class File {
  #file;
  #at = 0;
  #is_appending;
  #eof = false;
  #error = 0;

  /** Modes are those of C: `rb`, `r+b`, `wb`, `ab`. */
  constructor(path, mode = 'rb') {
    if (path === undefined) throw new TypeError('there are no temporary files: name a file');
    this.#file = native.file_open(String(path), String(mode));
    this.#is_appending = String(mode).startsWith('a');
  }

  get pos() { return this.#at; }
  set pos(bytes) { this.seek(bytes); }
  /** A read has come to the end. */
  get eof() { return this.#eof; }
  get error() { return this.#error; }
  get size() { return native.file_size(this.#open()); }

  /** Fills an ArrayBuffer, or its first `count` bytes, and says how many there were. */
  read(buffer, count = 0) {
    const wanted = Math.min(count || buffer.byteLength, buffer.byteLength);
    const target = new Uint8Array(buffer);
    let filled = 0;
    while (filled < wanted) {
      const bytes = this.#read(wanted - filled);
      if (bytes.length === 0) break;
      target.set(bytes, filled);
      filled += bytes.length;
    }
    return filled;
  }

  write(buffer, count = 0) {
    return this.#write(new Uint8Array(buffer, 0, Math.min(count || buffer.byteLength, buffer.byteLength)));
  }

  /** From the beginning (0), from here (1), from the end (2). */
  seek(position, whence = 0) {
    const from = [0, this.#at, whence === 2 ? this.size : 0][whence] ?? 0;
    this.#at = Math.max(from + Number(position), 0);
    this.#eof = false;
    return 0;
  }

  /** A line, with what ends it; null at the end. */
  gets() {
    const start = this.#at;
    let line = [];
    for (let found = false; !found;) {
      const bytes = this.#read(LINE);
      if (bytes.length === 0) break;
      const end = bytes.indexOf(10);
      found = end >= 0;
      line = line.concat(Array.from(found ? bytes.subarray(0, end + 1) : bytes));
    }
    this.#at = start + line.length;
    if (line.length === 0) return null;
    this.#eof = false;
    return native.utf8_decode(Uint8Array.from(line), false, true)[0];
  }

  getc() {
    const [byte] = this.#read(1);
    return byte === undefined ? null : String.fromCharCode(byte);
  }

  puts(text) {
    return this.#write(native.utf8_encode(String(text).toWellFormed()));
  }

  putc(character) {
    const byte = typeof character === 'number' ? character : String(character).charCodeAt(0);
    return this.#write(Uint8Array.of(byte));
  }

  /** What is written is with the system at once. */
  flush() {}

  close() {
    this.#file = null;
  }

  #open() {
    if (this.#file === null) throw new Error('the file is closed');
    return this.#file;
  }

  #read(count) {
    const bytes = new Uint8Array(native.file_read(this.#open(), this.#at, count));
    this.#at += bytes.length;
    this.#eof = bytes.length === 0 || this.#eof;
    return bytes;
  }

  #write(bytes) {
    const file = this.#open();
    if (this.#is_appending) this.#at = native.file_size(file);
    const count = native.file_write(file, this.#at, bytes);
    this.#at += count;
    return count;
  }
}
