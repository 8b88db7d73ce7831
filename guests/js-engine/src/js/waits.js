// Promises of what comes from outside: the server awaits it while no script runs, then calls.

/** What is looked for, and who waits for it. */
let waits = own([]);

/** What `look` gives, as soon as that is not undefined; at once, or in a later call. */
export function until(look) {
  return new Promise((resolve, reject) => {
    const wait = { look, resolve, reject };
    if (!settle(wait)) waits.push(wait);
  });
}

/** Looks again for all that is waited for. */
export function run_waits() {
  waits = own(waits.filter((wait) => !settle(wait)));
}

/** Those of a request that is over. */
export function forget_waits() {
  if (waits.length > 0) waits = own([]);
}

/** Nothing of it will come: the exchange is over. */
export function end_waits() {
  const ended = waits;
  forget_waits();
  for (const { reject } of ended) reject(new DOMException('the exchange is over', 'AbortError'));
}

function settle({ look, resolve, reject }) {
  try {
    const found = look();
    if (found !== undefined) resolve(found);
    return found !== undefined;
  } catch (error) {
    reject(error);
    return true;
  }
}
