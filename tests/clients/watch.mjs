// Watches the player page of httpout in Chromium and prints what it shows, a line for each quarter of a second:
//   node watch.mjs CHROMIUM URL SECONDS SCREENSHOT
// SECONDS count from the first picture. A line is `sample` and its values, tabs between, `-` for none; an error is `error`
// and its text. `cargo xtask clients` reads this.
import puppeteer from 'puppeteer-core';

const [executablePath, url, seconds, screenshot] = process.argv.slice(2);
const PATIENCE = 40_000;
const STEP = 250;

const browser = await puppeteer.launch({
  executablePath,
  headless: true,
  // It ends with this process, however that ends.
  pipe: true,
  acceptInsecureCerts: true,
  args: ['--headless=new', '--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio',
    '--ignore-certificate-errors', '--disable-gpu'],
  defaultViewport: { width: 1280, height: 1000 },
});
const page = await browser.newPage();
page.on('pageerror', (error) => print('error', `page: ${error.message}`));
page.on('console', (message) => {
  const text = message.text();
  // What the policy of the page keeps out, and what its scripts complain about; answers are counted by the page.
  if (message.type() === 'error' && !text.startsWith('Failed to load resource')) print('error', `console: ${text}`);
});

await page.goto(url, { waitUntil: 'load', timeout: PATIENCE });
await page.evaluate(readClock);

let begun = null;
let told = 0;
const deadline = Date.now() + PATIENCE;
while (begun === null ? Date.now() < deadline : Date.now() < begun + seconds * 1000) {
  const { figures, camera, frames } = await page.evaluate(() => ({
    figures: window.figures, camera: window.camera(), frames: window.shown,
  }));
  // The page keeps the latest only.
  for (const error of figures.errors.slice(told)) print('error', error);
  told = figures.errors.length;
  if (figures.state === 'playing') begun ??= Date.now();
  print('sample', Date.now(), figures.latency, camera, figures.target, figures.buffer, figures.dropped, figures.frames,
    figures.stalls, figures.stalledFor, figures.refused, figures.attached, frames, figures.state);
  await new Promise((resolve) => { setTimeout(resolve, STEP); });
}
await page.screenshot({ path: `${screenshot}.png`, fullPage: true });
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
await page.screenshot({ path: `${screenshot}-dark.png`, fullPage: true });
await browser.close();

function print(...values) {
  const words = values.map((value) => (value === null || value === undefined ? '-' : String(value)));
  console.log(words.map((word) => word.replaceAll(/[\t\r\n]/g, ' ')).join('\t'));
}

// In the page: the clock that the encoder has burnt in, 16 blocks for the bits of its milliseconds and their complements
// below. What `camera` gives is how old the picture on the screen is, in seconds; null where there is none.
function readClock() {
  const video = document.querySelector('video');
  const canvas = document.createElement('canvas');
  const [width, height, bits] = [640, 64, 16];
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let latest = null;
  window.shown = 0;
  const read = () => {
    const rows = (height / 360) * video.videoHeight;
    context.drawImage(video, 0, 0, video.videoWidth, rows, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const level = (x, y) => data[(y * width + x) * 4];
    let clock = 0;
    let isClear = true;
    for (let bit = 0; bit < bits; bit += 1) {
      const x = (bit + 0.5) * (width / bits);
      const [one, other] = [level(x, height / 4), level(x, (height * 3) / 4)];
      isClear &&= Math.abs(one - other) > 80;
      if (one > other) clock += 2 ** bit;
    }
    const now = Date.now();
    const cycle = 2 ** bits;
    window.shown += 1;
    if (isClear) latest = { at: now, age: (((now - clock) % cycle) + cycle) % cycle };
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
  window.camera = () => (latest && Date.now() - latest.at < 500 ? latest.age / 1000 : null);
}
