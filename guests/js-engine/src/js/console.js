// What scripts write into the server's log.

import native from 'httpout:native';

/** GPAC's levels. */
const ERROR = 1, WARNING = 2, INFO = 3, DEBUG = 4;

/** The documented `print`: a level may come first. */
export function print(...values) {
  const has_level = values.length > 1 && typeof values[0] === 'number';
  log(has_level ? values[0] : INFO, values, has_level ? 1 : 0);
}

export function warn(message) {
  native.log(WARNING, message);
}

/** By label: how often `count` was called, and when `time` was. */
const counts = { __proto__: null };
const starts = { __proto__: null };

export const console = {
  log: (...values) => log(INFO, values),
  info: (...values) => log(INFO, values),
  warn: (...values) => log(WARNING, values),
  error: (...values) => log(ERROR, values),
  debug: (...values) => log(DEBUG, values),
  trace: (...values) => log(DEBUG, [...values, '\n' + new Error().stack]),
  dir: (value) => log(INFO, [value]),
  table: (value) => log(INFO, [value]),
  group: (...values) => log(INFO, values),
  groupCollapsed: (...values) => log(INFO, values),
  groupEnd: () => {},
  assert: (condition, ...values) => {
    if (!condition) log(ERROR, ['assertion failed', ...values]);
  },
  count: (label = 'default') => {
    counts[label] = (counts[label] ?? 0) + 1;
    log(INFO, [`${label}: ${counts[label]}`]);
  },
  countReset: (label = 'default') => {
    counts[label] = 0;
  },
  time: (label = 'default') => {
    starts[label] = native.now();
  },
  timeLog: (label = 'default', ...values) => log(INFO, [passed(label), ...values]),
  timeEnd: (label = 'default') => {
    log(INFO, [passed(label)]);
    delete starts[label];
  },
};

function passed(label) {
  return starts[label] === undefined ? `${label}: was not started` : `${label}: ${native.now() - starts[label]} ms`;
}

/**
 * From a value on. Not by methods of arrays and no template, which is a method of strings in QuickJS: what a script has
 * made of them is not asked.
 */
function log(level, values, first = 0) {
  let line = '';
  for (let index = first; index < values.length; index++) line += (index > first ? ' ' : '') + text(values[index]);
  native.log(level > 0 ? level : 0, well_formed(line));
}

function text(value) {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    if (value instanceof Error) return String(value) + '\n' + String(value.stack ?? '');
    return JSON.stringify(value) ?? String(value);
  } catch {
    // It holds itself, or a BigInt, or throws.
    return '[object]';
  }
}
