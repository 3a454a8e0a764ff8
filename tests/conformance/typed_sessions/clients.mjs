// The official clients of npm, each used as its owner would: what a conversation of the tests needs, in one form.
import net from 'node:net';
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { transport } from './stage.mjs';
import { patience_ms } from './server.mjs';

globalThis.WebSocket ??= WebSocket; // Node 20 has none of its own

const outputs = { look_up_distance: { km: 289 }, look_up_weather: { sky: 'rain' } };

/** What a client has seen, and waits for what it is to see. */
class Talk {
  events = [];
  faults = [];
  /** Of the client's tools, in the order of their calls. */
  calls = [];
  #waiting = new Set();

  saw(event) {
    this.events.push(event);
    this.look();
  }

  failed(fault) {
    this.faults.push(fault);
    this.look();
  }

  look() {
    for (const look of [...this.#waiting]) look();
  }

  of(type) {
    return this.events.filter((event) => event.type === type);
  }

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
        const seen = this.events.map(({ type }) => type).join(' ');
        reject(new Error(`Nothing came of: ${what}. Seen: ${seen}. Faults: ${this.faults.join('; ')}`));
      }, patience_ms);
      this.#waiting.add(look);
      look();
    });
  }

  /** Says something, and waits for the end of a response whose text is the wanted one. */
  async say(text, wanted) {
    const before = this.events.length;
    this.ask(text);
    const is_it = (event) => event.type === 'response.done' && wanted.test(this.text(event));
    const done = await this.until(() => this.events.slice(before).find(is_it), `an answer to "${text}"`);
    return { events: this.events.slice(before), response: done.response };
  }

  text({ response }) {
    const parts = response.output.filter((item) => item.type === 'message').flatMap((item) => item.content);
    return parts.map((part) => part.text).join('');
  }

  /** Says something, and cancels the answer as soon as these words of it are there. */
  async cut(text, words) {
    const before = this.events.length;
    const of = (type) => this.events.slice(before).filter((event) => event.type === type);
    const heard = () => {
      const pieces = of('response.output_text.delta');
      const id = pieces.at(-1)?.response_id;
      return { id, text: pieces.filter(({ response_id }) => response_id === id).map(({ delta }) => delta).join('') };
    };
    this.ask(text);
    await this.until(() => heard().text.includes(words), `the words "${words}"`);
    this.cancel();
    const { response } = await this.until(() => of('response.done').find(({ response: { id } }) => id === heard().id), 'its end');
    return { response, heard: heard().text };
  }
}

/** @openai/agents-realtime: runs the tools and asks for the next answer by itself. */
export class AgentsTalk extends Talk {
  static title = '@openai/agents-realtime';

  static open(stage, key, url = stage.address) {
    const talk = new AgentsTalk();
    const named = (name, parameters) =>
      tool({
        name,
        description: name,
        parameters: z.object(parameters),
        execute: async (given) => {
          talk.calls.push([name, given]);
          return JSON.stringify(outputs[name]);
        },
      });
    const tools = [
      named('look_up_distance', { from: z.string(), to: z.string() }),
      named('look_up_weather', { city: z.string() }),
    ];
    const agent = new RealtimeAgent({ name: 'mover', instructions: 'Help with the move.', tools });
    const config = { outputModalities: ['text'] };
    talk.session = new RealtimeSession(agent, { transport: 'websocket', model: 'desk', tracingDisabled: true, config });
    talk.session.on('error', (fault) => talk.failed(fault));
    talk.session.on('transport_event', (event) => talk.saw(event));
    talk.session.on('history_updated', () => talk.look());
    talk.session.transport.on('connection_change', (status) => {
      if (status === 'disconnected') talk.closed = true;
      talk.look();
    });
    talk.connected = talk.session.connect({ apiKey: key, url });
    return talk;
  }

  /** Connected, with its tools told, and greeted. */
  async ready() {
    await this.connected;
    await this.until(() => this.of('session.updated').length > 0, 'session.updated');
    await this.until(() => this.session.history.some((item) => item.role === 'assistant' && item.status === 'completed'), 'the greeting');
  }

  ask(text) {
    this.session.sendMessage(text);
  }

  cancel() {
    // Its interrupt() acts on audio that plays, and there is none: the response is cancelled by its event.
    this.session.transport.sendEvent({ type: 'response.cancel' });
  }

  /** An item as the application finds it in its history. */
  async item(id) {
    await this.until(() => this.session.history.some((item) => item.itemId === id), `item ${id}`);
    const item = this.session.history.find(({ itemId }) => itemId === id);
    return { status: item.status, text: item.content.map((part) => part.text).join('') };
  }

  /** What it says of a key that does not open. */
  async refusal() {
    const why = await this.connected.then(
      () => null,
      (fault) => fault,
    );
    this.close();
    return why && { name: why.type ?? why.name, text: String(why.message) };
  }

  /** What it says when the server closes: its status. The transport keeps the code to itself. */
  ended() {
    return this.until(() => this.closed && { code: null }, 'the end of the connection');
  }

  close() {
    this.session.close();
  }
}

/** npm openai: its owner runs the tools and asks for answers. */
class OpenAITalk extends Talk {
  constructor(realtime) {
    super();
    this.realtime = realtime;
    realtime.on('error', (fault) => this.failed(fault));
    realtime.on('event', (event) => this.saw(event));
    realtime.on('response.done', ({ response }) => this.#run(response.output));
    realtime.socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason: String(reason) };
      this.look();
    });
  }

  async ready() {
    await this.until(() => this.of('session.created').length > 0, 'session.created');
    const texts = (...names) => ({ type: 'object', required: names, properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
    const named = (name, parameters) => ({ type: 'function', name, description: name, parameters });
    const tools = [named('look_up_distance', texts('from', 'to')), named('look_up_weather', texts('city'))];
    this.realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'], tools } });
    await this.until(() => this.of('session.updated').length > 0, 'session.updated');
    const said = () => this.of('conversation.item.done').some(({ item }) => item.role === 'assistant');
    await this.until(said, 'the greeting');
    const ends = () => this.of('response.done').length === this.of('response.created').length;
    await this.until(ends, 'the end of the greeting');
  }

  ask(text) {
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
    this.realtime.send({ type: 'conversation.item.create', item });
    this.realtime.send({ type: 'response.create' });
  }

  /** Both outputs go back before the next answer is asked for. */
  #run(output) {
    const wanted = output.filter((item) => item.type === 'function_call');
    for (const { name, call_id, arguments: given } of wanted) {
      this.calls.push([name, JSON.parse(given)]);
      const item = { type: 'function_call_output', call_id, output: JSON.stringify(outputs[name]) };
      this.realtime.send({ type: 'conversation.item.create', item });
    }
    if (wanted.length > 0) this.realtime.send({ type: 'response.create' });
  }

  cancel() {
    this.realtime.send({ type: 'response.cancel' });
  }

  async item(id) {
    this.realtime.send({ type: 'conversation.item.retrieve', item_id: id });
    const found = () => this.of('conversation.item.retrieved').find((event) => event.item.id === id);
    const { item } = await this.until(found, `item ${id}`);
    return { status: item.status, text: item.content.map((part) => part.text).join('') };
  }

  async refusal() {
    const why = await this.until(() => this.faults[0] ?? (this.of('session.created')[0] && 'opened'), 'a refusal');
    this.close();
    return why === 'opened' ? null : { name: why.name, text: why.message };
  }

  ended() {
    return this.until(() => this.closed, 'the end of the connection');
  }

  close() {
    this.realtime.close();
  }
}

/**
 * OpenAIRealtimeWS of npm openai. It makes a wss: address of every base URL; the way to a plain port is the socket that
 * its `options` for `ws` may bring, as with a proxy in between that does the TLS.
 */
export class WSTalk extends OpenAITalk {
  static title = 'npm openai, OpenAIRealtimeWS';

  static open(stage, key) {
    const plain = { createConnection: ({ host, port }) => net.connect({ host, port }) };
    const options = transport === 'ws' ? plain : {};
    return new WSTalk(new OpenAIRealtimeWS({ model: 'desk', options }, stage.client(key)));
  }
}

/** OpenAIRealtimeWebSocket of npm openai, the class for browsers: wss only. */
export class WebSocketTalk extends OpenAITalk {
  static title = 'npm openai, OpenAIRealtimeWebSocket';

  static open(stage, key) {
    return new WebSocketTalk(new OpenAIRealtimeWebSocket({ model: 'desk' }, stage.client(key)));
  }
}
