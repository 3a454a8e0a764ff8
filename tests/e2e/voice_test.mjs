// What the client says and does with sound: no browser, no server, a microphone and a loudspeaker of paper.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { source } from './source.mjs';

const client = join(source, 'clients/js');
const { Voice } = await import(join(client, 'voice.js'));
const { SidevoiceError } = await import(join(client, 'errors.js'));
const { from_base64, to_base64 } = await import(join(client, 'audio/pcm.js'));

/** A voice on a desk: `frames` is what it sent, `notices` what it said, `player` what was done to the loudspeaker. */
class Desk {
  frames = [];
  notices = [];
  player = [];
  interrupted = 0;
  dropped = 0;
  up = true;
  backlog = 0;
  closed = false;
  enabled = true;
  /** What is still in the worklet when somebody lets go. */
  rest = null;
  position = null;
  fault = null;

  constructor() {
    this.voice = new Voice({
      transmit: (frame) => this.up && Boolean(this.frames.push(frame)),
      backlog: () => this.backlog,
      drop_socket: () => ++this.dropped,
      interrupt: () => ++this.interrupted,
      announce: (changes) => this.notices.push(...changes.filter(([name]) => name === 'notice').map(([, notice]) => notice)),
      open_sound: (about) => this.#open(about),
    });
  }

  async #open(about) {
    this.about = about;
    if (this.fault) throw this.fault;
    const desk = this;
    const record = (name) => (...args) => void this.player.push([name, ...args]);
    const player = { stats: { state: 'idle' }, get position() { return desk.position; } };
    for (const name of ['push', 'finish', 'hold', 'release', 'flush']) player[name] = record(name);
    const microphone = {
      set enabled(enabled) { desk.enabled = enabled; },
      rest: async () => this.rest && this.say(this.rest, 1),
    };
    return { microphone, player, close: () => { this.closed = true; } };
  }

  /** A desk whose microphone has the seat. */
  static async live(options) {
    const desk = new Desk();
    const started = desk.voice.start(options);
    await new Promise(setImmediate);
    desk.tell('sidevoice.voice.seat', { state: 'yours' });
    await started;
    return desk;
  }

  tell(type, about = {}) {
    this.voice.on_event({ type, ...about });
  }

  /** The visitor says something. */
  say(length, value = 7) {
    this.about.on_piece({ pcm: new Int16Array(16 * length).fill(value), level: 0.5 });
  }

  /** The socket goes, and another comes. */
  lose() {
    this.up = false;
    this.voice.on_down();
  }

  come_back() {
    this.up = true;
    this.frames = [];
    this.voice.on_synced();
  }

  types() {
    return this.frames.map(({ type }) => type);
  }

  take() {
    return this.frames.splice(0);
  }

  get stream() {
    return this.frames.find(({ type }) => type === 'sidevoice.audio.replay').stream;
  }
}

const append = 'input_audio_buffer.append';
const sound_ms = (frames) => frames.filter(({ type }) => type === append)
  .reduce((sum, { audio }) => sum + from_base64(audio).length / 16, 0);

test('a start asks for sound both ways and for the seat, and is done when the seat is ours', async () => {
  const desk = new Desk();
  const states = [];
  desk.voice.on('state', (now) => states.push(now));
  const started = desk.voice.start();
  await new Promise(setImmediate);
  assert.equal(desk.voice.state, 'starting');
  const [update, replay] = desk.take();
  assert.deepEqual(update.session, {
    type: 'realtime', output_modalities: ['audio'],
    audio: { input: { format: { type: 'audio/pcm', rate: 16000 } }, output: { format: { type: 'audio/pcm', rate: 24000 } } },
  });
  assert.deepEqual([replay.type, replay.from_ms], ['sidevoice.audio.replay', 0]);
  assert.match(replay.stream, /^[A-Za-z0-9_-]{1,64}$/);
  // The first word is not lost while the server thinks about it.
  desk.say(40);
  assert.deepEqual(desk.types(), [append]);
  desk.tell('sidevoice.voice.seat', { state: 'yours' });
  await started;
  assert.deepEqual(states, ['starting', 'live']);
});

test('a stop gives the seat back, says how far the answer was heard, and closes the microphone', async () => {
  const desk = await Desk.live();
  desk.take();
  desk.position = { item_id: 'a', played_ms: 120 };
  desk.voice.stop();
  const [report, update] = desk.take();
  assert.deepEqual([report.type, report.item_id, report.played_ms], ['sidevoice.playback.report', 'a', 120]);
  assert.deepEqual(update.session, { type: 'realtime', output_modalities: ['text'] });
  assert.equal(desk.closed, true);
  assert.equal(desk.voice.state, 'off');
  assert.deepEqual(desk.notices, []);
});

test('a stop while the browser still asks closes what it opens later, and the start rejects', async () => {
  const desk = new Desk();
  const started = desk.voice.start();
  desk.voice.stop();
  await assert.rejects(started, { code: 'microphone_off' });
  await new Promise(setImmediate);
  assert.equal(desk.closed, true);
  assert.deepEqual(desk.frames, []);
});

test('a refused microphone is a notice with its remedy, and the next start tries again', async () => {
  const desk = new Desk();
  desk.fault = new SidevoiceError('Allow it.', { code: 'microphone_refused' });
  await assert.rejects(desk.voice.start(), { code: 'microphone_refused' });
  assert.deepEqual([desk.voice.state, desk.voice.reason], ['refused', 'Allow it.']);
  assert.deepEqual(desk.notices, [{ code: 'microphone_refused', level: 'warning', text: 'Allow it.' }]);
  assert.deepEqual(desk.frames, []);
  desk.fault = null;
  const again = desk.voice.start();
  await new Promise(setImmediate);
  desk.tell('sidevoice.voice.seat', { state: 'yours' });
  await again;
  assert.deepEqual([desk.voice.state, desk.voice.reason], ['live', '']);
});

test('a microphone that is unplugged gives the seat back and says so', async () => {
  const desk = await Desk.live();
  desk.take();
  desk.about.on_lost();
  assert.deepEqual(desk.types(), ['session.update']);
  assert.deepEqual([desk.voice.state, desk.notices[0].code], ['refused', 'microphone_lost']);
});

test('a server without voice leaves the reason, and a chat', async () => {
  const desk = new Desk();
  const started = desk.voice.start();
  await new Promise(setImmediate);
  desk.take();
  desk.tell('sidevoice.voice.seat', { state: 'unavailable', text: 'No speech models here: run make models.' });
  await assert.rejects(started, { code: 'voice_unavailable' });
  assert.deepEqual([desk.voice.state, desk.voice.reason], ['unavailable', 'No speech models here: run make models.']);
  assert.equal(desk.closed, true);
  assert.deepEqual(desk.frames, []);
});

test('a server that refuses the request is as good as one without voice; other errors are races', async () => {
  const desk = new Desk();
  const started = desk.voice.start();
  await new Promise(setImmediate);
  const [{ event_id }] = desk.take();
  const race = { event_id: 'voice_other', message: 'nothing to commit' };
  assert.equal(desk.voice.owns(race), true);
  desk.tell('error', { error: race });
  assert.equal(desk.voice.state, 'starting');
  desk.tell('error', { error: { event_id, code: 'unsupported', message: 'There is no voice yet.' } });
  await assert.rejects(started, { code: 'unsupported' });
  assert.equal(desk.voice.reason, 'There is no voice yet.');
});

test('another tab that takes the seat stops this one, without a word to the server', async () => {
  const desk = await Desk.live();
  desk.take();
  desk.tell('sidevoice.voice.seat', { state: 'elsewhere' });
  assert.deepEqual([desk.voice.state, desk.closed, desk.frames], ['off', true, []]);
  assert.equal(desk.notices[0].code, 'microphone_elsewhere');
});

test('news of the seat do not concern those who only read', () => {
  const desk = new Desk();
  for (const state of ['elsewhere', 'free', 'unavailable']) desk.tell('sidevoice.voice.seat', { state });
  assert.deepEqual([desk.voice.state, desk.notices, desk.voice.seat], ['off', [], 'unavailable']);
});

test('after a break all that was not acknowledged is said again, from its position, and then goes on live', async () => {
  const desk = await Desk.live();
  const { stream } = desk;
  for (let at = 0; at < 5; ++at) desk.say(40, at);
  desk.tell('sidevoice.audio.acknowledged', { stream, to_ms: 80 });
  desk.lose();
  desk.take();
  for (let at = 5; at < 10; ++at) desk.say(40, at);
  assert.deepEqual(desk.frames, []);
  desk.come_back();
  const [update, replay, ...appends] = desk.take();
  assert.deepEqual(update.session.output_modalities, ['audio']);
  assert.deepEqual([replay.stream, replay.from_ms], [stream, 80]);
  assert.equal(sound_ms(appends), 320);
  assert.equal(from_base64(appends[0].audio)[0], 2);
  desk.say(40);
  assert.equal(sound_ms(desk.take()), 40);
});

test('a frame that the socket did not take is in the next replay', async () => {
  const desk = await Desk.live();
  desk.up = false;
  desk.say(40);
  desk.say(40);
  desk.come_back();
  assert.equal(sound_ms(desk.frames), 80);
});

test('sound that does not get through drops the socket', async () => {
  const desk = await Desk.live();
  desk.say(40);
  assert.equal(desk.dropped, 0);
  desk.backlog = 600_000;
  desk.say(40);
  assert.equal(desk.dropped, 1);
});

test('muting sends one second of silence and then nothing', async () => {
  const desk = await Desk.live();
  desk.take();
  desk.voice.mute();
  assert.deepEqual([desk.voice.state, desk.enabled, desk.voice.level], ['muted', false, 0]);
  for (let at = 0; at < 50; ++at) desk.say(40);
  const silent = desk.take();
  assert.equal(sound_ms(silent), 1000);
  assert.ok(silent.every(({ audio }) => from_base64(audio).every((sample) => sample === 0)));
  desk.voice.unmute();
  desk.say(40);
  assert.deepEqual([desk.voice.state, desk.enabled, sound_ms(desk.take())], ['live', true, 40]);
});

test('push to talk: only what is said while the button is down, then "that was it" and "answer"', async () => {
  const desk = await Desk.live({ mode: 'push' });
  assert.equal(desk.frames[0].session.audio.input.turn_detection, null);
  desk.take();
  desk.say(400);
  assert.deepEqual(desk.frames, []);
  desk.position = { item_id: 'a', played_ms: 90 };
  desk.voice.press();
  assert.deepEqual([desk.interrupted, desk.player.at(-1)[0], desk.frames[0].played_ms], [1, 'flush', 90]);
  desk.say(400);
  desk.rest = 30;
  desk.take();
  await desk.voice.release();
  assert.deepEqual(desk.types(), [append, 'input_audio_buffer.commit', 'response.create']);
  desk.say(400);
  assert.equal(desk.frames.length, 3);
});

test('a slip of the finger is cleared and not answered', async () => {
  const desk = await Desk.live({ mode: 'push' });
  desk.voice.press();
  desk.say(80);
  desk.take();
  await desk.voice.release();
  assert.deepEqual(desk.types(), ['input_audio_buffer.clear']);
});

test('a button that is let go while the socket is away is told at its place in the replay', async () => {
  const desk = await Desk.live({ mode: 'push' });
  desk.lose();
  desk.voice.press();
  desk.say(400);
  await desk.voice.release();
  desk.voice.press();
  desk.say(200);
  desk.come_back();
  assert.deepEqual(desk.types().slice(2), [append, 'input_audio_buffer.commit', 'response.create', append]);
});

test('from push to talk back to the open microphone, the server detects turns again as it did', async () => {
  const desk = new Desk();
  desk.tell('session.created', { session: { audio: { input: { turn_detection: { type: 'semantic_vad' } } } } });
  const started = desk.voice.start({ mode: 'push' });
  await new Promise(setImmediate);
  desk.tell('sidevoice.voice.seat', { state: 'yours' });
  await started;
  desk.take();
  await desk.voice.start({ mode: 'open' });
  assert.deepEqual(desk.frames[0].session.audio.input.turn_detection, { type: 'semantic_vad' });
  desk.lose();
  desk.come_back();
  assert.equal('turn_detection' in desk.frames[0].session.audio.input, false);
});

test('the answer\'s sound goes to the player; held, released and interrupted as the server says', async () => {
  const desk = await Desk.live();
  const delta = to_base64(Int16Array.of(1, 2, 3));
  desk.tell('response.output_audio.delta', { response_id: 'r', item_id: 'a', delta, from_ms: 40 });
  desk.tell('response.output_audio.delta', { response_id: 'r', item_id: 'a', delta: '%' });
  desk.tell('sidevoice.playback.held', { item_id: 'a' });
  desk.tell('sidevoice.playback.released', { item_id: 'a' });
  desk.tell('input_audio_buffer.speech_started', { item_id: 'u' });
  desk.tell('response.output_audio.done', { item_id: 'a' });
  desk.tell('response.done', { response: { id: 'r', status: 'cancelled' } });
  assert.deepEqual(desk.player, [
    ['push', 'a', Int16Array.of(1, 2, 3), 40, false], ['hold'], ['release'], ['finish', 'a'], ['flush', ['a']],
  ]);
});

test('what belongs to no answer, such as "one moment", is played, and nobody waits for its end', async () => {
  const desk = await Desk.live();
  desk.tell('response.output_audio.delta', { response_id: null, item_id: 'm', delta: 'AQD+/w==', from_ms: 0 });
  assert.deepEqual(desk.player, [['push', 'm', Int16Array.of(1, -2), 0, true]]);
});

test('a pause ends with the socket that ordered it', async () => {
  const desk = await Desk.live();
  desk.tell('sidevoice.playback.held', { item_id: 'a' });
  desk.lose();
  desk.come_back();
  assert.deepEqual(desk.player, [['hold'], ['release']]);
});

test('sound for a microphone that is off is not played', async () => {
  const desk = await Desk.live();
  desk.voice.stop();
  desk.tell('response.output_audio.delta', { response_id: 'r', item_id: 'a', delta: 'AQD+' });
  assert.deepEqual(desk.player, []);
});

test('the developer\'s panel is asked for again on each socket', () => {
  const desk = new Desk();
  const probes = [];
  desk.voice.on('probe', (probe) => probes.push(probe.probability));
  desk.voice.watch(true);
  desk.voice.watch(true);
  desk.lose();
  desk.come_back();
  assert.deepEqual(desk.frames.map(({ type, on }) => [type, on]), [['sidevoice.voice.watch', true]]);
  desk.tell('sidevoice.voice.probe', { at_ms: 100, probability: 0.25, speaking: false });
  assert.deepEqual(probes, [0.25]);
});
