// Questions to other servers, which option `plugin_allow` grants.

import native from 'httpout:native';
import { bytes_of, type_of } from 'httpout:bodies';
import { Headers } from 'httpout:headers';
import { Response } from 'httpout:response';
import { URL } from 'httpout:url';
import { until } from 'httpout:waits';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];
const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 20;

/** What is meant for one server is not for another one. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'];

export async function fetch(input, init = {}) {
  let url = new URL(String(input));
  let method = normal(String(init.method ?? 'GET'));
  let body = init.body == null ? undefined : bytes_of(init.body);
  const { redirect = 'follow', signal } = init;
  const headers = new Headers(init.headers);
  const type = type_of(init.body);
  if (type && !headers.has('content-type')) headers.set('content-type', type);

  for (let redirects = 0; ; redirects++) {
    signal?.throwIfAborted();
    const number = native.fetch_begin(method, url.href, [...headers].flat(), body);
    const response = await answer(number, url.href, signal, redirects > 0);
    const location = response.headers.get('location');
    if (redirect === 'manual' || location === null || !REDIRECTS.includes(response.status)) return response;
    if (redirect === 'error') throw new TypeError(`fetch: ${url}: it redirects`);
    if (redirects === MOST_REDIRECTS) throw new TypeError(`fetch: ${url}: it redirects too often`);
    const next = new URL(location, url.href);
    if (next.origin !== url.origin) CREDENTIALS.forEach((name) => headers.delete(name));
    if (response.status === 303 ? method !== 'HEAD' : response.status < 303 && method === 'POST') {
      method = 'GET';
      body = undefined;
      headers.delete('content-type');
    }
    native.fetch_close(number);
    url = next;
  }
}

async function answer(number, url, signal, redirected) {
  const [status, fields] = await until(() => unless_aborted(number, signal, native.fetch_head));
  const pairs = [];
  for (let index = 0; index < fields.length; index += 2) pairs.push([fields[index], fields[index + 1]]);
  return new Response(pieces(number, signal), { status, headers: pairs, url, redirected });
}

/** Its body. */
async function* pieces(number, signal) {
  try {
    for (;;) {
      const piece = await until(() => unless_aborted(number, signal, native.fetch_read));
      if (piece === null) return;
      yield new Uint8Array(piece);
    }
  } finally {
    native.fetch_close(number);
  }
}

function unless_aborted(number, signal, look) {
  if (signal?.aborted) {
    native.fetch_close(number);
    throw signal.reason;
  }
  return look(number);
}

function normal(method) {
  const upper = method.toUpperCase();
  return METHODS.includes(upper) ? upper : method;
}
