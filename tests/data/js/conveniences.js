// What is beside the documented API, one thing for each path.
/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} count */
async function* counted(count) {
  try {
    for (let index = 1; index <= count; index++) {
      if (index % 2) await sleep(1);
      yield `piece ${index}\n`;
    }
  } finally {
    print(`cleaned up after ${count}`);
  }
}

/** @type {Record<string, (request: HTTPOutRequest) => unknown>} */
const ROUTES = {
  // ---- fields ----
  '/headers': (request) => {
    const { headers } = request;
    request.respond({ json: {
      one: headers.get('X-One'), both: headers.get('x-two'), none: headers.get('x-none'), has: headers.has('HOST'),
      listed: [...headers].filter(([name]) => name.startsWith('x-')), same: request.headers === headers,
    } });
  },
  '/fields': (request) => {
    const headers = new Headers({ 'X-A': ' 1 ', 'x-b': '2' });
    headers.append('x-a', '3');
    headers.append('Set-Cookie', 'a=1, b');
    headers.append('set-cookie', 'c=2');
    headers.delete('X-B');
    request.respond({ status: 203, headers, body: JSON.stringify(headers.getSetCookie()) });
  },
  '/bad-field': (request) => request.respond({ headers: { 'x-bad': 'a\r\nx-forged: 1' } }),

  // ---- bodies that come ----
  '/text': async (request) => request.respond({ body: `${request.method} ${(await request.text()).length} ${(await request.text()).slice(0, 5)}` }),
  '/json': async (request) => { const { a } = await request.json(); request.respond({ json: { a: a + 1 } }); },
  '/bytes': async (request) => request.respond({ status: 201, body: await request.bytes() }),
  '/pieces': async (request) => {
    let count = 0, length = 0;
    for await (const piece of request) {
      await sleep(1);
      count += 1;
      length += piece.length;
    }
    request.respond({ body: `${count > 1} ${length}` });
  },
  '/refuse': async (request) => {
    for await (const piece of request) return request.respond({ status: 403, body: `${piece.length > 0}` });
  },
  '/afterwards': async (request) => { await request.text(); await sleep(2); request.respond({ body: 'after a timer' }); },
  '/passed-on': async (request) => { await request.text(); request.send(); },
  '/both': async (request) => { request.write = () => {}; await request.text(); },
  '/too-late': async (request) => { request.reply = 200; request.send(); await request.text(); },
  '/bomb': async (request) => { await request.bytes(); request.respond(); },

  // ---- bodies that go ----
  '/empty': (request) => request.respond({ status: 204 }),
  '/string': (request) => request.respond({ body: 'h\u00e9' }),
  '/view': (request) => request.respond({ body: Uint8Array.of(1, 2, 3).subarray(1) }),
  '/html': (request) => request.respond({ headers: { 'content-type': 'text/html' }, body: '<p>' }),
  // @ts-expect-error it is told so while it runs too
  '/object': (request) => request.respond({ body: { a: 1 } }),
  '/status': (request) => request.respond({ status: 99 }),
  '/twice': (request) => { request.respond({ body: 'once' }); try { request.respond(); } catch (error) { print(`caught ${error}`); } },
  '/generator': (request) => request.respond({ body: counted(5) }),
  '/length': (request) => request.respond({ headers: { 'content-length': 40 }, body: counted(5) }),
  '/iterator': (request) => request.respond({ body: ['a', '', Uint8Array.of(98), Promise.resolve('c')] }),
  '/large': (request) => request.respond({ body: (function* () { for (let n = 0; n < 8; n++) yield new Uint8Array(100000).fill(65 + n); })() }),
  '/endless': (request) => request.respond({ body: (async function* () {
    let made = 0;
    try { for (;;) { made += 1; yield new Uint8Array(1 << 16); } } finally { print(`left after ${made < 1000}`); }
  })() }),
  '/broken': (request) => request.respond({ body: (async function* () { yield 'begun'; throw new RangeError('half way'); })() }),
  // @ts-expect-error
  '/number': (request) => request.respond({ body: [1] }),
  '/stuck': (request) => request.respond({ body: (async function* () { yield 'begun'; await new Promise(() => {}); })() }),

  // ---- handlers that give a Response ----
  '/response': () => new Response('given', { status: 202, headers: { 'x-a': '1' } }),
  '/promised': async () => { await sleep(1); return Response.json({ given: true }); },
  '/streamed': () => new Response(counted(2)),
  '/other': async () => 'what is no response counts for nothing',

  // ---- state ----
  '/state': (request) => {
    const made = state.set('a/1', 'one');
    state.set('a/2', Uint8Array.of(0, 255));
    const entry = state.entry('a/1');
    request.respond({ json: [
      state.get('a/1'), [...state.entry('a/2').bytes ?? []], state.get('none') === undefined, state.entry('none').version,
      entry.version === made, state.compareAndSet('a/1', made - 1, 'two') === undefined, (state.compareAndSet('a/1', made, 'two') ?? 0) > made,
      state.get('a/1'), [...state.keys('a/')], state.delete('a/1'), state.delete('a/1'), [...state.keys()].length > 0,
    ] });
  },
  '/many': (request) => {
    for (let n = 0; n < 2500; n++) state.set(`many/${String(n).padStart(4, '0')}`, '');
    const keys = [...state.keys('many/')];
    request.respond({ body: `${keys.length} ${keys[0]} ${keys.at(-1)}` });
  },
  '/count': (request) => request.respond({ body: `${state.increment('count')} ${state.increment('down', -2, { ttl: 60000 })}` }),
  '/no-number': (request) => { state.set('word', 'x'); request.respond({ body: `${state.increment('word')}` }); },
  '/expires': async (request) => {
    state.set('short', 'x', { ttl: 5 });
    const { version } = await state.changed('short');
    request.respond({ body: `${version} ${state.get('short')}` });
  },
  '/wait': async (request) => { print('begins to wait'); const { value } = await state.changed('news', 0); request.respond({ body: value }); },
  '/tell': async (request) => { state.set('news', await request.text()); request.respond(); },
  '/watch': (request) => request.respond({
    headers: { 'content-type': 'text/event-stream' },
    body: (async function* () {
      const { version } = state.entry('feed');
      yield ': begun\n\n';
      try {
        for await (const { value } of state.watch('feed', { version })) {
          if (value === 'end') return;
          yield `data: ${value}\n\n`;
        }
      } finally {
        print('the watcher has cleaned up');
      }
    })(),
  }),
  '/feed': async (request) => { state.set('feed', await request.text()); request.respond(); },

  // ---- what there is ----
  '/missing': async (request) => {
    const names = (await request.text()).split(',');
    request.respond({ body: names.filter((name) => !(name in globalThis)).join() });
  },

  // ---- metrics and configuration ----
  '/metrics': (request) => {
    metrics.counter('asked', 2, { path: 'a' });
    metrics.counter('asked', 1, { path: 'a' });
    metrics.gauge('level', -1.5);
    metrics.histogram('took', 0.3, {});
    try { metrics.counter('asked', -1); } catch (error) { request.respond({ body: String(error) }); }
  },
  '/config': (request) => request.respond({ json: { ...config, frozen: Object.isFrozen(config), proto: config.toString === undefined } }),
};

httpout.on_request = (request) => {
  const route = ROUTES[request.path];
  return route ? route(request) : request.send();
};
