// Lets in who has a link that was signed: `/path?expires=SECONDS&token=HMAC`, until then and for that path only.
// Run: httpout --js 'guests/js/token.js?secret=change-me' media
// Sign: printf '/a.mp4 1999999999' | openssl dgst -sha1 -hmac change-me      Ask: curl 'http://127.0.0.1:8080/a.mp4?expires=...&token=...'
import { SHA1, Sys } from 'gpaccore';

/** What SHA-1 takes at a time. */
const BLOCK = 64;

if (!config.secret) throw new Error('name the secret that signs: token.js?secret=...');

function hash(...parts) {
  const sha1 = new SHA1();
  for (const part of parts) sha1.push(part);
  return sha1.get();
}

/** HMAC-SHA-1 as RFC 2104 has it, in base 16. */
function sign(secret, text) {
  const bytes = new TextEncoder().encode(secret);
  const key = new Uint8Array(BLOCK);
  key.set(bytes.length > BLOCK ? new Uint8Array(hash(bytes)) : bytes);
  const inner = hash(key.map((byte) => byte ^ 0x36), new TextEncoder().encode(text));
  return Sys.base16enc(hash(key.map((byte) => byte ^ 0x5c), inner));
}

/** Takes as long wherever they differ, so that nobody finds a token character by character. */
function is_same(one, other) {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return difference === 0;
}

httpout.on_request = (request) => {
  // The path as the server resolves it: `url` could name the same file in other words.
  const { searchParams } = new URL(request.target, 'http://here');
  const expires = searchParams.get('expires') ?? '';
  const token = searchParams.get('token') ?? '';
  if (!is_same(sign(config.secret, `${request.path} ${expires}`), token)) {
    return request.respond({ status: 403, body: 'this link is not signed\n' });
  }
  if (!(Number(expires) * 1000 > Date.now())) {
    return request.respond({ status: 410, body: 'this link has expired\n' });
  }
  request.send();
};
