// The body of a request, as the script takes it: whole, or by pieces.

import native from 'httpout:native';
import { join } from 'httpout:bodies';

export class Incoming {
  #pieces = [];
  #is_over = false;
  /** Of who waits for more. */
  #wake;
  #whole;
  #is_iterated = false;

  /** The next piece; null is the end. */
  push(buffer) {
    if (buffer === null) this.#is_over = true;
    else this.#pieces.push(new Uint8Array(buffer));
    // The client waits for a script that goes through the pieces and is busy with another one.
    if (this.#is_iterated) native.hold_body(!this.#is_over && !this.#wake);
    this.#wake?.();
    this.#wake = undefined;
  }

  /** All of it; may be asked for again. */
  bytes() {
    if (this.#is_iterated) throw new TypeError('the body is taken by pieces');
    return this.#whole ??= this.#join();
  }

  async *pieces() {
    if (this.#whole || this.#is_iterated) throw new TypeError('the body was taken already');
    this.#is_iterated = true;
    for (;;) {
      while (this.#pieces.length > 0) yield this.#pieces.shift();
      if (this.#is_over) return;
      native.hold_body(false);
      await this.#more();
    }
  }

  async #join() {
    while (!this.#is_over) await this.#more();
    const all = this.#pieces.length === 1 ? this.#pieces[0] : join(this.#pieces);
    this.#pieces = [];
    return all;
  }

  #more() {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
