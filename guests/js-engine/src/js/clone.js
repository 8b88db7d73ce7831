// structuredClone.

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

export function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('structuredClone needs a value');
  const moved = new Map();
  for (const buffer of options?.transfer ?? []) moved.set(buffer, buffer.transfer());
  return clone(value, moved);
}

/** `known` has what was cloned already: a value may hold itself. */
function clone(value, known) {
  if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
  if (typeof value !== 'object' || value === null) return value;
  if (known.has(value)) return known.get(value);
  const copy = empty(value, known);
  known.set(value, copy);
  fill(copy, value, known);
  return copy;
}

function empty(value, known) {
  if (Array.isArray(value)) return new Array(value.length);
  if (value instanceof Date) return new Date(value);
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof ArrayBuffer) return value.slice();
  if (ArrayBuffer.isView(value)) {
    const length = value instanceof DataView ? value.byteLength : value.length;
    return new value.constructor(clone(value.buffer, known), value.byteOffset, length);
  }
  if (value instanceof Error) return new (ERRORS[value.name] ?? Error)(value.message);
  for (const type of [Boolean, Number, String, BigInt]) {
    if (value instanceof type) return globalThis.Object(value.valueOf());
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    refuse(value);
  }
  return {};
}

function fill(copy, value, known) {
  if (value instanceof Map) {
    for (const [key, entry] of value) copy.set(clone(key, known), clone(entry, known));
  } else if (value instanceof Set) {
    for (const entry of value) copy.add(clone(entry, known));
  } else if (value instanceof Error) {
    copy.stack = value.stack;
    if ('cause' in value) copy.cause = clone(value.cause, known);
  } else if (Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]') {
    for (const name of Object.keys(value)) define(copy, name, clone(value[name], known));
  }
}

/** Also where a setter of that name is inherited, as of `__proto__`. */
function define(object, name, value) {
  Object.defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function refuse(value) {
  throw new DOMException(`${String(value)} cannot be cloned`, 'DataCloneError');
}
