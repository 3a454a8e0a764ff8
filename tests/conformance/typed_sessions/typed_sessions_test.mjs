// Typed sessions of the official npm clients, unchanged: two tools, the app's own webhook, an interruption, and keys.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { AgentsTalk, WSTalk, WebSocketTalk } from './clients.mjs';
import { Stage, server_key, step, transport } from './stage.mjs';

let stage;
before(async () => {
  stage = await Stage.start();
  assert.equal(new URL(stage.server.url).protocol, transport === 'wss' ? 'https:' : 'http:');
});
after(() => stage.stop());

const talks = [];
// Also those of a test that failed: an open socket would keep the process alive.
afterEach(() => {
  for (const talk of talks.splice(0)) talk.close();
});

function open(Client, key) {
  const talk = Client.open(stage, key);
  talks.push(talk);
  return talk;
}

/** Tool messages of the newest request to the model, sorted. */
const told = (requests) => requests.at(-1).body.messages.filter(({ role }) => role === 'tool').map(({ content }) => content).sort();

/** Names of the functions that the client got to see. */
const shown = (events) =>
  events.filter(({ type, item }) => type === 'response.output_item.done' && item.type === 'function_call').map(({ item }) => item.name);

const no_trace_of_the_webhook = (events) => assert.doesNotMatch(JSON.stringify(events), /estimate_price|function_call_output.*4321/);

const good = (requests) => assert.deepEqual(requests.map(({ status }) => status), requests.map(() => 200));

async function holds_a_session(t, Client, kind, key) {
  const talk = open(Client, key);
  const name = (what) => `${kind}: ${what}`;
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
    const { events, text } = await talk.say('Look up both at once.');
    assert.deepEqual(talk.calls.map(([called]) => called).sort(), ['look_up_distance', 'look_up_weather']);
    assert.deepEqual(Object.fromEntries(talk.calls), {
      look_up_distance: { from: 'Berlin', to: 'Hamburg' },
      look_up_weather: { city: 'Hamburg' },
    });
    assert.deepEqual(shown(events), ['look_up_distance', 'look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    assert.equal(requests.length, 2, 'one request with the question, one with both outputs');
    assert.deepEqual(told(requests), ['{"km":289}', '{"sky":"rain"}']);
    assert.match(text, /^Both say: .*(289|rain)/);
  });

  await run('two tools, one after the other', async () => {
    const { text } = await talk.say('Now look them up one after the other.');
    assert.deepEqual(talk.calls.map(([called]) => called), ['look_up_distance', 'look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    assert.equal(requests.length, 3);
    assert.equal(text, 'In the end: {"sky":"rain"}');
  });

  await run("the app's own webhook, unseen", async () => {
    const { events, text } = await talk.say('And what does it cost?');
    assert.deepEqual(stage.shop.calls.map((call) => [call.name, call.arguments]), [['estimate_price', { to: 'Hamburg' }]]);
    assert.deepEqual(talk.calls, []);
    assert.equal(text, 'The price: {"price":"EUR 4321"}');
    no_trace_of_the_webhook(events);
  });

  await run('webhook and tool in one answer', async () => {
    const { events, text } = await talk.say('Tell me price and weather.');
    assert.deepEqual(stage.shop.calls.map((call) => call.name), ['estimate_price']);
    assert.deepEqual(talk.calls, [['look_up_weather', { city: 'Hamburg' }]]);
    assert.deepEqual(shown(events), ['look_up_weather']);
    const requests = await stage.asked();
    good(requests);
    assert.deepEqual(told(requests).slice(-2), ['{"price":"EUR 4321"}', '{"sky":"rain"}'].slice(-2));
    assert.ok(told(requests).includes('{"price":"EUR 4321"}'));
    assert.match(text, /^Together: /);
    no_trace_of_the_webhook(events);
  });

  await run('an interrupted answer holds what was heard', async () => {
    const { response, heard } = await talk.cut('Please tell me everything.');
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'client_cancelled');
    const [message] = response.output;
    assert.equal(message.status, 'incomplete');
    assert.deepEqual(await talk.item(message.id), { status: 'incomplete', text: heard });
    assert.match(heard, /^First we pack the books\./);
    assert.doesNotMatch(heard, /it is a home/);
  });

  await run('the turn after an interruption', async () => {
    const before = talk.of('response.done').length;
    const { text } = await talk.say('In short, please.');
    assert.equal(text, 'In short, it is one day of work.');
    assert.equal(talk.of('response.done').length, before + 1);
    const { body } = (await stage.asked()).at(-1);
    const cut = body.messages.filter(({ role }) => role === 'assistant').at(-1).content;
    assert.match(cut, /^First we pack the books\./);
    assert.doesNotMatch(cut, /it is a home/);
  });
  talk.close();
}

async function refuses_keys(t, Client) {
  const run = (what, does) => step(t, Client.title, what, does);
  const refused = async (key) => {
    const why = await open(Client, key).refusal();
    assert.ok(why, 'the key opened');
    assert.match(why.text, /401/);
  };
  const expiring = await stage.secret(10);
  const early = open(Client, expiring.value);
  await early.ready();

  await run('a wrong server key is refused', () => refused('wrong'));
  await run('a wrong client key is refused', () => refused('ek_wrong'));
  await run('a revoked server key: its session is closed, and it opens no more', async () => {
    const { key, id } = await stage.made_key();
    await new_key_opens(key);
    const talk = open(Client, key);
    await talk.ready();
    await stage.keys('revoke', id);
    const { code, reason } = await talk.ended();
    if (code !== null) assert.deepEqual([code, reason], [1008, 'key revoked']);
    await refused(key);
  });
  await run('a revoked client key: its session is closed, and it opens no more', async () => {
    const { value } = await stage.secret();
    const talk = open(Client, value);
    await talk.ready();
    await stage.keys('revoke', value);
    const { code, reason } = await talk.ended();
    if (code !== null) assert.deepEqual([code, reason], [1008, 'key revoked']);
    await refused(value);
  });
  await run('an expired client key opens no more, and its open session goes on', async () => {
    // The moment that the server has named, by the same clock.
    await new Promise((resolve) => setTimeout(resolve, expiring.expires_at * 1000 - Date.now() + 1));
    await refused(expiring.value);
    assert.equal((await early.say('In short, please.')).text, 'In short, it is one day of work.');
  });
}

/** A running server takes a new key within a second; until then it is a wrong one. */
async function new_key_opens(key) {
  for (let tries = 0; tries < 15; ++tries) {
    const answer = await fetch(`${stage.server.url}/v1/realtime?model=desk`, { headers: { authorization: `Bearer ${key}` } });
    if (answer.status === 426) return;
  }
  throw new Error('the new key does not open');
}

for (const Client of transport === 'wss' ? [AgentsTalk, WSTalk, WebSocketTalk] : [AgentsTalk, WSTalk]) {
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
      const talk = open(WebSocketTalk, server_key);
      assert.equal(talk.realtime.url.protocol, 'wss:');
      assert.ok(await talk.refusal());
    });
  });
