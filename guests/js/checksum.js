// Takes uploads, keeps what has the SHA-1 that the client told, and answers with the sum.
// Run: httpout --js 'guests/js/checksum.js?dir=uploads' --wdir uploads
// Ask: curl -T a.mp4 -H "X-SHA1: $(sha1sum < a.mp4 | cut -d' ' -f1)" http://127.0.0.1:8080/a.mp4
import { File, SHA1, Sys } from 'gpaccore';

const NAME = /^\/([\w-][\w.-]*)$/;

httpout.on_request = (request) => {
  if (request.method !== 'PUT') return request.send();
  const [, name] = NAME.exec(request.path) ?? [];
  if (!name) return request.respond({ status: 403, body: 'uploads have plain names\n' });

  // Under another name until it is whole and right.
  const path = `${config.dir ?? '.'}/${name}`;
  const part = `${path}.${request.id}.part`;
  const file = new File(part, 'wb');
  const hash = new SHA1();
  let is_kept = false;

  request.reply = 201;
  request.write = (buffer) => {
    if (buffer) {
      hash.push(buffer);
      file.write(buffer);
      return;
    }
    const sha1 = Sys.base16enc(hash.get());
    const expected = request.headers.get('x-sha1')?.toLowerCase() ?? sha1;
    is_kept = sha1 === expected;
    if (is_kept) Sys.move(part, path);
    request.reply = is_kept ? 201 : 422;
    request.headers_out.push({ name: 'content-type', value: 'application/json' });
    request.body = JSON.stringify({ sha1, bytes: request.bytes_received });
  };
  request.close = () => {
    file.close();
    if (!is_kept) Sys.del(part);
    print(`${name} is ${is_kept ? 'kept' : 'thrown away'}`);
  };
  request.send();
};
