// URL and URLSearchParams.

import native from 'httpout:native';

/** The order in which `native` gives them. */
const PARTS = [
  'href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash',
];
const READ_ONLY = ['origin'];

export class URL {
  #parts;
  #parameters;

  static {
    PARTS.forEach((name, index) => {
      const set = READ_ONLY.includes(name) ? undefined : function (value) {
        this.#set(name, well_formed(String(value)));
      };
      Object.defineProperty(this.prototype, name, {
        get() {
          return this.#parts[index];
        },
        set,
        enumerable: true,
        configurable: true,
      });
    });
  }

  constructor(url, base) {
    if (arguments.length === 0) throw new TypeError('a URL needs a text');
    this.#parts = native.url_parse(well_formed(String(url)), base === undefined ? undefined : well_formed(String(base)));
  }

  static canParse(url, base) {
    return URL.parse(url, base) !== null;
  }

  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get searchParams() {
    return this.#parameters ??= parameters_of(this.search, (text) => this.#set('search', text, false));
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  #set(name, value, renew = true) {
    this.#parts = name === 'href'
      ? native.url_parse(value, undefined)
      : native.url_set(this.href, name, value);
    if (renew && this.#parameters) reset(this.#parameters, this.search);
  }
}

let parameters_of, reset;

export class URLSearchParams {
  #pairs = [];
  /** Told of every change. */
  #changed = () => {};

  static {
    parameters_of = (search, changed) => {
      const parameters = new URLSearchParams(search);
      parameters.#changed = changed;
      return parameters;
    };
    reset = (parameters, search) => {
      parameters.#pairs = decode(search);
    };
  }

  constructor(init = '') {
    if (typeof init !== 'object' || init === null) {
      this.#pairs = decode(String(init));
    } else {
      const pairs = Symbol.iterator in init ? Array.from(init) : Object.entries(init);
      this.#pairs = pairs.map(pair_of);
    }
  }

  get size() {
    return this.#pairs.length;
  }

  append(name, value) {
    this.#pairs.push([well_formed(String(name)), well_formed(String(value))]);
    this.#tell();
  }

  delete(name, value) {
    this.#pairs = this.#pairs.filter((pair) => !matches(pair, name, value));
    this.#tell();
  }

  get(name) {
    return this.#pairs.find((pair) => matches(pair, name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter((pair) => matches(pair, name)).map(([, value]) => value);
  }

  has(name, value) {
    return this.#pairs.some((pair) => matches(pair, name, value));
  }

  /** In place of the first of that name, without the others. */
  set(name, value) {
    const pair = [well_formed(String(name)), well_formed(String(value))];
    const index = this.#pairs.findIndex((known) => matches(known, name));
    if (index < 0) {
      this.#pairs.push(pair);
    } else {
      this.#pairs = this.#pairs.filter((known, at) => at <= index || !matches(known, name));
      this.#pairs[index] = pair;
    }
    this.#tell();
  }

  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#tell();
  }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries() {
    for (let index = 0; index < this.#pairs.length; index++) yield [...this.#pairs[index]];
  }

  *keys() {
    for (const [name] of this) yield name;
  }

  *values() {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return native.form_encode(this.#pairs.flat());
  }

  #tell() {
    this.#changed(this.toString());
  }
}

function decode(text) {
  const flat = native.form_decode(well_formed(text.replace(/^\?/, '')));
  const pairs = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index], flat[index + 1]]);
  return pairs;
}

function pair_of(value) {
  const pair = typeof value === 'object' && value !== null ? Array.from(value) : [];
  if (pair.length !== 2) throw new TypeError('parameters are pairs of a name and a value');
  return [well_formed(String(pair[0])), well_formed(String(pair[1]))];
}

function matches([known, content], name, value) {
  return known === String(name) && (value === undefined || content === String(value));
}
