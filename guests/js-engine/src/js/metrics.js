// Figures on the server's page of metrics.

import native from 'httpout:native';

export const metrics = {
  /** Adds to what only grows. */
  counter(name, by = 1, labels) {
    if (!Number.isSafeInteger(by) || by < 0) throw new RangeError(`a counter cannot grow by ${by}`);
    native.counter_add(String(name), by, flat(labels));
  },

  gauge: (name, value, labels) => native.gauge_set(String(name), Number(value), flat(labels)),

  histogram: (name, value, labels) => native.histogram_record(String(name), Number(value), flat(labels)),
};

function flat(labels = {}) {
  return Object.entries(labels).flat().map((text) => String(text).toWellFormed());
}
