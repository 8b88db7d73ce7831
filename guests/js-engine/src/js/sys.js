// GPAC's object `Sys`: what a server's script can use of it.

import native from 'httpout:native';
import { File } from 'httpout:file';

/** What `native.stat` gives, in its order. */
const IS_DIRECTORY = 0, SIZE = 1, MODIFIED = 2;

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_OFFSET = 2208988800;

export const Sys = {
  args: [],
  nb_cores: 1,

  /** Milliseconds, and microseconds, of a clock that never goes back. */
  clock_ms: () => Math.floor(native.now()),
  clock_us: () => Math.floor(native.now() * 1000),

  /** Milliseconds since 1970, or of a date in text. */
  get_utc: (date) => (date === undefined ? Date.now() : Date.parse(date)),

  /** Seconds since 1900, and their fraction in units of 2⁻³² s. */
  get_ntp() {
    const now = Date.now();
    return { n: Math.floor(now / 1000) + NTP_OFFSET, d: Math.floor((now % 1000) / 1000 * 2 ** 32) };
  },

  /** Seconds between two such times. */
  ntp_shift: (one, other) => one.n - other.n + (one.d - other.d) / 2 ** 32,

  /** Waits in the call: nothing else of this request happens. */
  sleep: native.block,

  rand_init: (reset) => native.seed(reset ? 0 : Date.now()),
  rand: () => Math.floor(native.random() * 2 ** 32),
  rand64: () => (BigInt(Sys.rand()) << 32n) | BigInt(Sys.rand()),

  /** There is no environment. */
  getenv: () => null,
  get_opt: () => null,

  error_string: native.error_string,
  gc: native.gc,

  load_file(path, as_text = false) {
    const file = new File(path);
    const content = new ArrayBuffer(file.size);
    file.read(content);
    return as_text ? native.utf8_decode(content, false, true)[0] : content;
  },
  file_exists: (path) => native.stat(String(path))?.[IS_DIRECTORY] === 0,
  dir_exists: (path) => native.stat(String(path))?.[IS_DIRECTORY] === 1,
  /** Seconds since 1970; 0 where there is no such file. */
  mod_time: (path) => native.stat(String(path))?.[MODIFIED] ?? 0,
  mkdir: (path) => native.make_directory(String(path)),
  rmdir: (path) => native.remove_directory(String(path)),
  del: (path) => native.remove_file(String(path)),
  /** Removes the files in a directory. */
  dir_clean(path) {
    for (const { path: file, directory } of Sys.enum_directory(path)) {
      if (!directory) Sys.del(file);
    }
  },
  move: (from, to) => native.rename(String(from), String(to)),

  /** What is in a directory: all, what has one of the extensions `mp4;mp3`, or the directories (`dir`). */
  enum_directory(path, filter = '') {
    const extensions = filter === 'dir' ? [] : filter.split(';').map((text) => text.replace(/^[*.]+/, '')).filter(Boolean);
    const entries = native.directory(String(path)).map((name) => entry(path, name));
    return entries.filter(({ name, directory }) => (filter === 'dir'
      ? directory
      : directory || extensions.length === 0 || extensions.some((extension) => name.endsWith(`.${extension}`))));
  },

  basename: (path) => String(path).split(/[\\/]/).at(-1),
  file_ext: (path) => /\.[^./\\]*$/.exec(String(path))?.[0] ?? null,

  crc32: (data) => native.crc32(bytes(data)),
  sha1(data) {
    const hash = native.sha1_begin();
    native.sha1_add(hash, bytes(data));
    return native.sha1_end(hash);
  },
  base64enc: (data) => native.base64_encode(bytes(data)),
  base64dec: native.base64_decode,
  base16enc: (data) => native.base16_encode(bytes(data)),
  base16dec: native.base16_decode,
  compress: (data) => native.compress(bytes(data)),
  decompress: (data) => native.decompress(bytes(data)),

  url_cat: concatenate,

  htonl: swap32,
  ntohl: swap32,
  htons: swap16,
  ntohs: swap16,
  fcc_to_str: (code) => [24, 16, 8, 0].map((bits) => String.fromCharCode((code >>> bits) & 0xff)).join(''),
};

function entry(parent, name) {
  const path = `${String(parent).replace(/\/+$/, '')}/${name}`;
  const stat = native.stat(path) ?? [0, 0, 0];
  return {
    name,
    path,
    directory: stat[IS_DIRECTORY] === 1,
    hidden: name.startsWith('.'),
    system: false,
    drive: false,
    size: stat[SIZE],
    last_modified: stat[MODIFIED],
  };
}

/** Bytes, or those of a text in UTF-8. */
function bytes(data) {
  return typeof data === 'string' ? native.utf8_encode(data.toWellFormed()) : data;
}

/** A URL or path seen from another one. */
function concatenate(parent, url) {
  if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(url) && !/^[a-z][a-z0-9+.-]*:/i.test(parent)) return url;
  if (/^[a-z][a-z0-9+.-]*:/i.test(parent)) return native.url_parse(url, parent)[0];
  const parts = parent.split('/').slice(0, -1);
  for (const part of url.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function swap32(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getUint32(0, true);
}

function swap16(value) {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}
