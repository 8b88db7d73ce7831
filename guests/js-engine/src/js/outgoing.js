// A body that an iterator makes. Nothing is asked of it but when the connection takes more.

import { bytes_of } from 'httpout:bodies';
import { end_waits } from 'httpout:waits';

/** What `read` returns where the iterator has been asked and there is nothing yet. */
const ASKED = -Infinity;

const EMPTY = new Uint8Array();

export class Outgoing {
  #iterator;
  #piece = EMPTY;
  #is_asked = false;
  #is_over = false;
  #failure;

  constructor(iterable) {
    this.#iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
  }

  /** As the documented `read`. */
  read(buffer) {
    if (this.#piece.length > 0) return this.#take(buffer);
    if (this.#failure) throw this.#failure.error;
    if (this.#is_over) return 0;
    if (!this.#is_asked) this.#ask();
    return ASKED;
  }

  /** The exchange is over: what the iterator has to clean up. */
  close() {
    if (this.#is_over || this.#failure) return;
    this.#is_over = true;
    // It cannot return in the middle of what it awaits.
    if (this.#is_asked) end_waits();
    return this.#iterator.return?.();
  }

  #take(buffer) {
    const count = Math.min(this.#piece.length, buffer.byteLength);
    new Uint8Array(buffer).set(this.#piece.subarray(0, count));
    this.#piece = this.#piece.subarray(count);
    return count;
  }

  async #ask() {
    this.#is_asked = true;
    try {
      while (this.#piece.length === 0 && !this.#is_over) {
        const { done, value } = await this.#iterator.next();
        if (done) this.#is_over = true;
        else this.#piece = bytes_of(await value);
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#is_asked = false;
  }
}
