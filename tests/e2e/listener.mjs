// The server's own ears, for a test's sound: what was played to a visitor is spoken to another session, which writes it down.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import WebSocket from 'ws';
import { within } from './server.mjs';
import { source } from './source.mjs';
import { at_rate, sequence, silence } from './voice_support.mjs';

const { to_base64 } = await import(join(source, 'clients/js/audio/pcm.js'));
const rate = 16000;

/**
 * What the server understands of a sound.
 * @param {import('./server.mjs').Server} server with speech engines
 * @param {import('./voice_support.mjs').Sound} sound
 * @returns {Promise<string>}
 */
export async function understood(server, sound) {
  const texts = [];
  // Each has a session of its own: what was heard before it is no help then, and no burden.
  for (const piece of split(at_rate(sound, rate).pcm)) texts.push(await understood_piece(server, piece));
  return texts.join(' ').trim();
}

async function understood_piece(server, pcm) {
  const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/v1/realtime?model=moving`, ['realtime']);
  const send = (frame) => socket.send(JSON.stringify(frame));
  const said = new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, why) => reject(new Error(`The socket of the listener was closed: ${code} ${why}.`)));
    socket.on('message', (text) => {
      const event = JSON.parse(text);
      if (event.type === 'session.created') ask(send, pcm);
      if (event.type === 'conversation.item.input_audio_transcription.completed') resolve(event.transcript);
      if (event.type === 'conversation.item.deleted') resolve('');
      if (event.type === 'conversation.item.input_audio_transcription.failed' || event.type === 'error')
        reject(new Error(`The listener was refused: ${text}`));
    });
  });
  try {
    return await within(said, 'what was understood');
  } finally {
    socket.removeAllListeners('close');
    socket.terminate();
  }
}

function ask(send, pcm) {
  const input = { format: { type: 'audio/pcm', rate }, turn_detection: null, transcription: { model: 'whisper-1' } };
  send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'], audio: { input } } });
  const framed = sequence(silence(300), { rate, pcm }, silence(300)).pcm;
  const step = rate;
  for (let at = 0; at < framed.length; at += step)
    send({ type: 'input_audio_buffer.append', audio: to_base64(framed.subarray(at, at + step)) });
  send({ type: 'input_audio_buffer.commit' });
}

/** What lies between two silences of most of a second, such as one answer. @param {Int16Array} pcm */
function split(pcm) {
  const window = rate / 50;
  const pieces = [];
  let from = -1;
  let end = 0;
  const finish = () => from >= 0 && pieces.push(pcm.subarray(from, Math.min(pcm.length, end + rate / 10)));
  for (let at = 0; at < pcm.length; at += window) {
    if (!pcm.subarray(at, at + window).some((sample) => Math.abs(sample) > 300)) continue;
    if (from < 0 || at - end > 0.8 * rate) {
      finish();
      from = Math.max(0, at - rate / 10);
    }
    end = at + window;
  }
  finish();
  return pieces;
}

// -- words ------------------------------------------------------------------------

// E-mail and email, don't and dont are no different words.
const words_of = (text) => text.toLowerCase().replaceAll('@', ' at ').replace(/[’']|(?<=\be)-(?=mail)/g, '').match(/[\p{L}\p{N}]+/gu) ?? [];

/** Words to put in, leave out or change, for each word that was said. @param {string} said @param {string} heard */
export function word_errors(said, heard) {
  const [a, b] = [words_of(said), words_of(heard)];
  let row = b.map((_, at) => at + 1);
  row.unshift(0);
  a.forEach((one, at) => {
    const next = [at + 1];
    b.forEach((other, to) => next.push(Math.min(row[to + 1] + 1, next[to] + 1, row[to] + (one === other ? 0 : 1))));
    row = next;
  });
  assert.ok(a.length > 0, 'nothing was said');
  return row.at(-1) / a.length;
}
