// Tools and approvals of the client in Node, against the real server and a fake of OpenAI.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { join } from 'node:path';
import WebSocket from 'ws';
import { Proxy } from './proxy.mjs';
import { within } from './server.mjs';
import { source } from './source.mjs';
import { Workshop, leads, listens } from './workshop.mjs';

const { connect } = await import(join(source, 'clients/js/sidevoice.js'));

const route = { from: 'Berlin', to: 'Hamburg' };

function local_storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
    removeItem: (key) => kept.delete(key),
  };
}

let shop;
before(async () => {
  shop = await Workshop.start();
});
after(() => shop?.stop());

const sessions = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  shop.webhook.release();
  shop.webhook.calls = [];
});

async function open(about = {}) {
  const session = await connect({ app: 'moving', url: shop.server.url, WebSocket, storage: local_storage(), ...about });
  sessions.push(session);
  return session;
}

/** A promise with its handles. */
function gate() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

function until(session, condition, what) {
  let off;
  const holds = new Promise((resolve) => {
    const look = () => condition() && resolve();
    off = session.on('change', look);
    look();
  });
  return within(holds, what).finally(() => off());
}

/** Sends, and waits until something the agent says has this text. */
async function hear(session, text, answer) {
  await within(session.send(text), `the acknowledgement of "${text}"`);
  await said(session, answer);
}

const said = (session, answer) =>
  until(session, () => session.messages.some(({ role, final, text }) => role === 'assistant' && final && answer.test(text)), `${answer}`);

test('the model calls a function of the page, gets what it returns, and answers', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const session = await open();
  const calls = [];
  session.tool('show_on_map', async (args, call) => {
    calls.push({ args, by: call.by, id: call.callId, aborted: call.signal.aborted });
    return { kilometres: 289 };
  });
  await hear(session, 'Show it on the map.', /It says: \{"kilometres":289\}/);
  assert.deepEqual(calls.map(({ args, by, aborted }) => ({ args, by, aborted })), [{ args: route, by: 'conversation', aborted: false }]);
  assert.deepEqual(await shop.outputs(), ['{"kilometres":289}']);
  assert.deepEqual(session.running, []);
  assert.ok(session.messages.every(({ role }) => ['user', 'assistant'].includes(role)), 'calls are no messages');
});

test('what a function throws, and what is no JSON, goes to the model as an error', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const session = await open();
  session.tool('show_on_map', () => {
    throw new Error('The map is upside down.');
  });
  await hear(session, 'Show it on the map.', /upside down/);
  assert.deepEqual(JSON.parse((await shop.outputs())[0]), { error: 'failed', message: 'The map is upside down.' });
  const circle = {};
  circle.circle = circle;
  session.tool('show_on_map', () => circle);
  await hear(session, 'The map once more.', /circular/i);
});

test('a function of the agent that listens is called with by: analyzer', async () => {
  await shop.openai.script([
    { match: { model: 'gpt-4.1-mini' }, answer: { text: 'I see.' } },
    { match: { model: 'gpt-4.1-nano', last_role: 'tool' }, answer: { text: 'Done.' } },
    { match: { model: 'gpt-4.1-nano', last_user: 'Berlin' }, answer: { tool_calls: [{ name: 'show_on_map', arguments: route }] } },
    listens,
  ]);
  const session = await open();
  const called = gate();
  session.tool('show_on_map', (args, { by }) => called.resolve({ args, by }));
  await hear(session, 'From Berlin to Hamburg.', /I see/);
  assert.deepEqual(await within(called.promise, 'the call'), { args: route, by: 'analyzer' });
});

test('a function that the app does not declare is refused with a sentence', async () => {
  const session = await open();
  const fault = new Promise((resolve) => session.on('error', resolve));
  session.tool('launch_rocket', () => {});
  assert.match((await within(fault, 'the refusal')).message, /launch_rocket/);
});

test('a socket that breaks in the middle of a call runs it once, and the output arrives', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const proxy = await Proxy.start(shop.server.url);
  const session = await open({ url: proxy.url });
  const begun = gate();
  const work = gate();
  const ids = [];
  session.tool('show_on_map', (args, { callId }) => {
    ids.push(callId);
    begun.resolve();
    return work.promise;
  });
  await session.send('Show it on the map.');
  await within(begun.promise, 'the call');
  proxy.cut();
  await until(session, () => session.state === 'resuming', 'the loss of the socket');
  // Done while nobody can be told.
  work.resolve('289 km');
  await said(session, /It says: 289 km/);
  assert.equal(ids.length, 1);
  assert.deepEqual(await shop.outputs(), ['289 km']);
  session.close();
  await proxy.stop();
});

test('a call that comes again while its function still runs is not run again', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const proxy = await Proxy.start(shop.server.url);
  const session = await open({ url: proxy.url });
  const begun = gate();
  const work = gate();
  let runs = 0;
  session.tool('show_on_map', () => {
    runs += 1;
    begun.resolve();
    return work.promise;
  });
  await session.send('Show it on the map.');
  await within(begun.promise, 'the call');
  proxy.cut();
  await until(session, () => session.state === 'resuming', 'the loss of the socket');
  await until(session, () => session.state !== 'resuming', 'the next socket');
  assert.deepEqual(session.running, ['show_on_map']);
  work.resolve('289 km');
  await said(session, /It says: 289 km/);
  assert.equal(runs, 1);
  session.close();
  await proxy.stop();
});

test('the signal is aborted when the visitor goes on, and what comes after that is not told', async () => {
  await shop.openai.script([
    ...leads('map', 'show_on_map', route),
    { match: { model: 'gpt-4.1-mini', last_user: 'never mind' }, answer: { text: 'As you like.' } },
    listens,
  ]);
  const session = await open();
  const begun = gate();
  const work = gate();
  let signal;
  session.tool('show_on_map', (args, call) => {
    signal = call.signal;
    begun.resolve();
    return work.promise;
  });
  await session.send('Show it on the map.');
  await within(begun.promise, 'the call');
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  const answered = hear(session, 'Oh, never mind.', /As you like/);
  await within(aborted, 'the end of the signal');
  work.resolve('289 km');
  await answered;
  assert.doesNotMatch(JSON.stringify(await shop.outputs()), /289 km/);
});

test('an approval is asked for in all tabs, and the webhook is called once when it is given', async () => {
  await shop.openai.script([...leads('visit', 'book_visit', { day: '2027-03-12' }), listens]);
  const storage = local_storage();
  const one = await open({ storage });
  const two = await open({ storage });
  const asked = [one, two].map((session) => within(new Promise((resolve) => session.on('approval', resolve)), 'the question'));
  await one.send('Book a visit.');
  const [first, second] = await Promise.all(asked);
  assert.deepEqual(first.arguments, { day: '2027-03-12' });
  assert.equal(first.name, 'book_visit');
  assert.equal(first.callId, second.callId);
  assert.ok(first.say.length > 0);
  assert.deepEqual(shop.webhook.calls, []);
  assert.equal(await within(first.approve(), 'the answer to count'), true);
  await said(two, /booked/);
  assert.deepEqual([one.approvals, two.approvals], [[], []]);
  assert.equal(shop.webhook.calls.length, 1);
  assert.equal(shop.webhook.calls[0].path, '/sidevoice/visits');
  await assert.rejects(second.refuse(), { code: 'call_unknown' });
});

test('what is refused does not happen, and the model is told', async () => {
  await shop.openai.script([...leads('visit', 'book_visit', { day: '2027-03-12' }), listens]);
  const session = await open();
  session.on('approval', (approval) => approval.refuse());
  await hear(session, 'Book a visit.', /does not want/);
  assert.deepEqual(shop.webhook.calls, []);
});

test('a question that was answered while the network was gone is not shown any more', async () => {
  await shop.openai.script([...leads('visit', 'book_visit', { day: '2027-03-12' }), listens]);
  const storage = local_storage();
  const proxy = await Proxy.start(shop.server.url);
  const here = await open({ storage });
  // The same conversation through another network.
  const away = await open({ url: proxy.url, session: here.id, tokenProvider: async () => key_of(storage) });
  await here.send('Book a visit.');
  for (const session of [here, away]) await until(session, () => session.approvals.length === 1, 'the question');
  proxy.refuse_sockets(true);
  proxy.cut();
  await until(away, () => away.state === 'resuming', 'the loss of the socket');
  await here.approve(here.approvals[0].callId, false);
  await said(here, /does not want/);
  proxy.refuse_sockets(false);
  await until(away, () => away.state === 'ready', 'the next socket');
  assert.deepEqual(away.approvals, []);
  away.close();
  await proxy.stop();
});

function key_of(storage) {
  return JSON.parse(storage.getItem(`sidevoice:${shop.server.url}/:moving`)).client_key;
}
