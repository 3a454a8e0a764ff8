// The client in Node against the real server: no page, a socket class of a package.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { join } from 'node:path';
import WebSocket from 'ws';
import { Proxy } from './proxy.mjs';
import { Server, within } from './server.mjs';
import { source } from './source.mjs';

const { connect } = await import(join(source, 'clients/js/sidevoice.js'));

/** What a browser would keep; given to two clients, they are two tabs of one browser. */
function local_storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
    removeItem: (key) => kept.delete(key),
  };
}

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

const sessions = [];
// Also those of a test that failed: a client comes back for ever, and the process would never end.
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

async function open(about = {}) {
  const session = await connect({ app: 'moving', url: server.url, WebSocket, storage: local_storage(), ...about });
  sessions.push(session);
  return session;
}

const event_of = (session, name) =>
  within(new Promise((resolve) => session.on(name, (...args) => resolve(args))), `the event "${name}"`);

/** Sends, and waits for the answer. */
async function say(session, text) {
  const turn = await within(session.send(text), `the acknowledgement of "${text}"`);
  return within(turn.done, `the answer to "${text}"`);
}

/** Waits until a condition on one or more sessions holds. */
function until(watched, condition, what) {
  const offs = [];
  return within(
    new Promise((resolve) => {
      const look = () => {
        if (condition()) resolve();
      };
      for (const session of [watched].flat()) offs.push(session.on('change', look));
      look();
    }),
    what,
  ).finally(() => offs.forEach((off) => off()));
}

test('a message is durable when send resolves, and its turn ends with the answer', async () => {
  const session = await open();
  const turn = await session.send('My name is Ada Lovelace.');
  assert.ok(Number.isInteger(turn.seq));
  const answer = await turn.done;
  assert.equal(answer.status, 'completed');
  assert.equal(session.store.message(answer.items[0]).text, answer.text);
  assert.ok(answer.text.length > 0);
  session.close();
  assert.equal(session.state, 'closed');
});

test('the session is taken up again with what it had, and "new" begins another', async () => {
  const storage = local_storage();
  const first = await open({ storage });
  await say(first, 'My name is Ada Lovelace.');
  first.close();
  const second = await open({ storage });
  assert.equal(second.id, first.id);
  assert.deepEqual(second.messages.map((message) => message.text), first.messages.map((message) => message.text));
  second.close();
  const third = await open({ storage, session: 'new' });
  assert.notEqual(third.id, first.id);
  third.close();
});

test('an edit by hand resolves with the topic, the same value again is no fault, and undo puts back what was', async () => {
  const session = await open();
  const topic = await session.topics.set('home', 'flat');
  assert.equal(topic.value, 'flat');
  assert.equal(topic.by, 'person');
  const same = await session.topics.set('home', 'flat');
  assert.equal(same.value, 'flat');
  await session.topics.set('home', 'house');
  await session.topics.undo();
  assert.equal(session.topics.get('home').value, 'flat');
  session.close();
});

test('a value that its topic refuses rejects with the reason and the topic as it stands', async () => {
  const session = await open();
  await assert.rejects(session.topics.set('home', 'castle'), (fault) => {
    assert.equal(fault.param, 'home');
    assert.ok(fault.message.length > 10, fault.message);
    assert.equal(fault.current.id, 'home');
    return true;
  });
  await assert.rejects(session.topics.set('colour', 'red'), { code: 'topic_unknown' });
  session.close();
});

test('an edit that is based on an older revision rejects and changes nothing', async () => {
  const session = await open();
  await session.topics.set('home', 'flat');
  await assert.rejects(session.topics.set('home', 'house', { base_revision: 0 }), { code: 'revision' });
  assert.equal(session.topics.get('home').value, 'flat');
  session.close();
});

test('what is sent while the network is gone arrives once', async () => {
  const proxy = await Proxy.start(server.url);
  const session = await open({ url: proxy.url });
  await say(session, 'My name is Ada Lovelace.');
  proxy.cut();
  await until(session, () => session.state === 'resuming', 'the loss of the socket');
  await Promise.all(['I move to Paris.', 'I have a piano.'].map((text) => say(session, text)));
  const texts = session.messages.filter((message) => message.role === 'user').map((message) => message.text);
  assert.deepEqual(texts, ['My name is Ada Lovelace.', 'I move to Paris.', 'I have a piano.']);
  session.close();
  await proxy.stop();
});

test('a message on a socket that has gone silent is delivered once by another', async () => {
  const proxy = await Proxy.start(server.url);
  const session = await open({ url: proxy.url });
  proxy.silence();
  assert.equal((await say(session, 'My name is Ada Lovelace.')).status, 'completed');
  assert.equal(session.messages.filter((message) => message.role === 'user').length, 1);
  session.close();
  await proxy.stop();
});

test('a message that a closed page could not send is sent by its next life', async () => {
  const storage = local_storage();
  const proxy = await Proxy.start(server.url);
  const first = await open({ storage, url: proxy.url });
  proxy.cut();
  await until(first, () => first.state === 'resuming', 'the loss of the socket');
  first.send('My name is Ada Lovelace.').catch(() => {});
  first.close();
  const second = await open({ storage, url: proxy.url });
  const delivered = () => second.store.messages.some((message) => message.role === 'user');
  await until(second, () => delivered() && second.messages.at(-1).role === 'assistant', 'an answer');
  assert.equal(second.messages.filter((message) => message.text === 'My name is Ada Lovelace.').length, 1);
  second.close();
  await proxy.stop();
});

test('two clients of one session show the same', async () => {
  const storage = local_storage();
  const one = await open({ storage });
  const two = await open({ storage });
  await say(one, 'My name is Ada Lovelace.');
  await two.topics.set('home', 'flat');
  await say(two, 'We move on 12 March 2027.');
  const shown = (session) => JSON.stringify([session.messages, session.topics.all()]);
  // The analysis of the last message may still be on its way to either.
  const analyzed = () => one.topics.get('date').status === 'answered';
  await until([one, two], () => analyzed() && shown(one) === shown(two), 'the same view');
  one.close();
  two.close();
});

test('an ended session says so to all, takes nothing more, and is not come back to', async () => {
  const storage = local_storage();
  const session = await open({ storage });
  const ended = event_of(session, 'ended');
  await session.end();
  assert.equal((await ended)[0].reason, 'ended');
  assert.equal(session.state, 'ended');
  await assert.rejects(session.send('hello'), { code: 'session_ended' });
  session.close();
  const next = await open({ storage });
  assert.notEqual(next.id, session.id);
  next.close();
});

test('an app that is not there is refused with a reason', async () => {
  await assert.rejects(open({ app: 'nowhere', tokenProvider: async () => 'wrong' }), { code: 'invalid_api_key' });
});

test('a session that the server no longer opens makes room for a new one', async () => {
  const storage = local_storage();
  storage.setItem(`sidevoice:${server.url}/:moving`, JSON.stringify({ session: 'sess_gone', client_key: 'ek_broken' }));
  const session = await open({ storage });
  assert.notEqual(session.id, 'sess_gone');
  session.close();
});
