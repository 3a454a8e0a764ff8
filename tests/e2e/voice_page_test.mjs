// Microphone and loudspeaker of the page in a real Chromium. The server is real for the chat; its voice is played by the test.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Tab, open_browser } from './browser.mjs';
import { sentences } from './dialogue.mjs';
import { Server, within } from './server.mjs';
import { Front, VoiceScript } from './voice_server.mjs';
import { Ear, Mouth, loudness, open_speaking_browser, sequence, share_of_tone, silence, tone } from './voice_support.mjs';

/** A page that has a chat of its own. */
const foreign = `<!doctype html><html lang="en"><title>Foreign</title>
<script type="module" src="/talk/sidevoice.js"></script>
<h1>Our own chat</h1><sidevoice-mic app="moving" mode="push"></sidevoice-mic>
<sidevoice-chat app="moving" voice="off"></sidevoice-chat>`;
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'";

let server;
let front;
let below;
let browser;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidevoice-voice-'));
  server = await Server.start();
  front = await Front.start(server.url);
  below = await Front.start(server.url, { prefix: '/talk', files: { '/page.html': { type: 'text/html', body: foreign, policy } } });
  browser = await open_speaking_browser(tone(1000, 2000), { folder });
});
after(async () => {
  await browser?.close();
  await front?.stop();
  await below?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

let context;
let script;
let ear;
/** @param {{microphone?: boolean, alone?: boolean, mouth?: boolean, from?: import('playwright-core').Browser}} options */
async function prepare({ microphone = true, alone = false, mouth = false, from = browser, ...options } = {}) {
  context = await from.newContext({ locale: 'en-GB', ...options });
  // Naming some permissions refuses all others.
  await context.grantPermissions(microphone ? ['microphone'] : []);
  if (mouth) await Mouth.give_to(context);
  ear = await Ear.give_to(context);
  script = await VoiceScript.give_to(context, { alone });
}
async function visit(options) {
  await prepare(options);
  const tab = await Tab.open(context, front.url);
  tab.mic = tab.page.locator('sidevoice-chat button.mic');
  return tab;
}
afterEach(() => context?.close());

const shows = (tab, state) => tab.page.locator(`sidevoice-chat button.mic[data-state="${state}"]`).waitFor();

async function on_air(tab) {
  await tab.mic.click();
  await shows(tab, 'listening');
}

test('a refused microphone says the remedy, and typing goes on', async () => {
  const tab = await visit({ microphone: false });
  await tab.mic.click();
  await shows(tab, 'refused');
  await tab.page.locator('sidevoice-chat').getByText('Allow it in the settings of this site').waitFor();
  assert.match(await tab.mic.getAttribute('aria-label'), /^No microphone\. The browser does not let/);
  assert.ok((await tab.say(sentences.name)).length > 0);
  assert.deepEqual(script.frames, []);
  tab.check_silent();
});

test('a machine without a microphone says so, and typing goes on', async () => {
  const bare = await open_browser();
  try {
    const tab = await visit({ from: bare });
    await tab.mic.click();
    await shows(tab, 'refused');
    await tab.page.locator('sidevoice-chat').getByText('No microphone was found.').waitFor();
    assert.ok((await tab.say(sentences.name)).length > 0);
    tab.check_silent();
  } finally {
    await context.close();
    await bare.close();
  }
});

test('the microphone flows in pieces of 40 ms at 16 kHz, as it sounded, and stops when it is switched off', async () => {
  const tab = await visit();
  await on_air(tab);
  const started = performance.now();
  await within(script.until(() => script.of('input_audio_buffer.append').length >= 50), 'two seconds of sound');
  assert.ok(performance.now() - started > 1000, 'sound came faster than it was said');
  const { pcm } = script.sound;
  // A busy machine tears holes into what its fake microphone gives; between two of them the tone is whole.
  const pieces = Array.from({ length: 20 }, (_, at) => ({ rate: 16000, pcm: pcm.subarray(1600 * at, 1600 * (at + 1)) }));
  const best = Math.max(...pieces.filter((piece) => loudness(piece) > 0.05).map((piece) => share_of_tone(piece, 1000)));
  assert.ok(best > 0.95, `share ${best}`);
  assert.ok(Number(await tab.mic.evaluate((mic) => mic.style.getPropertyValue('--level'))) > 0.3);
  await tab.mic.click();
  await shows(tab, 'off');
  await within(script.until(() => script.of('session.update').length === 2), 'the seat to be given back');
  assert.deepEqual(script.of('session.update')[1].session.output_modalities, ['text']);
  const before = script.of('input_audio_buffer.append').length;
  assert.ok((await tab.say(sentences.name)).length > 0);
  assert.equal(script.of('input_audio_buffer.append').length, before);
  tab.check_silent();
});

test('after a break the page goes on with the same stream from its oldest unacknowledged sound', async () => {
  const tab = await visit();
  await on_air(tab);
  const appends = () => script.of('input_audio_buffer.append');
  await within(script.until(() => appends().length >= 25), 'a second of sound');
  const { stream } = script.of('sidevoice.audio.replay')[0];
  script.tell('sidevoice.audio.acknowledged', { stream, to_ms: 400 });
  await within(script.until(() => appends().length >= 30), 'more sound');
  await script.cut();
  await within(script.until(() => script.of('sidevoice.audio.replay').length === 2), 'the page to come back');
  const again = script.of('sidevoice.audio.replay')[1];
  assert.deepEqual([again.stream, again.from_ms], [stream, 400]);
  const known = script.frames.indexOf(again);
  await within(script.until((frames) => frames.length > known + 10), 'sound after the break');
  const [first] = script.frames.slice(known + 1);
  // 400 ms in one frame: what was kept does not come in small change.
  assert.equal(Buffer.from(first.audio, 'base64').length, 2 * 16 * 400);
  tab.check_silent(/./);
});

test('an answer is heard as it was sent, and the server hears how far', async () => {
  const tab = await visit();
  await on_air(tab);
  // In one piece: how it fares in pieces that come late is for the tests of the buffer.
  script.speak(tone(440, 1500), { piece_ms: 1500 });
  script.tell('response.output_audio.done', { item_id: 'item_answer', response_id: 'resp_1' });
  await shows(tab, 'speaking');
  await within(script.until(() => script.of('sidevoice.playback.report').some(({ played_ms }) => played_ms === 1500)), 'the end of the answer');
  const reports = script.of('sidevoice.playback.report').map(({ played_ms }) => played_ms);
  assert.ok(reports.length >= 4 && reports.length <= 12, String(reports));
  assert.deepEqual(reports, [...reports].sort((a, b) => a - b));
  await within(ear.hears_nothing(), 'silence');
  const { rate, pcm } = ear.sound;
  const begin = pcm.findIndex((sample) => Math.abs(sample) > 1000);
  const end = pcm.findLastIndex((sample) => Math.abs(sample) > 1000);
  assert.ok(Math.abs((end - begin) / rate - 1.5) < 0.03, `${(end - begin) / rate} s`);
  assert.ok(share_of_tone({ rate, pcm: pcm.subarray(begin, end) }, 440) > 0.97);
  tab.check_silent();
});

test('an interruption pauses first, goes on where nobody meant it, and ends the answer where it was heard', async () => {
  const tab = await visit();
  await on_air(tab);
  script.speak(tone(440, 6000));
  await within(ear.hears_something(), 'the answer');
  script.tell('sidevoice.playback.held', { item_id: 'item_answer' });
  await within(ear.hears_nothing(), 'the pause');
  const held = script.of('sidevoice.playback.report').at(-1).played_ms;
  script.tell('sidevoice.playback.released', { item_id: 'item_answer' });
  await within(ear.hears_something(), 'the answer again');
  await within(script.until(() => script.of('sidevoice.playback.report').at(-1).played_ms > held), 'the playback to go on');
  script.tell('response.done', {
    response: { id: 'resp_1', status: 'cancelled', status_details: { type: 'cancelled', reason: 'turn_detected' }, output: [] },
  });
  await within(ear.hears_nothing(), 'silence');
  const { played_ms } = script.of('sidevoice.playback.report').at(-1);
  assert.ok(played_ms > held && played_ms < 5000, String(played_ms));
  script.tell('conversation.item.done', {
    item: { id: 'item_answer', type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_audio', transcript: 'A spoken' }] },
  });
  await tab.messages('assistant').filter({ hasText: 'A spoken' }).getByText('interrupted').waitFor();
  tab.check_silent();
});

test('live words are grey until they are meant, a spoken message bears its sign, and a cough leaves no trace', async () => {
  const tab = await visit();
  await on_air(tab);
  const words = (item_id, text) =>
    script.tell('conversation.item.input_audio_transcription.delta', { item_id, delta: '', sidevoice: { text } });
  script.tell('sidevoice.session.state', { state: 'listening' });
  await tab.state('listening');
  words('item_u', 'we move on');
  const row = tab.page.locator('sidevoice-chat [data-item="item_u"]');
  const colour = () => row.locator('.text').evaluate((text) => getComputedStyle(text).backgroundColor);
  await row.getByText('we move on').waitFor();
  const grey = await colour();
  await row.getByRole('img', { name: 'spoken' }).waitFor();
  script.tell('conversation.item.input_audio_transcription.completed', { item_id: 'item_u', transcript: 'We move on Monday.' });
  await row.getByText('We move on Monday.').waitFor();
  assert.notEqual(await colour(), grey);
  words('item_c', 'hm');
  const cough = tab.page.locator('sidevoice-chat [data-item="item_c"]');
  await cough.waitFor();
  script.tell('sidevoice.session.state', { state: 'ready' });
  await cough.waitFor({ state: 'detached' });
  tab.check_silent();
});

test('muted, the microphone says nothing; another device that takes the seat ends it with a sentence', async () => {
  const tab = await visit();
  await on_air(tab);
  await tab.page.getByRole('button', { name: 'Mute' }).click();
  await shows(tab, 'muted');
  await tab.page.locator('sidevoice-chat .mic-line').getByText('Muted').waitFor();
  await tab.page.getByRole('button', { name: 'Mute' }).click();
  await shows(tab, 'listening');
  script.tell('sidevoice.voice.seat', { state: 'elsewhere' });
  await shows(tab, 'off');
  await tab.page.locator('sidevoice-chat').getByText('in use in another window or on another device').waitFor();
  assert.ok((await tab.say(sentences.name)).length > 0);
  tab.check_silent();
});

test('a server without voice leaves a chat that says what is missing', async () => {
  const tab = await visit();
  script.seat = 'unavailable';
  await tab.mic.click();
  await shows(tab, 'refused');
  await tab.page.locator('sidevoice-chat').getByText('This server has no voice.').waitFor();
  assert.ok((await tab.say(sentences.name)).length > 0);
  tab.check_silent();
});

test('the developer\'s panel shows probability, why a turn ended and where the silence came from', async () => {
  const tab = await visit();
  await on_air(tab);
  await tab.page.getByText('Voice, for developers').click();
  await within(script.until(() => script.of('sidevoice.voice.watch').some(({ on }) => on)), 'the panel to watch');
  for (let at = 0; at < 20; ++at)
    script.tell('sidevoice.voice.probe', { at_ms: 100 * at, probability: at / 20, speaking: at > 10 });
  script.tell('sidevoice.turn.ended', { item_id: 'u', why: 'silence', silence_ms: 500, probability: null });
  const latency = { end_of_speech_ms: 500, transcript_ms: 80, first_token_ms: 60, first_clause_ms: 20, first_audio_ms: 120, played_ms: 70, silence_ms: 850 };
  script.tell('sidevoice.turn.completed', { turn: 'resp_1', item_id: 'a', heard_text: 'Hello', latency });
  const panel = tab.page.locator('#developer');
  await panel.getByText('ended by silence, 500 ms of silence').waitFor();
  await panel.getByText('850 ms', { exact: true }).waitFor();
  assert.equal(await panel.locator('.fall span').count(), 6);
  await panel.locator('[data-fact="seat"]').getByText('yours').waitFor();
  await tab.page.waitForFunction(() => {
    const canvas = document.querySelector('#developer canvas');
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0);
  });
  tab.check_silent();
});

test('beside a foreign chat, below a path and under its policy, the space bar talks', async () => {
  await prepare({ alone: true, mouth: true });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
  await page.goto(`${below.url}/page.html`);
  const button = page.getByRole('button', { name: 'Hold to talk' });
  assert.equal(await page.locator('sidevoice-chat button.mic').count(), 0);
  await button.focus();
  await page.keyboard.down(' ');
  await within(script.until(() => script.of('sidevoice.audio.replay').length === 1), 'the seat');
  assert.equal(script.of('session.update')[0].session.audio.input.turn_detection, null);
  await page.locator('sidevoice-mic').getByText('Listening; let go when you are done').waitFor();
  await new Mouth(page).say(sequence(silence(200), tone(700, 800)));
  await page.keyboard.up(' ');
  await within(script.until(() => script.of('input_audio_buffer.commit').length === 1), 'the commit');
  const { rate, pcm } = script.sound;
  const begin = pcm.findIndex((sample) => Math.abs(sample) > 3000);
  assert.ok(begin > 0 && share_of_tone({ rate, pcm: pcm.subarray(begin + 1600, begin + 8000) }, 700) > 0.9);
  await page.locator('sidevoice-mic').getByText('Hold the button').waitFor();
  assert.deepEqual(complaints, []);
});
