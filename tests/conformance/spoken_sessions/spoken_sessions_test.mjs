// Spoken sessions of the official Agents client of npm, unchanged.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { word_error_rate } from './microphone.mjs';
import { missing_in_order } from './order.mjs';
import { Stage, record } from './stage.mjs';
import { Talk } from './talk.mjs';

let stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage?.stop());

const server_vad = { audio: { input: { turnDetection: { type: 'server_vad' } } } };
const manual = { audio: { input: { turnDetection: null } } };
const stays = 'The piano stays in the living room.';
const everything = 'Please tell me everything.';
const heard_turn = ['input_audio_buffer.speech_started', 'input_audio_buffer.speech_stopped', 'input_audio_buffer.committed'];
const answered_turn = ['response.created', 'response.output_audio.delta', 'response.output_audio.done', 'response.done'];

const in_order = (events, ...types) => assert.equal(missing_in_order(events, ...types), '');
const same_words = (said, heard) => assert.ok(word_error_rate(said, heard) <= 0.2, `said "${said}", understood "${heard}"`);

/** An answer that was spoken to its end, as the application has it. */
async function spoken_answer(talk, response) {
  assert.equal(response.status, 'completed');
  const [item] = response.output.filter(({ type }) => type === 'message');
  assert.equal(item.content[0].type, 'output_audio');
  assert.ok(talk.sound_ms(response.id) > 500, `only ${talk.sound_ms(response.id)} ms of sound`);
  await talk.until(() => talk.texts('assistant').includes(item.content[0].transcript), 'the answer in the history');
}

/** What was cut off is no part of what the model is asked with. */
async function nothing_unheard_was_told() {
  const asked = (await stage.model.requests()).filter(({ body }) => body?.model === 'gpt-4.1-mini').map(({ body }) => body.messages);
  const said = (messages, wanted) => messages.filter(({ role }) => role === wanted).map(({ content }) => content ?? '');
  const told = asked.filter((messages) => /short/.test(said(messages, 'user').at(-1))).flatMap((messages) => said(messages, 'assistant'));
  assert.ok(told.some((text) => text.includes('First we pack')), JSON.stringify(asked));
  assert.ok(!told.some((text) => text.includes('it is a home')), 'the model was told what was never heard');
}

const cases = {
  'a spoken turn, its end found by the model': [{ app: 'moves' }, async (talk) => {
    talk.microphone.start();
    await talk.microphone.say('My new home is in Hamburg.');
    same_words('My new home is in Hamburg.', await talk.understood(0));
    const response = await talk.answered(/./);
    await spoken_answer(talk, response);
    in_order(talk.events, ...heard_turn, 'conversation.item.input_audio_transcription.completed');
    in_order(talk.events, 'input_audio_buffer.committed', ...answered_turn);
    assert.deepEqual(talk.reports.slice(0, 2), ['audio_start', 'audio_stopped']);
  }],

  'two spoken turns, ended by silence': [{ config: server_vad }, async (talk) => {
    talk.microphone.start();
    await talk.microphone.say(stays);
    await spoken_answer(talk, await talk.answered(/^The piano stays where it is\.$/));
    const before = talk.events.length;
    await talk.microphone.say('Please make it short.');
    await spoken_answer(talk, await talk.answered(/^In short, it is one day of work\.$/));
    in_order(talk.events.slice(before), ...heard_turn);
    same_words(stays, await talk.understood(0));
    same_words('Please make it short.', await talk.understood(1));
    assert.deepEqual(talk.session.history.map(({ role }) => role), ['user', 'assistant', 'user', 'assistant']);
  }],

  'speech into an answer cuts it at what was heard': [{ config: server_vad }, async (talk) => {
    talk.microphone.start();
    await talk.microphone.say(everything);
    const { response: { id } } = await talk.until(() => talk.of('response.created')[0], 'an answer');
    await talk.until(() => talk.sound_ms(id) > 3000, 'three seconds of sound');
    const before = talk.events.length;
    await talk.microphone.say('Please make it short.');
    const ended = () => talk.of('response.done', before).find(({ response }) => response.id === id);
    const { response } = await talk.until(ended, 'the end of the interrupted answer');
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'turn_detected');
    assert.ok(talk.reports.includes('audio_interrupted'));
    const [{ id: item, status }] = response.output;
    assert.equal(status, 'incomplete');
    const is_cut = (event) => event.item_id === item;
    const { audio_end_ms } = await talk.until(() => talk.of('conversation.item.truncated', before).find(is_cut), 'its truncation');
    assert.ok(audio_end_ms <= talk.sound_ms(id), `cut at ${audio_end_ms} ms of ${talk.sound_ms(id)} ms`);
    await talk.until(() => talk.of('conversation.item.retrieved').some((event) => event.item.id === item), 'the cut item');
    const [cut] = talk.texts('assistant', 'incomplete');
    assert.match(cut, /^First we pack/);
    assert.doesNotMatch(cut, /it is a home/);
    await spoken_answer(talk, await talk.answered(/^In short, it is one day of work\.$/, before));
    same_words('Please make it short.', await talk.understood(1));
    await nothing_unheard_was_told();
  }],

  'a tool is called by voice, and its output is spoken': [{ config: server_vad, tools: [] }, async (talk) => {
    talk.microphone.start();
    await talk.microphone.say('How far is it to Hamburg?');
    const response = await talk.answered(/^The distance is 289 kilometres\.$/);
    await spoken_answer(talk, response);
    assert.deepEqual(talk.calls, [{ from: 'Berlin', to: 'Hamburg' }]);
  }],

  ...Object.fromEntries(['g711_ulaw', 'g711_alaw'].map((format) => [`a turn in ${format}`, [
    { format, config: { modalities: ['audio'], inputAudioFormat: format, outputAudioFormat: format, turnDetection: { type: 'server_vad' } } },
    async (talk) => {
      talk.microphone.start();
      await talk.microphone.say(stays);
      await spoken_answer(talk, await talk.answered(/^The piano stays where it is\.$/));
      same_words(stays, await talk.understood(0));
      const type = { g711_ulaw: 'audio/pcmu', g711_alaw: 'audio/pcma' }[format];
      const [{ session }] = talk.of('session.updated').slice(-1);
      assert.deepEqual([session.audio.input.format, session.audio.output.format], [{ type }, { type }]);
    }]])),

  'turns by hand: nothing happens until they are committed and asked for': [{ config: manual }, async (talk) => {
    talk.microphone.start();
    await talk.microphone.say(stays);
    talk.microphone.stop();
    talk.session.sendAudio(new ArrayBuffer(4800), { commit: true });
    same_words(stays, await talk.understood(0));
    assert.deepEqual(talk.of('response.created'), []);
    talk.session.transport.requestResponse();
    await spoken_answer(talk, await talk.answered(/^The piano stays where it is\.$/));
    in_order(talk.events, 'input_audio_buffer.committed', 'conversation.item.added', 'conversation.item.done', ...answered_turn);
    for (const type of heard_turn.slice(0, 2)) assert.deepEqual(talk.of(type), []);
  }],

  'a typed message is answered aloud': [{}, async (talk) => {
    talk.session.sendMessage(stays);
    await spoken_answer(talk, await talk.answered(/^The piano stays where it is\.$/));
    in_order(talk.events, 'conversation.item.done', ...answered_turn);
  }],
};

/** The client's own function; its session remembers with what it was called. */
const look_up_distance = (calls) =>
  tool({
    name: 'look_up_distance',
    description: 'The distance between two towns',
    parameters: z.object({ from: z.string(), to: z.string() }),
    execute: async (given) => {
      calls.push(given);
      return '289 kilometres';
    },
  });

// Most of a talk is waiting until somebody has finished: three of them at a time.
describe('spoken sessions of @openai/agents-realtime', { concurrency: 3 }, () => {
  for (const [name, [options, does]] of Object.entries(cases))
    test(name, () =>
      record(Talk.title, name, () => {
        const calls = [];
        const tools = options.tools ? [look_up_distance(calls)] : [];
        return Talk.with(stage, name, { ...options, tools }, (talk) => {
          talk.calls = calls;
          return does(talk);
        });
      }));
});
