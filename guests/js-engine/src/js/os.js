// What of QuickJS's module `os` reaches nothing outside.

export { clearInterval, clearTimeout, setInterval, setTimeout } from 'httpout:timers';
import { setTimeout } from 'httpout:timers';
import native from 'httpout:native';

export const platform = 'wasm';

/** Milliseconds of a clock that never goes back. */
export const now = native.now;

export function sleepAsync(delay) {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
