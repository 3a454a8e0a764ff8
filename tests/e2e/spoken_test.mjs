// What is spoken, as it becomes part of the conversation: the client's fold and its answers, no browser, no server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { source } from './source.mjs';

const { Store } = await import(join(source, 'clients/js/store.js'));
const { Turns } = await import(join(source, 'clients/js/turns.js'));

const live = (item_id, text) => ({ type: 'conversation.item.input_audio_transcription.delta', item_id, delta: '', sidevoice: { text } });
const heard = (item_id, transcript) => ({ type: 'conversation.item.input_audio_transcription.completed', item_id, transcript });
const spoken = (id, transcript, about = {}) => ({
  type: 'conversation.item.done', previous_item_id: null,
  item: { id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_audio', transcript }] }, ...about,
});
const fold = (...events) => {
  const store = new Store();
  for (const event of events) store.apply(event);
  return store;
};
const shown = (store) => store.messages.map(({ id, text, final, status }) => [id, text, final, status]);

test('words show while they are spoken, and what was understood has the last word', () => {
  const store = fold(live('u', 'we move'), live('u', 'we moved on'), spoken('u', null, { seq: 1 }));
  assert.deepEqual(shown(store), [['u', 'we moved on', false, 'in_progress']]);
  store.apply({ ...heard('u', 'We move on Monday.'), seq: 2 });
  assert.deepEqual(shown(store), [['u', 'We move on Monday.', true, 'completed']]);
  assert.equal(store.message('u').spoken, true);
  store.apply(live('u', 'we'));
  store.apply(spoken('u', null, { seq: 1 }));
  assert.deepEqual(shown(store), [['u', 'We move on Monday.', true, 'completed']]);
});

test('words come before or after the item that they belong to', () => {
  assert.deepEqual(shown(fold(heard('u', 'Yes.'), spoken('u', 'Yes.'))), [['u', 'Yes.', true, 'completed']]);
  assert.deepEqual(shown(fold(spoken('u', null), live('u', 'ye'))), [['u', 'ye', false, 'in_progress']]);
});

test('a cough that was taken for words goes again', () => {
  for (const end of [
    { type: 'sidevoice.playback.released' }, { type: 'sidevoice.session.state', state: 'ready' },
    { type: 'input_audio_buffer.speech_started', item_id: 'v' }, { type: 'conversation.item.deleted', item_id: 'u' },
    { type: 'sidevoice.session.resumed' },
  ]) assert.deepEqual(shown(fold(live('u', 'hm'), end)), [], end.type);
  const store = fold(live('u', 'hm'), { type: 'input_audio_buffer.speech_started', item_id: 'u' });
  assert.equal(store.messages.length, 1);
  const meant = fold(live('u', 'yes'), spoken('u', null), { type: 'sidevoice.session.state', state: 'ready' });
  assert.equal(meant.messages.length, 1);
});

test('what was not understood says so', () => {
  const failed = { type: 'conversation.item.input_audio_transcription.failed', item_id: 'u', error: { message: 'The engine was away.' } };
  const store = fold(spoken('u', null), failed);
  assert.deepEqual(shown(store), [['u', '', true, 'incomplete']]);
  assert.equal(store.message('u').reason, 'The engine was away.');
});

test('an interrupted answer ends where it was heard', () => {
  const store = fold(
    { type: 'response.output_audio_transcript.delta', response_id: 'r', item_id: 'a', n: 1, delta: 'Hello there, how are you?' },
    { type: 'conversation.item.done', item: { id: 'a', type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_audio', transcript: 'Hello there,' }] } },
  );
  assert.deepEqual(shown(store), [['a', 'Hello there,', true, 'incomplete']]);
  assert.equal(store.message('a').spoken, true);
});

// -- what an answer was like

const done = (content) => ({
  type: 'response.done', response: { id: 'r', status: 'completed', output: [{ id: 'a', type: 'message', content: [content] }] },
});
const measured = { type: 'sidevoice.turn.completed', turn: 'r', item_id: 'a', heard_text: 'Hello', latency: { silence_ms: 700 } };

test('a spoken answer is told as it was heard, with its latency, whichever comes first', async () => {
  for (const events of [[done({ type: 'output_audio', transcript: 'Hello you' }), measured], [measured, done({ type: 'output_audio', transcript: 'Hello you' })]]) {
    const turns = new Turns();
    const answer = turns.begin('u', 'r');
    for (const event of events) turns.on_event(event);
    assert.deepEqual(await answer, { status: 'completed', text: 'Hello', items: ['a'], response: 'r', latency: { silence_ms: 700 } });
  }
});

test('a written answer waits for no ear, and a spoken one not for ever', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const turns = new Turns();
  const written = turns.begin('u', 'r');
  turns.on_event(done({ type: 'output_text', text: 'Hello' }));
  assert.equal((await written).text, 'Hello');
  const said = turns.begin('v', 'r');
  turns.on_event(done({ type: 'output_audio', transcript: 'Hello you' }));
  context.mock.timers.tick(2000);
  assert.equal((await said).text, 'Hello you');
});
