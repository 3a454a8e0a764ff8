// npm openai and @openai/agents-realtime, unchanged, over TLS: with a server key, and with a client key that a
// backend has fetched by client_secrets.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import OpenAI from 'openai';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { Server, patience_ms, within } from './server.mjs';

globalThis.WebSocket ??= WebSocket; // Node 20 has none of its own

const key = 'a-server-key-of-the-tests';

// The Agents SDK sends all fields of its session at once, so the app lets client keys set them.
const app = {
  app: 'secure',
  title: 'Secure',
  language: 'en',
  checklist: {
    topics: [
      { id: 'name', type: 'person_name', label: 'Your name', required: true },
      { id: 'from', type: 'address', label: 'Moving from', required: true },
    ],
  },
  models: { conversation: ['rules'], analyzer: ['rules'] },
  live: {
    access: {
      server_keys: ['${env:MOVING_KEY}'],
      client_may_set: ['tools', 'output_modalities', 'audio', 'turn_detection', 'instructions', 'voice', 'tool_choice'],
    },
  },
};

let server;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidevoice-secure-'));
  await writeFile(join(folder, 'app.jsonc'), JSON.stringify(app));
  server = await Server.start({ MOVING_KEY: key }, folder);
  assert.match(server.url, /^https:/);
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const client = (apiKey = key) => new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });

const secret = (session = {}, seconds = 600) =>
  client().realtime.clientSecrets.create({
    expires_after: { anchor: 'created_at', seconds },
    session: { type: 'realtime', model: 'secure', ...session },
  });

/** One conversation of npm openai: a turn, and what came. */
async function talk(realtime) {
  const events = [];
  const waiting = new Set();
  realtime.on('error', (fault) => events.push({ type: 'failed', fault }));
  realtime.on('event', (event) => {
    events.push(event);
    for (const look of [...waiting]) look();
  });
  const until = (condition, what) =>
    within(
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
      what,
    );
  const of = (type) => events.filter((event) => event.type === type);
  await until(() => of('session.created').length > 0, 'session.created');
  realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } });
  await until(() => of('session.updated').length > 0, 'session.updated');
  realtime.send({
    type: 'conversation.item.create',
    item: { id: 'item_mine', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'My name is Ada Lovelace.' }] },
  });
  await until(() => of('conversation.item.done').some(({ item }) => item.id === 'item_mine'), 'the item');
  realtime.send({ type: 'response.create' });
  await until(() => of('response.done').some(({ response }) => response.status === 'completed'), 'an answer');
  return { session: of('session.created')[0].session, events };
}

for (const [name, make] of [
  ['OpenAIRealtimeWS', (apiKey) => new OpenAIRealtimeWS({ model: 'secure' }, client(apiKey))],
  ['OpenAIRealtimeWebSocket', (apiKey) => new OpenAIRealtimeWebSocket({ model: 'secure' }, client(apiKey))],
]) {
  test(`${name} talks with a server key`, async () => {
    const realtime = make(key);
    assert.equal(realtime.url.protocol, 'wss:');
    const { events } = await talk(realtime);
    assert.deepEqual(events.filter(({ type }) => type === 'error' || type === 'failed'), []);
    realtime.close();
  });

  test(`${name} talks with a client key, and joins its session again with it`, async () => {
    const made = await secret();
    assert.match(made.value, /^ek_/);
    const first = make(made.value);
    const { session } = await talk(first);
    assert.equal(session.id, made.session.id);
    first.close();
    const second = make(made.value);
    const again = await new Promise((resolve) => second.on('session.created', resolve));
    assert.equal(again.session.id, session.id);
    second.close();
  });

  test(`${name} is refused with a wrong key`, async () => {
    for (const wrong of ['wrong', 'ek_wrong']) {
      const realtime = make(wrong);
      const fault = await within(new Promise((resolve) => realtime.on('error', resolve)), 'the refusal');
      assert.ok(fault);
    }
  });
}

test('a client secret carries the session that it was made with', async () => {
  const made = await secret({ instructions: 'Speak slowly.', tools: [{ type: 'function', name: 'look_up', parameters: {} }] });
  assert.equal(made.session.instructions, 'Speak slowly.');
  assert.ok(made.expires_at > Date.now() / 1000);
  const realtime = new OpenAIRealtimeWS({ model: 'secure' }, client(made.value));
  const { session } = await within(new Promise((resolve) => realtime.on('session.created', resolve)), 'session.created');
  assert.equal(session.instructions, 'Speak slowly.');
  assert.equal(session.tools[0].name, 'look_up');
  realtime.close();
});

test('client secrets are for server keys, and their life is bounded', async () => {
  await assert.rejects(client('wrong').realtime.clientSecrets.create({}), { status: 401 });
  const { value } = await secret();
  await assert.rejects(client(value).realtime.clientSecrets.create({}), { status: 401 });
  await assert.rejects(secret({}, 9), { status: 400 });
  await assert.rejects(secret({ model: 'nowhere' }), { status: 404 });
});

test('a client key opens until it expires, and an open connection goes on', async () => {
  const { value, expires_at } = await secret({}, 10);
  const realtime = new OpenAIRealtimeWS({ model: 'secure' }, client(value));
  await within(new Promise((resolve) => realtime.on('session.created', resolve)), 'session.created');
  const status = async () => {
    const answer = await fetch(`${server.url}/v1/realtime?model=secure`, { headers: { Authorization: `Bearer ${value}` } });
    return answer.status;
  };
  assert.equal(await status(), 426);
  const deadline = Date.now() + patience_ms;
  while ((await status()) !== 401) {
    assert.ok(Date.now() < deadline, 'the key never expired');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(Date.now() / 1000 >= expires_at);
  realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } });
  await within(new Promise((resolve) => realtime.on('session.updated', resolve)), 'session.updated');
  realtime.close();
});

test('the Agents SDK talks with a client key and two tools', async () => {
  const { value } = await secret();
  const calls = [];
  const tools = ['look_up', 'quote_price'].map((name) =>
    tool({ name, description: name, parameters: z.object({ from: z.string() }), execute: async () => calls.push(name) }),
  );
  const session = new RealtimeSession(new RealtimeAgent({ name: 'mover', instructions: 'Help.', tools }), {
    transport: 'websocket',
    model: 'secure',
    tracingDisabled: true,
    config: { outputModalities: ['text'] },
  });
  const faults = [];
  session.on('error', (fault) => faults.push(fault));
  const answered = new Promise((resolve) => {
    session.on('transport_event', (event) => {
      if (event.type === 'response.done' && session.history.some((item) => item.role === 'user')) resolve(event);
    });
  });
  await session.connect({ apiKey: value, url: `${server.url.replace('http', 'ws')}/v1/realtime?model=secure` });
  session.sendMessage('My name is Ada Lovelace.');
  const { response } = await within(answered, 'an answer');
  assert.equal(response.status, 'completed');
  assert.deepEqual(faults, []);
  session.close();
});
