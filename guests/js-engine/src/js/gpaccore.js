// GPAC's module `gpaccore`.

import native from 'httpout:native';

export { Bitstream } from 'httpout:bitstream';
export { File } from 'httpout:file';
export { Sys } from 'httpout:sys';

/** The hash of bytes that come in pieces. */
export class SHA1 {
  #hash = native.sha1_begin();

  push(data) {
    native.sha1_add(this.#hash, data);
  }

  /** Its 20 bytes. */
  get() {
    return native.sha1_end(this.#hash);
  }
}
