// The client's fold alone: no server, no socket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { source } from './source.mjs';

const { Store } = await import(join(source, 'clients/js/store.js'));

function user(id, text, about = {}) {
  const item = { id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text }] };
  return { type: 'conversation.item.done', item, previous_item_id: null, ...about };
}

function answer(id, text, status = 'completed', about = {}) {
  const content = status === 'in_progress' ? [] : [{ type: 'output_text', text }];
  const item = { id, type: 'message', role: 'assistant', status, content };
  return { type: status === 'in_progress' ? 'conversation.item.added' : 'conversation.item.done', item, ...about };
}

function delta(item_id, n, text, about = {}) {
  const type = 'response.output_text.delta';
  return { type, response_id: 'resp_1', item_id, attempt: 1, n, delta: text, seq: null, ...about };
}

function fold(events, store = new Store()) {
  for (const event of events) store.apply(event);
  return store;
}

const snapshot = (about = {}) => ({ type: 'sidevoice.session.snapshot', session: 's', seq: 9, store: 'st', topics: [], ...about });

test('pieces of an answer add up, and a repeated piece does not count twice', () => {
  const store = fold([answer('a', '', 'in_progress'), delta('a', 1, 'Hel'), delta('a', 2, 'lo'), delta('a', 2, 'lo')]);
  assert.equal(store.message('a').text, 'Hello');
  assert.equal(store.message('a').final, false);
});

test('the text so far replaces what had streamed in', () => {
  const store = fold([delta('a', 1, 'Hel'), delta('a', 3, 'Hello you', { so_far: true }), delta('a', 3, 'you'), delta('a', 4, '!')]);
  assert.equal(store.message('a').text, 'Hello you!');
});

test('the finished item has the last word, and late pieces are dropped', () => {
  const store = fold([delta('a', 1, 'Hello wor'), answer('a', 'Hello', 'incomplete'), delta('a', 2, 'ld')]);
  assert.equal(store.message('a').text, 'Hello');
  assert.equal(store.message('a').status, 'incomplete');
  assert.equal(store.message('a').final, true);
});

test('a new attempt makes what the former one left unfinished void', () => {
  const store = fold([delta('a', 1, 'Hel'), delta('b', 1, 'Good', { attempt: 2 })]);
  assert.deepEqual(store.messages.map((message) => message.id), ['b']);
});

test('a response that is done leaves nothing in progress', () => {
  const store = fold([
    answer('a', '', 'in_progress'),
    delta('a', 1, 'Hel'),
    { type: 'response.done', response: { id: 'resp_1', status: 'failed', output: [] } },
  ]);
  assert.equal(store.message('a').final, true);
  assert.equal(store.message('a').status, 'incomplete');
});

test('items stand behind the item they name, and events told again change nothing', () => {
  const events = [user('a', 'one'), user('c', 'three', { previous_item_id: 'a' }), user('b', 'two', { previous_item_id: 'a' })];
  const store = fold([...events, ...events]);
  assert.deepEqual(store.messages.map((message) => message.text), ['one', 'two', 'three']);
});

test('a deleted item is gone', () => {
  const store = fold([user('a', 'one'), { type: 'conversation.item.deleted', item_id: 'a' }]);
  assert.deepEqual(store.messages, []);
});

test('an event counts as seen only when its last frame has come', () => {
  const store = fold([user('a', 'one', { seq: 4, more: true })]);
  assert.equal(store.seq, 0);
  fold([user('a', 'one', { seq: 4 })], store);
  assert.equal(store.seq, 4);
});

test('a snapshot counts as seen only with its last item', () => {
  const store = fold([user('old', 'old', { seq: 3 }), snapshot({ more: true })]);
  assert.deepEqual(store.messages, []);
  assert.equal(store.replaying, true);
  assert.equal(store.seq, 0, 'a socket that breaks here asks for the whole again');
  fold([user('a', 'one', { seq: 2, more: true }), user('b', 'two', { seq: 5 })], store);
  assert.equal(store.replaying, false);
  assert.equal(store.seq, 9);
});

test('a snapshot without items is whole at once', () => {
  const store = fold([snapshot()]);
  assert.equal(store.replaying, false);
  assert.equal(store.seq, 9);
});

test('a topic takes its newest revision only', () => {
  const topic = (revision, value) => ({ type: 'sidevoice.topic.updated', revision, topic: { id: 'date', revision, value }, by: 'person' });
  const store = fold([topic(2, 'new'), topic(1, 'old')]);
  assert.equal(store.topic('date').value, 'new');
  assert.equal(store.topic('date').by, 'person');
  assert.equal(store.revision, 2);
});

test('completion comes and goes with the checklist', () => {
  const store = fold([{ type: 'sidevoice.checklist.completed', revision: 7, result: { name: 'Ada' } }]);
  assert.deepEqual(store.completed, { revision: 7, result: { name: 'Ada' } });
  fold([{ type: 'sidevoice.checklist.reopened', revision: 8 }], store);
  assert.equal(store.completed, null);
});

test('unknown events and items that are no messages are left alone', () => {
  const call = { id: 'f', type: 'function_call', status: 'completed', call_id: 'c', name: 'x', arguments: '{}' };
  const store = fold([{ type: 'response.something_new' }, { type: 'conversation.item.done', item: call }]);
  assert.deepEqual(store.messages, []);
});

const asks = (call_id, about = {}) => ({ type: 'sidevoice.approval.requested', call_id, name: 'book', arguments: {}, say: 'Book', seq: 9, ...about });
const names = (changes) => changes.map(([name]) => name);

test('a question is told once, and gone when it is answered', () => {
  const store = new Store();
  assert.deepEqual(names(store.apply(asks('c'))), ['approval']);
  assert.deepEqual(store.apply(asks('c')), []);
  assert.deepEqual(store.apply({ type: 'sidevoice.approval.answered', call_id: 'c', approve: true, seq: 10 }), [
    ['approval_answered', { callId: 'c', approve: true }],
  ]);
  assert.deepEqual(store.calls.approvals, []);
});

test('what a resume does not ask for again was answered meanwhile, what it asks for again stays', () => {
  const store = fold([asks('one'), asks('two')]);
  const changes = [
    { type: 'sidevoice.session.resumed', from_seq: 9, to_seq: 12, state: 'ready', seq: 12, more: true },
    asks('two', { seq: 12 }),
  ].flatMap((event) => store.apply(event));
  assert.deepEqual(changes.filter(([name]) => name !== 'phase'), [['approval_answered', { callId: 'one', approve: undefined }]]);
  assert.deepEqual(store.calls.approvals.map(({ call_id }) => call_id), ['two']);
});

test('a tool runs from its call to its output, and not while it waits for a word', () => {
  const item = (id, type, about) => ({ type: 'conversation.item.done', item: { id, type, status: 'completed', call_id: 'c', ...about } });
  const store = fold([item('f', 'function_call', { name: 'book', arguments: '{}' })]);
  assert.deepEqual(store.calls.running, [{ call_id: 'c', name: 'book' }]);
  fold([asks('c')], store);
  assert.deepEqual(store.calls.running, []);
  fold([{ type: 'sidevoice.approval.answered', call_id: 'c', approve: true, seq: 10 }], store);
  assert.equal(store.calls.running.length, 1);
  fold([item('o', 'function_call_output', { output: 'ok' })], store);
  assert.deepEqual(store.calls.running, []);
});
