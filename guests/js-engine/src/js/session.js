// The document's second form: a script of a GPAC session, which binds its logic to the filter `httpout`.

import { setTimeout } from 'httpout:timers';
import { print } from 'httpout:console';

let new_filter;

export const session = {
  /** Called with the server as a filter, once the script has run. */
  set_new_filter_fun(callback) {
    new_filter = callback;
  },

  /** The server's end comes without a script: the callback is taken and never called. */
  set_del_filter_fun() {},

  /** Calls a function after some ms, and again for as long as it says so: true at once, a number after so many ms. */
  post_task(task, name, delay) {
    // The name may be left out.
    const pause = typeof name === 'number' ? name : delay ?? 0;
    const run = () => {
      const again = task();
      if (again === true) setTimeout(run, 0);
      else if (typeof again === 'number' && again >= 0) setTimeout(run, again);
    };
    setTimeout(run, pause);
  },

  print,
};

/** The object that answers requests: what the script binds, or else `httpout`. */
export function attach(httpout) {
  let bound = httpout;
  const filter = {
    name: 'httpout',
    type: 'httpout',
    bind(object) {
      bound = object;
    },
  };
  new_filter?.(filter);
  return bound;
}
