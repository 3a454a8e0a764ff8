// The client's sound in numbers: no browser, no server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { source } from './source.mjs';

const audio = join(source, 'clients/js/audio');
const pcm = await import(join(audio, 'pcm.js'));
const { Resampler } = await import(join(audio, 'resampler.js'));
const { Capture } = await import(join(audio, 'capture.js'));
const { KeptSpeech } = await import(join(audio, 'kept_speech.js'));
const { Jitter } = await import(join(audio, 'jitter.js'));
const { PlaybackAccount } = await import(join(audio, 'playback_account.js'));

function tone(hertz, rate, seconds, amplitude = 0.5) {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, at) => amplitude * Math.sin((2 * Math.PI * hertz * at) / rate));
}

/** How strong a tone is in samples, as its amplitude. The edges are left out: a filter settles there. */
function strength(samples, hertz, rate) {
  const inner = samples.slice(Math.round(rate * 0.1), samples.length - Math.round(rate * 0.1));
  let re = 0;
  let im = 0;
  inner.forEach((sample, at) => {
    const window = 1 - Math.cos((2 * Math.PI * at) / inner.length);
    re += sample * window * Math.cos((2 * Math.PI * hertz * at) / rate);
    im += sample * window * Math.sin((2 * Math.PI * hertz * at) / rate);
  });
  return (2 * Math.hypot(re, im)) / inner.length;
}

const db = (ratio) => 20 * Math.log10(ratio + 1e-12);

/** In blocks as an audio thread gives them. */
function resample(samples, from, to, block = 128) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0; at < samples.length; at += block) out.push(...resampler.push(samples.subarray(at, at + block)));
  return Float32Array.from([...out, ...resampler.end()]);
}

// -- PCM

test('PCM16 survives base64, also in long pieces, and its lowest value', () => {
  const samples = Int16Array.from({ length: 50_001 }, (_, at) => (at * 7919) % 65536 - 32768);
  samples[0] = -32768;
  assert.deepEqual(pcm.from_base64(pcm.to_base64(samples)), samples);
  assert.equal(pcm.to_base64(Int16Array.of(1, -2)), 'AQD+/w==');
});

test('half a sample at the end is dropped, and what is no base64 throws', () => {
  assert.deepEqual(pcm.from_base64('AQD+'), Int16Array.of(1));
  assert.throws(() => pcm.from_base64('%%%'));
});

test('floats beyond full scale are clipped and do not wrap', () => {
  assert.deepEqual(pcm.to_pcm16([0, 1, -1, 1.7, -1.7]), Int16Array.of(0, 32767, -32767, 32767, -32768));
});

test('the level of silence is 0, of full scale nearly 1, and 30 dB less is half', () => {
  assert.equal(pcm.level_of(new Int16Array(640)), 0);
  assert.ok(pcm.level_of(pcm.to_pcm16(tone(440, 16000, 0.1, 1))) > 0.94);
  const half = pcm.level_of(pcm.to_pcm16(tone(440, 16000, 0.1, 0.0447)));
  assert.ok(Math.abs(half - 0.5) < 0.01, String(half));
});

// -- resampling

for (const [from, to] of [[48000, 16000], [44100, 16000], [48000, 24000], [24000, 48000], [24000, 44100], [16000, 16000], [22050, 16000]]) {
  test(`a tone of 1 kHz comes through from ${from} to ${to} Hz as it was, at its place and in its length`, () => {
    const out = resample(tone(1000, from, 1), from, to);
    assert.ok(Math.abs(out.length - to) <= 1, `${out.length} samples`);
    const wanted = tone(1000, to, 1);
    const inner = Math.round(to * 0.05);
    let worst = 0;
    for (let at = inner; at < to - inner; ++at) worst = Math.max(worst, Math.abs(out[at] - wanted[at]));
    assert.ok(worst < 0.5 * 10 ** (-60 / 20), `${db(worst / 0.5).toFixed(1)} dB of error`);
  });
}

test('what 16 kHz cannot carry is taken out and does not fold back', () => {
  for (const hertz of [8500, 9000, 10_000, 12_000, 15_000, 20_000]) {
    const out = resample(tone(hertz, 48000, 1), 48000, 16000);
    const folded = Math.abs(hertz - 16000 * Math.round(hertz / 16000));
    assert.ok(db(strength(out, folded, 16000) / 0.5) < -40, `${hertz} Hz folds to ${folded} Hz`);
  }
});

test('speech below 5.5 kHz loses less than 1 dB on its way to 16 kHz', () => {
  for (const hertz of [100, 300, 2000, 4000, 5500]) {
    const out = resample(tone(hertz, 48000, 1), 48000, 16000);
    assert.ok(Math.abs(db(strength(out, hertz, 16000) / 0.5)) < 1, `${hertz} Hz`);
  }
});

test('blocks of any size give the same samples', () => {
  const samples = tone(700, 44100, 0.5);
  assert.deepEqual(resample(samples, 44100, 16000, 128), resample(samples, 44100, 16000, 1009));
});

test('rates without a common measure work, with a table that stays small', () => {
  const out = resample(tone(1000, 44_056, 1), 44_056, 16_001);
  assert.ok(db(strength(out, 1000, 16_001) / 0.5) > -0.5);
});

// -- capture

test('a microphone of 48 kHz gives pieces of 40 ms at 16 kHz, from the mean of its channels', () => {
  const capture = new Capture(48000, 16000);
  const left = tone(1000, 48000, 0.5);
  const pieces = [];
  for (let at = 0; at < left.length; at += 128) {
    const block = left.subarray(at, at + 128);
    pieces.push(...capture.push([block, new Float32Array(block.length)]));
  }
  assert.equal(pieces.length, 12);
  assert.ok(pieces.every((piece) => piece.pcm.length === 640));
  const peak = Math.max(...pieces[5].pcm) / 32767;
  assert.ok(Math.abs(peak - 0.25) < 0.005, String(peak));
});

test('what is not a whole piece yet comes out at the end, to the millisecond, and only once', () => {
  const capture = new Capture(16000, 16000);
  assert.equal(capture.push([new Float32Array(1000).fill(0.5)]).length, 1);
  const rest = capture.rest();
  assert.equal(rest.pcm.length, 368);
  assert.deepEqual([rest.pcm[359], rest.pcm[360]], [16384, 0]);
  assert.equal(capture.rest(), null);
  assert.deepEqual(capture.push([]), []);
});

// -- kept speech

const ms = (length, value = 1) => new Int16Array(16 * length).fill(value);
const kept_of = (options) => new KeptSpeech({ stream: 'mic_1', rate: 16000, ...options });

test('speech is kept until it is acknowledged, to the millisecond', () => {
  const kept = kept_of();
  for (let at = 0; at < 5; ++at) kept.append(ms(40, at));
  assert.deepEqual([kept.from_ms, kept.to_ms, kept.kept_ms], [0, 200, 200]);
  assert.equal(kept.acknowledge('mic_1', 50), true);
  assert.deepEqual([kept.from_ms, kept.kept_ms], [50, 150]);
  const { stream, from_ms, parts } = kept.replay();
  assert.deepEqual([stream, from_ms], ['mic_1', 50]);
  const sound = pcm.join(parts.map((part) => part.pcm));
  assert.equal(sound.length, 16 * 150);
  assert.deepEqual([sound[0], sound[16 * 30]], [1, 2]);
});

test('an acknowledgement of another stream, of the past or of the future harms nothing', () => {
  const kept = kept_of();
  kept.append(ms(80));
  assert.equal(kept.acknowledge('mic_0', 80), false);
  kept.acknowledge('mic_1', 40);
  kept.acknowledge('mic_1', 20);
  kept.acknowledge('mic_1', Number.NaN);
  assert.equal(kept.from_ms, 40);
  kept.acknowledge('mic_1', 5000);
  assert.deepEqual([kept.from_ms, kept.to_ms, kept.kept_ms], [80, 80, 0]);
  kept.append(ms(40));
  assert.deepEqual([kept.from_ms, kept.to_ms], [80, 120]);
});

test('of more than the limit the oldest goes first, and is counted', () => {
  const kept = kept_of({ limit_ms: 1000 });
  for (let at = 0; at < 50; ++at) kept.append(ms(40, at));
  assert.deepEqual([kept.from_ms, kept.to_ms, kept.kept_ms, kept.dropped_ms], [1000, 2000, 1000, 1000]);
  assert.equal(kept.replay().parts[0].pcm[0], 25);
});

test('a replay comes in few pieces, with the ends that the visitor set at their places', () => {
  const kept = kept_of();
  for (let at = 0; at < 25; ++at) kept.append(ms(40));
  kept.end_here();
  kept.end_here();
  kept.append(ms(100));
  kept.end_here();
  kept.append(ms(60));
  const shape = kept.replay().parts.map((part) => (part.end ? 'end' : part.pcm.length / 16));
  assert.deepEqual(shape, [400, 400, 200, 'end', 100, 'end', 60]);
  kept.acknowledge('mic_1', 1000);
  assert.deepEqual(kept.replay().parts.map((part) => (part.end ? 'end' : part.pcm.length / 16)), [100, 'end', 60]);
});

test('nothing kept is nothing to send again', () => {
  assert.deepEqual(kept_of().replay(), { stream: 'mic_1', from_ms: 0, parts: [] });
});

// -- playback

const rate = 24000;
const voice = (length, value = 16384) => new Int16Array((rate * length) / 1000).fill(value);
const jitter_of = (about = {}) => new Jitter({ rate, source_rate: rate, ...about });

/** @returns {Float32Array} so many milliseconds of what is heard */
function hear(jitter, length, at_rate = rate) {
  const out = new Float32Array((at_rate * length) / 1000);
  jitter.pull(out);
  return out;
}

const loudest = (samples) => Math.max(...samples.map(Math.abs));
const loud_ms = (samples) => (samples.filter((sample) => Math.abs(sample) > 0.01).length * 1000) / rate;

test('nothing plays before 60 ms are there', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(40));
  assert.equal(loudest(hear(jitter, 100)), 0);
  assert.equal(jitter.report().state, 'buffering');
  jitter.push('a', voice(20));
  assert.ok(loudest(hear(jitter, 20)) > 0.4);
  assert.equal(jitter.report().state, 'playing');
});

test('an item shorter than that plays once it is complete, whole, and its end is told', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(30));
  jitter.finish('a');
  assert.ok(Math.abs(loud_ms(hear(jitter, 100)) - 30) < 1);
  assert.deepEqual(jitter.take_events(), [
    { type: 'started', item: 'a', played_ms: 0 },
    { type: 'ended', item: 'a', played_ms: 30, flushed: false },
  ]);
  assert.deepEqual([jitter.report().state, jitter.report().underruns], ['idle', 0]);
});

test('sound that runs out in the middle is a gap that is counted, and more is gathered afterwards', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(60));
  hear(jitter, 80);
  assert.equal(jitter.report().underruns, 1);
  assert.equal(jitter.report().played_ms, 60);
  jitter.push('a', voice(80));
  assert.equal(loudest(hear(jitter, 10)), 0);
  jitter.push('a', voice(20));
  assert.ok(loudest(hear(jitter, 10)) > 0.4);
  assert.equal(jitter.report().played_ms, 70);
});

test('what nobody tells the end of is over when it runs out, without a gap', () => {
  const jitter = jitter_of();
  jitter.push('m', voice(100), 0, true);
  hear(jitter, 150);
  assert.deepEqual([jitter.report().underruns, jitter.report().state], [0, 'idle']);
  assert.deepEqual(jitter.take_events().at(-1), { type: 'ended', item: 'm', played_ms: 100, flushed: false });
  jitter.push('a', voice(60));
  assert.ok(loudest(hear(jitter, 20)) > 0.4);
});

test('two items follow each other without a gap, each with its own account', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(100));
  jitter.finish('a');
  jitter.push('b', voice(100, -16384));
  const heard = hear(jitter, 150);
  assert.deepEqual(jitter.take_events().map(({ type, item }) => `${type} ${item}`), ['started a', 'ended a', 'started b']);
  assert.deepEqual([jitter.report().item, jitter.report().played_ms], ['b', 50]);
  assert.ok(Math.abs(loud_ms(heard) - 150) < 1);
});

test('a pause fades, loses nothing, and goes on where it was', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(500));
  hear(jitter, 100);
  jitter.hold();
  const fading = hear(jitter, 20);
  assert.ok(fading[0] > 0.4 && fading.at(-1) === 0);
  const { played_ms } = jitter.report();
  assert.ok(played_ms >= 105 && played_ms <= 107, String(played_ms));
  assert.equal(loudest(hear(jitter, 1000)), 0);
  jitter.push('a', voice(100));
  assert.deepEqual([jitter.report().state, jitter.report().played_ms], ['held', played_ms]);
  jitter.release();
  hear(jitter, 100);
  assert.equal(jitter.report().played_ms, played_ms + 100);
  assert.equal(jitter.report().underruns, 0);
});

test('an interruption is silent within 10 ms, without a jump, and says what was heard', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(500));
  hear(jitter, 100);
  jitter.flush(['a']);
  const after = hear(jitter, 30);
  assert.ok(loud_ms(after) <= 10, String(loud_ms(after)));
  const jumps = after.slice(1).map((sample, at) => Math.abs(sample - after[at]));
  assert.ok(loudest(jumps) < 0.02, String(loudest(jumps)));
  const [, ended] = jitter.take_events();
  assert.equal(ended.flushed, true);
  assert.ok(ended.played_ms >= 100 && ended.played_ms <= 110, String(ended.played_ms));
  jitter.push('a', voice(200));
  assert.equal(loudest(hear(jitter, 100)), 0);
  assert.equal(jitter.report().state, 'idle');
});

test('an interruption during a pause is silent at once, and the next answer plays', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(500));
  hear(jitter, 100);
  jitter.hold();
  hear(jitter, 20);
  jitter.flush(['a']);
  assert.equal(loudest(hear(jitter, 100)), 0);
  jitter.push('b', voice(100));
  assert.ok(loudest(hear(jitter, 20)) > 0.4);
  assert.equal(jitter.report().item, 'b');
});

test('an answer that was dropped before it was heard says so', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(40));
  jitter.flush();
  assert.deepEqual(jitter.take_events(), [{ type: 'ended', item: 'a', played_ms: 0, flushed: true }]);
});

test('a flush of one item leaves the others alone', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(100));
  jitter.finish('a');
  jitter.push('b', voice(100));
  hear(jitter, 50);
  jitter.flush(['b']);
  const heard = hear(jitter, 100);
  assert.ok(Math.abs(loud_ms(heard) - 50) < 1, String(loud_ms(heard)));
  const ends = jitter.take_events().filter(({ type }) => type === 'ended');
  assert.deepEqual(ends.map(({ item, played_ms }) => [item, played_ms]), [['b', 0], ['a', 100]]);
});

test('sound that comes twice after a break plays once, and what is missing is counted as passed', () => {
  const jitter = jitter_of();
  jitter.push('a', voice(100), 0);
  jitter.push('a', voice(100), 60);
  jitter.push('a', voice(100), 160);
  assert.equal(jitter.report().buffered_ms, 260);
  jitter.push('a', voice(100), 500);
  jitter.finish('a');
  assert.ok(Math.abs(loud_ms(hear(jitter, 600)) - 360) < 1);
  assert.equal(jitter.take_events().at(-1).played_ms, 600);
});

test('positions are of the item, whatever the loudspeaker\'s rate', () => {
  const jitter = jitter_of({ rate: 44100 });
  for (let at = 0; at < 10; ++at) jitter.push('a', voice(20));
  jitter.finish('a');
  hear(jitter, 100, 44100);
  assert.ok(Math.abs(jitter.report().played_ms - 100) <= 1);
  hear(jitter, 200, 44100);
  assert.equal(jitter.take_events().at(-1).played_ms, 200);
});

test('a flood is bounded: the oldest goes, and is counted', () => {
  const jitter = jitter_of();
  for (let second = 0; second < 40; ++second) jitter.push('a', voice(1000));
  const { buffered_ms, dropped_ms } = jitter.report();
  assert.deepEqual([buffered_ms, dropped_ms], [30_000, 10_000]);
  hear(jitter, 100);
  assert.equal(jitter.report().played_ms, 10_100);
});

// -- what the server is told of it

function playing(item, played_ms, state = 'playing') {
  return { events: [], report: { item, played_ms, state } };
}

test('the server hears of the playback at its start, every 200 ms, when it stops and at its end', () => {
  const account = new PlaybackAccount();
  const told = [];
  const take = (what, now) => told.push(...account.take(what, { now, latency_ms: 20 }).map(({ played_ms }) => [now, played_ms]));
  take({ events: [{ type: 'started', item: 'a', played_ms: 0 }], report: playing('a', 10).report }, 1000);
  for (let at = 50; at <= 500; at += 50) take(playing('a', 10 + at), 1000 + at);
  take(playing('a', 515, 'held'), 1550);
  take(playing('a', 515, 'held'), 2000);
  take({ events: [{ type: 'ended', item: 'a', played_ms: 600, flushed: false }], report: playing(null, 0, 'idle').report }, 2100);
  assert.deepEqual(told, [[1050, 40], [1250, 240], [1450, 440], [1550, 495], [2100, 600]]);
});

test('of an answer that is broken off, what was still on its way to the ear does not count', () => {
  const account = new PlaybackAccount();
  const about = { now: 0, latency_ms: 30 };
  account.take({ events: [{ type: 'started', item: 'a', played_ms: 0 }], report: playing('a', 200).report }, about);
  assert.deepEqual(account.now(), { item_id: 'a', played_ms: 170 });
  const ended = [{ type: 'ended', item: 'a', played_ms: 250, flushed: true }, { type: 'ended', item: 'b', played_ms: 0, flushed: true }];
  assert.deepEqual(account.take({ events: ended, report: playing(null, 0, 'idle').report }, about), [
    { item_id: 'a', played_ms: 220 },
    { item_id: 'b', played_ms: 0 },
  ]);
  assert.equal(account.now(), null);
});
