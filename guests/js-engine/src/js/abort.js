// What ends a fetch early.

import { run_waits } from 'httpout:waits';
import { setTimeout } from 'httpout:timers';

let abort;

export class AbortSignal {
  #listeners = [];
  aborted = false;
  reason = undefined;
  onabort = null;

  static {
    abort = (signal, reason) => {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      const event = { type: 'abort', target: signal };
      for (const listener of [signal.onabort, ...signal.#listeners]) listener?.call(signal, event);
      run_waits();
    };
  }

  static abort(reason = new DOMException('it was aborted', 'AbortError')) {
    const signal = new AbortSignal();
    abort(signal, reason);
    return signal;
  }

  static timeout(milliseconds) {
    const signal = new AbortSignal();
    setTimeout(() => abort(signal, new DOMException('it took too long', 'TimeoutError')), milliseconds);
    return signal;
  }

  addEventListener(type, listener) {
    if (type === 'abort') this.#listeners.push(listener);
  }

  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter((known) => type !== 'abort' || known !== listener);
  }

  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }
}

export class AbortController {
  signal = new AbortSignal();

  abort(reason = new DOMException('it was aborted', 'AbortError')) {
    abort(this.signal, reason);
  }
}
