// Whether a request writes globals, which are gone with it: most often a counter or a cache that was meant to last.

/** Readers of the variables of the script's files, each giving an object of them. */
const readers = [];

/** Names that are there before the script. */
let built_in = new Set();

/** What each variable was when the script had been loaded. */
let loaded = new Map();

/** What a file of the script calls at its end. */
export function read_with(reader) {
  readers.push(reader);
}

/** The script has not begun: what is there is not its own. */
export function begin_watch() {
  built_in = new Set(Object.getOwnPropertyNames(globalThis));
}

/** The script is loaded. */
export function watch_globals() {
  loaded = seen();
}

/** The names of those that are not as they were. */
export function written_globals() {
  const now = seen();
  const changed = Array.from(now.keys()).filter((key) => !same(loaded.get(key), now.get(key)));
  const removed = Array.from(loaded.keys()).filter((key) => !now.has(key));
  return changed.concat(removed).map((key) => key.split(' ').at(-1));
}

/** Values by names behind their file's number, each with its size where it is a collection. */
function seen() {
  const found = new Map();
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name);
    if (!built_in.has(name)) found.set(name, [value, size(value)]);
  }
  for (const [file, read] of readers.entries()) {
    for (const [name, value] of Object.entries(read())) found.set(`${file} ${name}`, [value, size(value)]);
  }
  return found;
}

function size(value) {
  if (value === null || typeof value !== 'object') return 0;
  if (value instanceof Map || value instanceof Set) return value.size;
  if (Array.isArray(value)) return value.length;
  // A proxy may run the script's code, and a typed array has as many keys as elements.
  const prototype = Object.prototype.toString.call(value);
  return prototype === '[object Object]' ? Object.keys(value).length : 0;
}

function same(before, after) {
  return before !== undefined && Object.is(before[0], after[0]) && before[1] === after[1];
}
