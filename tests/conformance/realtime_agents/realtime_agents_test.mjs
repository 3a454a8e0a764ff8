// The official @openai/agents-realtime, unchanged, holds text conversations with the real server.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { Server, patience_ms } from './server.mjs';

const key = 'a-server-key-of-the-tests';

let server;
before(async () => {
  server = await Server.start({ MOVING_KEY: key });
});
after(() => server.stop());

const talks = [];
// Also those of a test that failed: an open socket would keep the process alive.
afterEach(() => {
  for (const talk of talks.splice(0)) talk.session.close();
});

const address = (query = '') => `${server.url.replace('http', 'ws')}/v1/realtime?model=moving${query}`;

/** One conversation: collects what the client reports, and waits for what it must. */
class Talk {
  errors = [];
  events = [];
  calls = [];
  #waiting = new Set();

  constructor({ tools = [] } = {}) {
    const agent = new RealtimeAgent({ name: 'mover', instructions: 'Help with the move.', tools });
    this.session = new RealtimeSession(agent, {
      transport: 'websocket',
      model: 'moving',
      tracingDisabled: true,
      config: { outputModalities: ['text'] },
    });
    talks.push(this);
    this.session.on('error', (fault) => this.errors.push(fault));
    this.session.on('transport_event', (event) => {
      this.events.push(event);
      this.#look();
    });
    this.session.on('history_updated', () => this.#look());
  }

  static async open(options = {}) {
    const talk = new Talk(options);
    await talk.session.connect({ apiKey: key, url: address(options.query) });
    await talk.until(() => talk.of('session.updated').length > 0, 'session.updated');
    // The greeting, or what a session that is joined begins with.
    await talk.until(() => talk.texts('assistant').length > 0, 'the first words');
    return talk;
  }

  of(type) {
    return this.events.filter((event) => event.type === type);
  }

  get id() {
    return this.of('session.updated')[0].session.id;
  }

  /** The texts of the history that are whole, as the application sees them. */
  texts(role) {
    return this.session.history
      .filter((item) => item.type === 'message' && item.role === role && item.status === 'completed')
      .map((item) => item.content.map((part) => part.text ?? part.transcript ?? '').join(''));
  }

  until(condition, what) {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.events.map((event) => event.type).join(' ');
        reject(new Error(`Nothing came of: ${what}. Seen: ${seen}. Errors: ${JSON.stringify(this.errors)}`));
      }, patience_ms);
      this.#waiting.add(look);
    });
  }

  /** Waits for the end of `count` responses. */
  responses(count) {
    return this.until(() => this.of('response.done').length >= count, `response.done number ${count}`);
  }

  /** Says something and waits for the answer to be in the history. */
  async say(text) {
    const texts = this.texts('assistant').length;
    const ends = this.of('response.done').length;
    this.session.sendMessage(text);
    await this.until(() => this.texts('assistant').length > texts, `an answer to "${text}"`);
    await this.responses(ends + 1);
    return this.texts('assistant').at(-1);
  }

  /** The errors so far were asked for. */
  forgive() {
    this.errors = [];
    this.events = this.events.filter((event) => event.type !== 'error');
  }

  /** Closes, after a look at what must hold for every talk. */
  close() {
    assert.deepEqual(this.errors, []);
    assert.deepEqual(this.of('error'), []);
    const ends = this.of('response.done').map((event) => event.response.id);
    assert.equal(new Set(ends).size, ends.length, 'each response ends once');
    this.session.close();
  }

  #look() {
    for (const look of [...this.#waiting]) look();
  }
}

test('two typed turns are answered, and the history holds them in order', async () => {
  const talk = await Talk.open();
  const first = await talk.say('My name is Ada Lovelace.');
  const second = await talk.say('We are moving from Gartenstrasse 5, 10115 Berlin.');
  assert.ok(first.length > 0 && second.length > 0);
  assert.deepEqual(talk.texts('user'), ['My name is Ada Lovelace.', 'We are moving from Gartenstrasse 5, 10115 Berlin.']);
  const roles = talk.session.history.map((item) => item.role);
  const answers = roles.slice(roles.indexOf('user'));
  assert.deepEqual(answers, ['user', 'assistant', 'user', 'assistant']);
  talk.close();
});

test('the pieces of an answer are its text', async () => {
  const talk = await Talk.open();
  await talk.say('My name is Ada Lovelace.');
  const [done] = talk.of('response.done').slice(-1);
  const item = done.response.output.find((one) => one.type === 'message');
  const pieces = talk.of('response.output_text.delta').filter((event) => event.item_id === item.id);
  assert.equal(pieces.map((event) => event.delta).join(''), item.content[0].text);
  talk.close();
});

test('a client tool is called once its topics are known, and its output is spoken about', async () => {
  const calls = [];
  const estimate = tool({
    name: 'quote_price',
    description: 'The price of the move',
    parameters: z.object({ from: z.string(), to: z.string() }),
    execute: async (given) => {
      calls.push(given);
      return { price: 'EUR 4321' };
    },
  });
  const talk = await Talk.open({ tools: [estimate] });
  await talk.say('My name is Ada Lovelace.');
  await talk.say('We are moving from Gartenstrasse 5, 10115 Berlin.');
  assert.deepEqual(calls, []);
  talk.session.sendMessage('We are moving to Hauptstrasse 12, 20095 Hamburg.');
  const spoken = () => talk.texts('assistant').some((text) => text.includes('4321'));
  await talk.until(spoken, 'words about the output of the tool');
  assert.equal(calls.length, 1);
  assert.match(calls[0].from, /Berlin/);
  assert.match(calls[0].to, /Hamburg/);
  talk.close();
});

test('a cancelled response ends once, and the next one is answered', async () => {
  const talk = await Talk.open();
  await talk.say('My name is Ada Lovelace.');
  const before = talk.of('response.done').length;
  talk.session.sendMessage('We are moving from Gartenstrasse 5, 10115 Berlin.');
  talk.session.transport.sendEvent({ type: 'response.cancel', event_id: 'cancel' });
  await talk.responses(before + 1);
  const { response } = talk.of('response.done')[before];
  if (response.status === 'cancelled') {
    assert.equal(response.status_details.reason, 'client_cancelled');
  } else {
    // The offline agent may have answered before the cancellation came: then there is nothing to cancel, and it says so.
    assert.equal(response.status, 'completed');
    await talk.until(() => talk.of('error').length > 0, 'an error for a cancellation that came too late');
    assert.equal(talk.of('error')[0].error.code, 'response_cancel_not_active');
    assert.equal(talk.of('error')[0].error.event_id, 'cancel');
    talk.forgive();
  }
  await talk.say('It is a flat.');
  assert.equal(talk.of('response.done').length, before + 2);
  talk.close();
});

test('a second connection to the session gets the whole history, and no greeting', async () => {
  const first = await Talk.open();
  await first.say('My name is Ada Lovelace.');
  await first.say('It is a flat.');
  const second = await Talk.open({ query: `&session=${first.id}` });
  assert.equal(second.id, first.id);
  await second.until(() => second.texts('assistant').length === first.texts('assistant').length, 'the history');
  assert.deepEqual(second.texts('user'), first.texts('user'));
  assert.deepEqual(second.texts('assistant'), first.texts('assistant'));
  assert.deepEqual(second.of('response.created'), []);
  await second.say('We move on 12 March 2027.');
  await first.until(() => first.texts('user').length === 3, 'the message of the other connection');
  first.close();
  second.close();
});

test('a wrong key and an unknown session are refused before the upgrade', async () => {
  const refused = (apiKey, query) => {
    const { session } = new Talk();
    return assert.rejects(session.connect({ apiKey, url: address(query) }), (fault) => {
      session.close();
      return fault !== undefined;
    });
  };
  await refused('wrong');
  await refused(key, '&session=sess_unknown');
  const status = async (apiKey, query = '') => {
    const url = address(query).replace('ws', 'http');
    return (await fetch(url, { headers: { Authorization: `Bearer ${apiKey}` } })).status;
  };
  assert.equal(await status('wrong'), 401);
  assert.equal(await status(key), 426);
});
