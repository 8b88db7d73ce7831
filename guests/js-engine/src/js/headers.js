// Fields of a message, by names in any case.

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NO_VALUE = /[\0\r\n]|[^\0-\xff]/;

export class Headers {
  /** Values by names in lower case. */
  #fields = new Map();

  /** Pairs, an object, other headers, or what `headers_in` is. */
  constructor(init = []) {
    if (typeof init !== 'object' || init === null) throw new TypeError('no headers');
    const fields = Symbol.iterator in init ? init : Object.entries(init);
    for (const field of fields) {
      if (Array.isArray(field)) this.append(field[0], field[1]);
      else this.append(field.name, field.value);
    }
  }

  append(name, value) {
    const known = key(name), text = content(value);
    const values = this.#fields.get(known);
    if (values) values.push(text);
    else this.#fields.set(known, [text]);
  }

  set(name, value) {
    this.#fields.set(key(name), [content(value)]);
  }

  delete(name) {
    this.#fields.delete(key(name));
  }

  /** All values of that name in one, or null. */
  get(name) {
    return this.#fields.get(key(name))?.join(', ') ?? null;
  }

  has(name) {
    return this.#fields.has(key(name));
  }

  getSetCookie() {
    return [...this.#fields.get('set-cookie') ?? []];
  }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  /** By name; each cookie by itself, since their values hold commas. */
  *entries() {
    for (const name of [...this.#fields.keys()].sort()) {
      const values = this.#fields.get(name);
      if (name !== 'set-cookie') yield [name, values.join(', ')];
      else for (const value of values) yield [name, value];
    }
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

  toJSON() {
    return Object.fromEntries(this);
  }
}

function key(name) {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`\`${text}\` is no name of a field`);
  return text.toLowerCase();
}

function content(value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (NO_VALUE.test(text)) throw new TypeError('the value of a field stands on one line, of characters up to U+00FF');
  return text;
}
