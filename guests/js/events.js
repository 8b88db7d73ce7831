// Tells all who listen what somebody says: server-sent events, and for those who cannot take them a long poll.
// Run: httpout --js guests/js/events.js
// Ask: curl -N http://127.0.0.1:8080/events ; curl -d hello http://127.0.0.1:8080/events ; curl http://127.0.0.1:8080/next
const KEY = 'latest';

/** A sign of life, before the server takes the silence for the end (option `timeout`). */
const ALIVE = 10_000;

const sleep = (delay) => new Promise((resolve) => setTimeout(resolve, delay));

const event = ({ version, value }) => `id: ${version}\n${value.split('\n').map((line) => `data: ${line}\n`).join('')}\n`;

/** From the one that comes next, or from the one that the client has seen last. */
async function* events(version) {
  yield ': welcome\n\n';
  for (;;) {
    const entry = await Promise.race([state.changed(KEY, version), sleep(ALIVE)]);
    if (entry) version = entry.version;
    yield entry ? event(entry) : ': alive\n\n';
  }
}

/** The request stays open; `send()` comes with the next event, or when nothing has come. */
async function next(request) {
  const entry = await Promise.race([state.changed(KEY), sleep(ALIVE)]);
  request.reply = entry ? 200 : 204;
  if (entry) request.body = entry.value;
  request.send();
}

httpout.on_request = async (request) => {
  if (request.path === '/next') return next(request);
  if (request.path !== '/events') return request.send();
  if (request.method === 'POST') {
    const version = state.set(KEY, await request.text());
    return request.respond({ status: 201, json: { version } });
  }
  const seen = Number(request.headers.get('last-event-id') ?? state.entry(KEY).version);
  request.respond({ headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }, body: events(seen) });
};
