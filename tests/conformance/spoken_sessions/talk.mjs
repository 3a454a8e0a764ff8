// @openai/agents-realtime, used as its owner would: what a spoken conversation of the tests needs.
import assert from 'node:assert/strict';
import { RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';
import { Microphone, formats } from './microphone.mjs';
import { faults_of_order } from './order.mjs';
import { patience_ms } from './server.mjs';
import { keep_events, server_key } from './stage.mjs';

export class Talk {
  static title = '@openai/agents-realtime';
  events = [];
  faults = [];
  /** Names of what the session itself has reported of its sound. */
  reports = [];
  #sound = new Map();
  #waiting = new Set();

  constructor(stage, { app = 'desk', tools = [], config = {}, format = 'pcm16' } = {}) {
    this.app = app;
    this.url = stage.address(app);
    this.format = format;
    const agent = new RealtimeAgent({ name: 'mover', instructions: 'Help with the move.', tools });
    this.session = new RealtimeSession(agent, { transport: 'websocket', model: app, tracingDisabled: true, config });
    this.session.on('error', (fault) => this.faults.push(fault));
    this.session.on('transport_event', (event) => this.#saw(event));
    this.session.on('history_updated', () => this.#look());
    this.session.on('audio', ({ data, responseId }) => {
      this.#sound.set(responseId, (this.#sound.get(responseId) ?? 0) + data.byteLength);
      this.#look();
    });
    for (const name of ['audio_start', 'audio_stopped', 'audio_interrupted'])
      this.session.on(name, () => this.reports.push(name));
    this.microphone = new Microphone((piece) => this.session.sendAudio(piece), format);
  }

  /** Connected, with its settings taken; where the app greets, its greeting is there. */
  async open() {
    await this.session.connect({ apiKey: server_key, url: this.url });
    await this.until(() => this.of('session.updated').length > 0, 'session.updated');
    if (this.app === 'moves') await this.until(() => this.texts('assistant').length > 0, 'the greeting');
  }

  #saw(event) {
    this.events.push(event);
    this.#look();
  }

  #look() {
    for (const look of [...this.#waiting]) look();
  }

  of(type, since = 0) {
    return this.events.slice(since).filter((event) => event.type === type);
  }

  /** Waits for what this gives, as soon as it is something. */
  until(condition, what) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = condition();
        if (!found) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`Nothing came of: ${what}.`));
      }, patience_ms);
      this.#waiting.add(look);
      look();
    });
  }

  /** How much of a response's sound has come. */
  sound_ms(response) {
    return (this.#sound.get(response) ?? 0) / formats[this.format].bytes_per_ms;
  }

  items(role) {
    return this.session.history.filter((item) => item.type === 'message' && item.role === role);
  }

  /** Texts of the history, as the application sees them: whole ones, or cut ones. */
  texts(role, status = 'completed') {
    const texts = this.items(role).filter((item) => item.status === status);
    return texts.map(({ content }) => content.map((part) => part.transcript ?? part.text ?? '').join(''));
  }

  /** What of a spoken message of the visitor was understood. */
  understood(place) {
    return this.until(() => this.items('user')[place]?.content[0].transcript, `the words of message ${place}`);
  }

  /** Waits for the end of a response with this text. */
  async answered(wanted, since = 0) {
    const is_it = ({ response }) => wanted.test(response.output.flatMap((item) => item.content ?? []).map((part) => part.transcript ?? part.text).join(''));
    const done = await this.until(() => this.of('response.done', since).find(is_it), `the end of an answer like ${wanted}`);
    return done.response;
  }

  /** What must hold at the end of every talk. */
  check() {
    assert.deepEqual(this.faults, []);
    assert.deepEqual(this.of('error'), []);
    assert.deepEqual(faults_of_order(this.events), []);
  }

  close() {
    this.microphone.stop();
    this.session.close();
  }

  /** A talk from its opening to its end; what a failed one has received is kept. */
  static async with(stage, name, options, does) {
    const talk = new Talk(stage, options);
    try {
      await talk.open();
      await does(talk);
      talk.check();
    } catch (fault) {
      fault.message += ` (what came: ${keep_events(Talk.title, name, talk.events)}; faults: ${JSON.stringify(talk.faults)})`;
      throw fault;
    } finally {
      talk.close();
    }
  }
}
