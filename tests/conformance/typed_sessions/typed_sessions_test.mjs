// Typed sessions of the official npm clients, unchanged: two tools, the app's own webhook, an interruption, and keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgentsTalk, WSTalk, WebSocketTalk } from './clients.mjs';
import { Stage, server_key, step, transport } from './stage.mjs';

const clients = transport === 'wss' ? [AgentsTalk, WSTalk, WebSocketTalk] : [AgentsTalk, WSTalk];

let stage;
/** For each client a key that expires while the other tests run, and a session that it has opened in time. */
const expiring = new Map();
before(async () => {
  stage = await Stage.start();
  assert.equal(new URL(stage.server.url).protocol, transport === 'wss' ? 'https:' : 'http:');
  for (const Client of clients) {
    const { value, expires_at } = await stage.secret(10);
    const early = Client.open(stage, value);
    expiring.set(Client, { value, expires_at, early });
    await early.ready();
  }
});
after(async () => {
  for (const { early } of expiring.values()) early.close();
  await stage?.stop();
});

/** Closed at the end of the test, however it ends: an open socket would keep the process alive. */
function open(t, Client, key) {
  const talk = Client.open(stage, key);
  t.after(() => talk.close());
  return talk;
}

/** Whether the model was told these outputs of tools, and no others, after what the user said. */
function was_told(requests, said, outputs) {
  const told = requests.map(({ body: { messages } }) => {
    const from = messages.findLastIndex(({ role, content }) => role === 'user' && content.includes(said));
    const tools = messages.slice(from).filter(({ role }) => role === 'tool');
    return from < 0 ? '' : tools.map(({ content }) => content).join(' ');
  });
  assert.ok(told.includes(outputs.join(' ')), `told: ${JSON.stringify(told)}`);
}

/** Names of the functions that the client got to see. */
const shown = (events) =>
  events.filter(({ type, item }) => type === 'response.output_item.done' && item.type === 'function_call').map(({ item }) => item.name);

/** What the server runs itself is none of a client's business: no call of it, and no output. */
function no_trace_of_the_webhook(events) {
  for (const event of events) {
    assert.doesNotMatch(JSON.stringify(event), /estimate_price/);
    if (event.item?.type === 'function_call_output') assert.doesNotMatch(event.item.output, /4321/);
  }
}

const good = (requests) => assert.deepEqual(requests.map(({ status }) => status), requests.map(() => 200));

async function holds_a_session(t, Client, kind, key) {
  const talk = open(t, Client, key);
  const name = (what) => `${kind}: ${what}`;
  let cut = '';
  const run = (what, does) =>
    step(t, Client.title, name(what), async () => {
      await stage.fresh();
      talk.calls = [];
      stage.shop.calls = [];
      await does();
      assert.deepEqual(talk.faults, []);
      assert.deepEqual(talk.of('error'), []);
    });

  await run('opens and is greeted', () => talk.ready());

  await run('two tools in one answer', async () => {
    const { events } = await talk.say('Look up both at once.', /^Both say: {"sky":"rain"}$/);
    assert.deepEqual(talk.calls, [
      ['look_up_distance', { from: 'Berlin', to: 'Hamburg' }],
      ['look_up_weather', { city: 'Hamburg' }],
    ]);
    assert.deepEqual(shown(events), ['look_up_distance', 'look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    was_told(requests, 'both at once', ['{"km":289}', '{"sky":"rain"}']);
  });

  await run('two tools, one after the other', async () => {
    const { events } = await talk.say('Now look them up one after the other.', /^In the end: {"sky":"rain"}$/);
    assert.deepEqual(talk.calls.map(([called]) => called), ['look_up_distance', 'look_up_weather']);
    assert.deepEqual(shown(events), ['look_up_distance', 'look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    was_told(requests, 'one after the other', ['{"km":289}']);
    was_told(requests, 'one after the other', ['{"km":289}', '{"sky":"rain"}']);
  });

  await run("the app's own webhook, unseen", async () => {
    const { events } = await talk.say('And what does it cost?', /^The price: {"price":"EUR 4321"}$/);
    assert.deepEqual(stage.shop.calls.map((call) => [call.name, call.arguments]), [['estimate_price', { to: 'Hamburg' }]]);
    assert.deepEqual(talk.calls, []);
    no_trace_of_the_webhook(events);
  });

  await run('webhook and tool in one answer', async () => {
    // Where the client asks for an answer before the webhook is done, there is one more when it is.
    const { events } = await talk.say('Tell me weather and price.', /^Together: {"price":"EUR 4321"}$/);
    assert.deepEqual(stage.shop.calls.map((call) => call.name), ['estimate_price']);
    assert.deepEqual(talk.calls, [['look_up_weather', { city: 'Hamburg' }]]);
    assert.deepEqual(shown(events), ['look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    was_told(requests, 'weather and price', ['{"sky":"rain"}', '{"price":"EUR 4321"}']);
    no_trace_of_the_webhook(events);
  });

  await run('an interrupted answer holds what was heard', async () => {
    const { response, heard } = await talk.cut('Please tell me everything.', 'pack the books.');
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'client_cancelled');
    const [message] = response.output;
    assert.equal(message.status, 'incomplete');
    assert.deepEqual(await talk.item(message.id), { status: 'incomplete', text: heard });
    assert.match(heard, /^First we pack the books\./);
    assert.doesNotMatch(heard, /it is a home/);
    cut = heard;
  });

  await run('the turn after an interruption', async () => {
    await talk.say('In short, please.', /^In short, it is one day of work\.$/);
    const requests = await stage.asked();
    good(requests);
    const { messages } = requests.at(-1).body;
    const asked = messages.findLastIndex(({ role }) => role === 'user');
    assert.match(messages[asked].content, /In short, please\./);
    const before = messages.slice(0, asked).filter(({ role }) => role === 'assistant').at(-1).content;
    assert.ok(before.startsWith(cut) && !before.includes('it is a home'), `the model was told: ${before}`);
  });
}

async function refuses_keys(t, Client) {
  const run = (what, does) => step(t, Client.title, what, does);
  const refused = async (key) => {
    const why = await open(t, Client, key).refusal();
    assert.ok(why, 'the key opened');
    assert.match(why.text, /401/);
  };
  await run('a wrong server key is refused', () => refused('wrong'));
  await run('a wrong client key is refused', () => refused('ek_wrong'));
  await run('a revoked server key: its session is closed, and it opens no more', async () => {
    const { key, id } = stage.made_keys.pop();
    const talk = open(t, Client, key);
    await talk.ready();
    await stage.keys('revoke', id);
    const { code, reason } = await talk.ended();
    if (code !== null) assert.deepEqual([code, reason], [1008, 'key revoked']);
    await refused(key);
  });
  await run('a revoked client key: its session is closed, and it opens no more', async () => {
    const { value } = await stage.secret();
    const talk = open(t, Client, value);
    await talk.ready();
    await stage.keys('revoke', value);
    const { code, reason } = await talk.ended();
    if (code !== null) assert.deepEqual([code, reason], [1008, 'key revoked']);
    await refused(value);
  });
  await run('an expired client key opens no more, and its open session goes on', async () => {
    const { value, expires_at, early } = expiring.get(Client);
    // The moment that the server has named, by the same clock.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, expires_at * 1000 - Date.now() + 1)));
    await refused(value);
    await early.say('In short, please.', /^In short, it is one day of work\.$/);
  });
}

for (const Client of clients) {
  test(`${Client.title} over ${transport} holds a session with a server key`, (t) => holds_a_session(t, Client, 'server key', server_key));
  test(`${Client.title} over ${transport} holds a session with a client key`, async (t) => {
    const { value } = await stage.secret();
    assert.match(value, /^ek_/);
    await holds_a_session(t, Client, 'client key', value);
  });
  test(`${Client.title} over ${transport}: keys that do not open`, (t) => refuses_keys(t, Client));
}

if (transport === 'ws')
  test('OpenAIRealtimeWebSocket of npm openai insists on wss, and says that a plain port is none', async (t) => {
    await step(t, WebSocketTalk.title, 'insists on wss: a plain port is refused by the client', async () => {
      const talk = open(t, WebSocketTalk, server_key);
      assert.equal(talk.realtime.url.protocol, 'wss:');
      assert.ok(await talk.refusal());
    });
  });
