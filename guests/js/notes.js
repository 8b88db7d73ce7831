// A small JSON interface over `state`, which all requests share: notes are listed, added, read, and deleted.
// Run: httpout --js guests/js/notes.js --plugin_state notes.state
// Ask: curl -d '{"text":"hello"}' http://127.0.0.1:8080/notes ; curl http://127.0.0.1:8080/notes
const MOST = 1000;

const reply = (request, status, json, headers = {}) => request.respond({ status, headers, json });

// null where another request has deleted it meanwhile
const read = (key) => JSON.parse(state.get(key) ?? 'null');

async function add(request) {
  let note;
  try {
    note = await request.json();
  } catch {
    return reply(request, 400, { error: 'the body is no JSON' });
  }
  if (typeof note?.text !== 'string' || note.text.length > MOST) {
    return reply(request, 422, { error: `"text" is missing, or longer than ${MOST}` });
  }
  const id = state.increment('last');
  // In the order of their numbers, which keys are not by themselves.
  state.set(`note/${String(id).padStart(9, '0')}`, JSON.stringify({ id, text: note.text }));
  reply(request, 201, { id }, { location: `/notes/${id}` });
}

httpout.on_request = (request) => {
  const [, id] = /^\/notes(?:\/(\d{1,9}))?$/.exec(request.path) ?? [];
  if (!request.path.startsWith('/notes')) return request.send();
  if (id === undefined) {
    if (request.path !== '/notes') return reply(request, 404, { error: 'there is no such note' });
    if (request.method === 'POST') return add(request);
    return reply(request, 200, [...state.keys('note/')].map(read).filter(Boolean));
  }
  const key = `note/${id.padStart(9, '0')}`;
  const note = read(key);
  if (!note) return reply(request, 404, { error: 'there is no such note' });
  if (request.method !== 'DELETE') return reply(request, 200, note);
  state.delete(key);
  reply(request, 200, { deleted: Number(id) });
};
