// What outlives a request: entries that all requests share.

import native from 'httpout:native';
import { bytes_of, text_of } from 'httpout:bodies';
import { until } from 'httpout:waits';

/** What stands under a key. Version 0: nothing. */
class Entry {
  constructor(bytes, version) {
    this.bytes = bytes;
    this.version = version;
  }

  get value() {
    return this.bytes && text_of(this.bytes);
  }
}

export const state = {
  /** Its text, or undefined. */
  get: (key) => state.entry(key).value,

  entry(key) {
    const found = native.state_get(text(key));
    return found ? new Entry(new Uint8Array(found[0]), found[1]) : new Entry(undefined, 0);
  },

  /** The new version. */
  set: (key, value, { ttl } = {}) => native.state_set(text(key), bytes_of(value), ttl),

  /** Whether there was one. */
  delete: (key) => native.state_delete(text(key)),

  /** The sum. */
  increment(key, by = 1, { ttl } = {}) {
    if (!Number.isSafeInteger(by)) throw new TypeError(`state: ${by} is no whole number`);
    return native.state_increment(text(key), by, ttl);
  },

  /** The new version, or undefined where the key has another one than that. */
  compareAndSet: (key, version, value, { ttl } = {}) =>
    native.state_compare_and_set(text(key), version, bytes_of(value), ttl),

  /** Those that begin so, in order. */
  *keys(prefix = '') {
    for (let keys = native.state_keys(text(prefix), undefined); keys.length > 0;) {
      yield* keys;
      keys = native.state_keys(text(prefix), keys.at(-1));
    }
  },

  /** The entry, as soon as it has another version than that. */
  async changed(key, version = state.entry(key).version) {
    const number = native.state_watch(text(key), version);
    try {
      await until(() => native.state_is_changed(number) || undefined);
    } finally {
      native.state_unwatch(number);
    }
    return state.entry(key);
  },

  /** Each change from now on, or from a version on; those that come fast may be seen as one. */
  watch(key, { version = state.entry(key).version } = {}) {
    return (async function* () {
      for (let known = version; ;) {
        const entry = await state.changed(key, known);
        known = entry.version;
        yield entry;
      }
    })();
  },
};

function text(key) {
  return String(key).toWellFormed();
}
