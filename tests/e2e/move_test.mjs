// A server that goes away in good order: the client comes back when it was told to, once, and nobody hears of a fault.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { join } from 'node:path';
import WebSocket, { WebSocketServer } from 'ws';
import { Server, within } from './server.mjs';
import { source } from './source.mjs';

const { connect } = await import(join(source, 'clients/js/sidevoice.js'));

function local_storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
    removeItem: (key) => kept.delete(key),
  };
}

const sessions = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

async function open(url, about = {}) {
  const session = await connect({ app: 'moving', url, WebSocket, storage: local_storage(), ...about });
  sessions.push(session);
  const heard = { errors: [], notices: [], states: [] };
  session.on('error', (fault) => heard.errors.push(fault));
  session.on('notice', (notice) => heard.notices.push(notice));
  session.on('state', (now) => heard.states.push(now));
  return { session, heard };
}

const state = (session, wanted) =>
  within(
    new Promise((resolve) => {
      const look = () => session.state === wanted && resolve();
      session.on('state', look);
      look();
    }),
    `the state "${wanted}"`,
  );

/** Speaks as much of the protocol as it takes to be connected, and notes when sockets came. */
class Fake {
  sockets = [];
  opened_at = [];

  static async start() {
    const fake = new Fake();
    fake.server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sidevoice.v1' });
    await new Promise((resolve) => fake.server.once('listening', resolve));
    fake.url = `http://127.0.0.1:${fake.server.address().port}`;
    fake.server.on('connection', (socket) => fake.take(socket));
    return fake;
  }

  take(socket) {
    this.sockets.push(socket);
    this.opened_at.push(performance.now());
    const send = (event) => socket.send(JSON.stringify(event));
    send({ type: 'session.created', session: { id: 'sess_1' } });
    socket.on('message', (data) => {
      const event = JSON.parse(data);
      if (event.type !== 'sidevoice.session.resume') return;
      if (this.sockets.length > 1) send({ type: 'sidevoice.session.resumed', seq: event.after_seq });
      else send({ type: 'sidevoice.session.snapshot', session: 'sess_1', seq: 0, store: 'st', topics: [], items: 0 });
      if (this.sockets.length === 1) send({ type: 'sidevoice.session.resumed', seq: 0 });
    });
  }

  move(reconnect_in_ms) {
    const socket = this.sockets.at(-1);
    socket.send(JSON.stringify({ type: 'sidevoice.session.move', reconnect_in_ms, seq: null }));
    socket.close(1012, 'the server is restarting');
  }

  stop() {
    for (const socket of this.sockets) socket.terminate();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

let fake;
before(async () => {
  fake = await Fake.start();
});
after(() => fake.stop());

test('a client that is told to move comes back after that time, once, without a fault', async () => {
  const { session, heard } = await open(fake.url);
  const sockets = fake.sockets.length;
  const begin = performance.now();
  fake.move(1500);
  await state(session, 'resuming');
  await state(session, 'ready');
  const waited = fake.opened_at.at(-1) - begin;
  // Its own first pause is a quarter of a second at most: that it waited longer is the server's word.
  assert.ok(waited >= 1450, `it came back after ${waited} ms`);
  assert.equal(fake.sockets.length, sockets + 1);
  assert.deepEqual(heard.errors, []);
  assert.deepEqual(heard.notices, []);
});

test('a time that makes no sense means at once, and is over with the next socket', async () => {
  const { session, heard } = await open(fake.url);
  const sockets = fake.sockets.length;
  for (const nonsense of ['soon', -5, null]) {
    fake.move(nonsense);
    await state(session, 'resuming');
    await state(session, 'ready');
  }
  const begin = performance.now();
  fake.sockets.at(-1).close(1011, 'a break of the ordinary kind');
  await state(session, 'resuming');
  await state(session, 'ready');
  // Half of its own first pause at least.
  assert.ok(fake.opened_at.at(-1) - begin >= 120);
  assert.equal(fake.sockets.length, sockets + 4);
  assert.deepEqual(heard.errors, []);
});

test('over a restart of the real server the conversation goes on without a word about it', async () => {
  const server = await Server.start();
  try {
    const { session, heard } = await open(server.url);
    const turn = await within(session.send('My name is Ada Lovelace.'), 'the acknowledgement');
    await server.leave();
    assert.equal((await within(turn.done, 'the answer')).status, 'completed');
    const shown = session.messages.map((message) => message.text);
    await state(session, 'resuming');
    await server.restart();
    await state(session, 'ready');
    assert.deepEqual(session.messages.map((message) => message.text), shown);
    const again = await within(session.send('On 12 March 2027.'), 'the acknowledgement by the next server');
    assert.equal((await within(again.done, 'the answer of the next server')).status, 'completed');
    assert.deepEqual(heard.errors, []);
    assert.deepEqual(heard.notices, []);
  } finally {
    for (const session of sessions.splice(0)) session.close();
    await server.stop();
  }
});
