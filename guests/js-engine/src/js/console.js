// What scripts write into the server's log.

import native from 'httpout:native';

/** GPAC's levels. */
const ERROR = 1, WARNING = 2, INFO = 3, DEBUG = 4;

/** The documented `print`: a level may come first. */
export function print(...values) {
  const has_level = values.length > 1 && typeof values[0] === 'number';
  log(has_level ? values.shift() : INFO, values);
}

export function warn(message) {
  native.log(WARNING, message);
}

export const console = {
  log: (...values) => log(INFO, values),
  info: (...values) => log(INFO, values),
  warn: (...values) => log(WARNING, values),
  error: (...values) => log(ERROR, values),
  debug: (...values) => log(DEBUG, values),
  trace: (...values) => log(DEBUG, [...values, '\n' + new Error().stack]),
  assert: (condition, ...values) => {
    if (!condition) log(ERROR, ['assertion failed', ...values]);
  },
};

function log(level, values) {
  native.log(Math.max(level, 0), values.map(text).join(' ').toWellFormed());
}

function text(value) {
  if (value instanceof Error) return `${value}\n${value.stack ?? ''}`.trimEnd();
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // It holds itself, or a BigInt.
    return Object.prototype.toString.call(value);
  }
}
