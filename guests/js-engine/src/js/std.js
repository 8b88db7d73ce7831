// What of QuickJS's module `std` reaches nothing outside.

import native from 'httpout:native';
import { print } from 'httpout:console';

export const gc = native.gc;

/** There is no environment. */
export function getenv() {
  return undefined;
}

export function puts(...texts) {
  print(texts.join(''));
}
