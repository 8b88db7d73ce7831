// Asks the server that the configuration names, one way for each path.
const url = (path) => config.other + path;

async function told(asking) {
  try {
    return await asking();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const ROUTES = {
  '/get': async (request) => {
    const response = await fetch(url('/asked?a=b'), { headers: { 'X-Sent': 'yes' } });
    const { status, ok, headers } = response;
    request.respond({ json: [status, ok, headers.get('x-given'), await response.text(), response.bodyUsed] });
  },
  '/json': async () => Response.json({ inner: await (await fetch(url('/'))).json() }),
  '/bytes': async () => new Response((await (await fetch(url('/'))).arrayBuffer()).slice(1)),
  '/pieces': async () => {
    let text = '';
    for await (const piece of (await fetch(new URL(url('/')))).body) text += new TextDecoder().decode(piece);
    return new Response(`<${text}>`);
  },
  '/post': async (request) => new Response(await (await fetch(url('/'), { method: 'post', body: await request.text() })).text()),
  '/proxy': () => fetch(url('/')),
  '/all': async () => {
    const answers = await Promise.all([1, 2, 3].map(async (n) => (await fetch(url(`/${n}`))).status));
    return new Response(answers.join());
  },
  '/manual': async () => new Response(`${(await fetch(url('/from'), { redirect: 'manual' })).status}`),
  '/followed': async () => {
    const response = await fetch(url('/from'), { method: 'POST', body: 'x' });
    return new Response(`${response.redirected} ${response.status} ${new URL(response.url).pathname}`);
  },
  '/timeout': async () => new Response(await told(() => fetch(url('/'), { signal: AbortSignal.timeout(20) }))),
  '/abort': async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    return new Response(await told(() => fetch(url('/'), { signal: controller.signal })));
  },
  '/told': async () => new Response(await told(async () => (await fetch(url('/'))).text())),
  '/scheme': async () => new Response(await told(() => fetch('ftp://a/'))),
  '/field': async () => new Response(await told(() => fetch(url('/'), { headers: { host: 'else.where' } }))),
  '/uncaught': () => fetch(url('/')),
};

httpout.on_request = (request) => (ROUTES[request.path] ?? ((it) => it.send()))(request);
