// The lines that push to a path of this server, for a shell.
'use strict';

const X264 = '-c:v libx264 -preset veryfast -tune zerolatency -g 50 -pix_fmt yuv420p -c:a aac';

const SOURCES = [
  {
    title: 'a test picture',
    input: `-re -f lavfi -i testsrc2=size=1280x720:rate=25 -re -f lavfi -i sine=sample_rate=48000 ${X264}`,
  },
  { title: 'a file', input: `-re -stream_loop -1 -i film.mp4 ${X264} -r 25` },
  {
    title: 'a camera and a microphone (Linux)',
    input: `-f v4l2 -framerate 25 -i /dev/video0 -f pulse -i default ${X264}`,
  },
];

// Low-latency DASH: segments of 2 s, of which each fifth of a second leaves as it is made. Players ask for the manifest
// each second (update_period), so that they come back when the encoder is started again; the clock is that of the server
// that they ask, by whatever name and with or without TLS.
const dash = (target) =>
  `-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 2 -frag_type duration ` +
  `-frag_duration 0.2 -target_latency ${target} -write_prft 1 -utc_timing_url /_/time -update_period 1 ` +
  `-window_size 5 -extra_window_size 5 -method PUT -http_persistent 1 -timeout 2`;

const quoted = (word) => (/^[\w\-./:,+@%]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

// `url` is that of the presentation. What HLS players play is pushed as DASH too.
function pushLines(url, target) {
  const manifest = url.replace(/\.m3u8$/, '.mpd');
  return SOURCES.map(({ title, input }) => ({
    title,
    text: `ffmpeg ${input} ${dash(target)} ${quoted(manifest)}`,
  }));
}
