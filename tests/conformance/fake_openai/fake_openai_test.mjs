// The official npm client, unchanged, against `sidevoice fake-providers`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, {
  APIError,
  AuthenticationError,
  AzureOpenAI,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { Fake, key, within } from './fake.mjs';

let fake;
let client;
before(async () => {
  fake = await Fake.start();
  client = new OpenAI({ baseURL: `${fake.url}/v1`, apiKey: key, maxRetries: 0 });
});
after(() => fake.stop());

const hi = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const tool = (name) => ({
  type: 'function',
  function: {
    name,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
});

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const text_of = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('');

test('a whole answer and a streamed one say the same', async () => {
  await fake.play();
  const whole = await client.chat.completions.create(hi);
  assert.equal(whole.choices[0].message.content, 'You said: hi');
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  const chunks = await collect(await client.chat.completions.create({ ...hi, stream: true }));
  assert.equal(text_of(chunks), 'You said: hi');
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('the usage chunk comes last', async () => {
  await fake.play({ answer: { text: 'Hello', usage: { completion_tokens: 7 } } });
  const chunks = await collect(
    await client.chat.completions.create({ ...hi, stream: true, stream_options: { include_usage: true } }),
  );
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, 7);
  assert.equal(chunks[0].usage, null);
});

test('parallel tool calls are put together by the stream helper, and their answers are taken', async () => {
  await fake.play(
    {
      match: { last_role: 'user' },
      answer: {
        text: 'One moment.',
        tool_calls: [
          { name: 'weather', arguments: { city: 'Zürich' } },
          { name: 'time', arguments: { city: 'Oslo' } },
        ],
      },
    },
    { match: { last_role: 'tool', tool_output: 'noon' }, answer: { text: 'They say {{tool_output}}.' } },
  );
  const tools = [tool('weather'), tool('time')];
  const runner = client.chat.completions.stream({ ...hi, tools });
  const { message, finish_reason } = (await runner.finalChatCompletion()).choices[0];
  assert.equal(finish_reason, 'tool_calls');
  assert.equal(message.content, 'One moment.');
  assert.deepEqual(
    message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments).city]),
    [
      ['weather', 'Zürich'],
      ['time', 'Oslo'],
    ],
  );
  const answers = message.tool_calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: 'noon' }));
  const next = await client.chat.completions.create({
    model: 'm',
    tools,
    messages: [...hi.messages, message, ...answers],
  });
  assert.equal(next.choices[0].message.content, 'They say noon.');
  const log = await fake.requests();
  assert.equal(log.length, 2);
  assert.equal(log[1].body.messages.length, 4);
  assert.equal(log[1].headers.authorization, '(hidden)');
  await assert.rejects(
    client.chat.completions.create({ model: 'm', tools, messages: [...hi.messages, message, answers[0]] }),
    (e) => e instanceof BadRequestError && e.param === 'messages',
  );
});

test('runTools plays a whole round', async () => {
  await fake.play(
    { match: { last_role: 'user' }, answer: { tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] } },
    { answer: { text: 'It is {{tool_output}}.' } },
  );
  const asked = [];
  const runner = client.chat.completions.runTools({
    ...hi,
    stream: true,
    tools: [
      {
        type: 'function',
        function: {
          ...tool('weather').function,
          parse: JSON.parse,
          function: ({ city }) => {
            asked.push(city);
            return 'sunny';
          },
        },
      },
    ],
  });
  assert.equal(await runner.finalContent(), 'It is sunny.');
  assert.deepEqual(asked, ['Oslo']);
});

test('errors become the classes of the client', async () => {
  await fake.play();
  const wrong = new OpenAI({ baseURL: `${fake.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(
    wrong.chat.completions.create(hi),
    (e) => e instanceof AuthenticationError && e.code === 'invalid_api_key' && e.requestID.startsWith('req_'),
  );
  await assert.rejects(
    client.chat.completions.create({ model: 'm', messages: [] }),
    (e) => e instanceof BadRequestError && e.param === 'messages',
  );
  await assert.rejects(client.post('/nowhere', { body: {} }), NotFoundError);
  await fake.play({ answer: { status: 404 } });
  await assert.rejects(
    client.chat.completions.create(hi),
    (e) => e instanceof NotFoundError && e.code === 'model_not_found',
  );
  await fake.play({ answer: { status: 429, error: { code: 'insufficient_quota', message: 'No money.' } } });
  await assert.rejects(
    client.chat.completions.create(hi),
    (e) => e instanceof RateLimitError && e.type === 'insufficient_quota',
  );
});

test('after a 429 the client comes back when it was told to', async () => {
  await fake.play({ answer: { status: 429, retry_after_ms: 40 }, times: 2 }, { answer: { text: 'At last.' } });
  const patient = new OpenAI({ baseURL: `${fake.url}/v1`, apiKey: key, maxRetries: 2 });
  const answer = await patient.chat.completions.create(hi);
  assert.equal(answer.choices[0].message.content, 'At last.');
  assert.deepEqual(
    (await fake.requests()).map((request) => request.status),
    [429, 429, 200],
  );
});

test('an error in mid-stream and a broken stream reach the application', async () => {
  await fake.play({ answer: { text: 'one two three', error_mid_stream: { after: 2, message: 'It broke.' } } });
  const seen = [];
  await assert.rejects(
    (async () => {
      for await (const chunk of await client.chat.completions.create({ ...hi, stream: true })) seen.push(chunk);
    })(),
    (e) => e instanceof APIError && /It broke/.test(e.message),
  );
  assert.equal(text_of(seen), 'one two');
  await fake.play({ answer: { text: 'one two three', drop_after: 2, words_per_second: 50 } });
  seen.length = 0;
  await assert.rejects(
    (async () => {
      for await (const chunk of await client.chat.completions.create({ ...hi, stream: true })) seen.push(chunk);
    })(),
  );
  assert.equal(text_of(seen), 'one two');
});

test('bytes that are cut anywhere still make the same text', async () => {
  await fake.play({
    answer: { text: 'Grüße, 世界 — schön!', split: 'bytes', comments: true, empty_choices_first: true },
  });
  const chunks = await collect(await client.chat.completions.create({ ...hi, stream: true }));
  assert.equal(text_of(chunks), 'Grüße, 世界 — schön!');
});

test('a client that leaves a stalled stream is noticed', async () => {
  await fake.play({ answer: { text: 'one two three', stall_after: 1 } });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
  const left = async () => {
    for (;;) {
      const [request] = await fake.requests();
      if (request.state === 'left') return;
    }
  };
  await within(left(), 'the fake to see the client go');
});

test('the Azure client is served in both forms', async () => {
  await fake.play();
  const azure = new AzureOpenAI({
    endpoint: fake.url,
    apiKey: key,
    apiVersion: '2024-10-21',
    deployment: 'mine',
    maxRetries: 0,
  });
  const chunks = await collect(await azure.chat.completions.create({ ...hi, stream: true }));
  assert.equal(text_of(chunks), 'You said: hi');
  assert.deepEqual(chunks[0].choices, []);
  assert.equal(chunks[1].model, 'mine');
  const v1 = new OpenAI({ baseURL: `${fake.url}/openai/v1`, apiKey: key });
  assert.equal((await v1.chat.completions.create(hi)).choices[0].message.content, 'You said: hi');
  const [first] = await fake.requests();
  assert.equal(first.path, '/openai/deployments/mine/chat/completions');
  const wrong = new AzureOpenAI({ endpoint: fake.url, apiKey: 'wrong', apiVersion: '2024-10-21', maxRetries: 0 });
  await assert.rejects(wrong.chat.completions.create(hi), AuthenticationError);
});

test('models are listed', async () => {
  await fake.play();
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names, ['fake-model']);
  assert.equal((await client.models.retrieve('any')).id, 'any');
});
