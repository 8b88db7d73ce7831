// Leaves out of HLS playlists the variants that are too much for some networks: mobile ones, or another country's.
// Run: httpout --js 'guests/js/playlist.js?dir=media&networks=10.,192.168.&most=2000000' media
// Ask: curl http://127.0.0.1:8080/main.m3u8
import { Sys } from 'gpaccore';

/** Of these clients, whose addresses begin so, no variant may have more bits per second than that. */
const networks = (config.networks ?? '').split(',').filter(Boolean);
const most = Number(config.most ?? 2_000_000);

/** Each variant is a line of attributes and the line behind it. The smallest one stays whatever it has. */
function without_large(playlist) {
  const rates = [...playlist.matchAll(/^#EXT-X-STREAM-INF:.*?\bBANDWIDTH=(\d+)/gm)].map(([, rate]) => Number(rate));
  const limit = Math.max(most, Math.min(...rates));
  return playlist.replace(/^#EXT-X-STREAM-INF:(?:.*,)?BANDWIDTH=(\d+).*\r?\n.*\r?\n?/gm,
    (variant, rate) => (Number(rate) > limit ? '' : variant));
}

httpout.on_request = (request) => {
  const file = `${config.dir ?? '.'}${request.path}`;
  const is_limited = networks.some((network) => request.IP.startsWith(network));
  if (!is_limited || request.method !== 'GET' || !file.endsWith('.m3u8') || !Sys.file_exists(file)) return request.send();
  request.respond({
    headers: { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'private' },
    body: without_large(Sys.load_file(file, true)),
  });
};
