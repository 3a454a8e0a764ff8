import { server_base } from './address.js';
import { Connection } from './connection.js';
import { Credentials } from './credentials.js';
import { Deliveries, interrupt_id } from './deliveries.js';
import { Emitter } from './emitter.js';
import { SidevoiceError } from './errors.js';
import { make_id } from './ids.js';
import { SessionStorage } from './storage.js';
import { Store } from './store.js';
import { Tools } from './tools.js';
import { Topics } from './topics.js';
import { Turns } from './turns.js';
import { Voice } from './voice.js';

/** An answer outstanding for this long means that the socket is dead, whatever the operating system says. */
const silence_ms = 15_000;

/**
 * One conversation with one app, over as many sockets as it takes.
 *
 * Events: `message`, `removed` (id), `topic`, `state` (now, before), `notice`, `completed`, `reopened`, `approval`,
 * `approval_answered`, `turn` (what a spoken answer was like), `ended`, `error`, and `change` once after each batch of them.
 */
export class Session {
  topics = new Topics(this, (entry) => this.#submit(entry));
  /** Settles when the conversation is there for the first time; rejects where the server refuses app, session or key. */
  opened;
  /** The microphone, and the agent's voice. */
  mic = new Voice({
    transmit: (frame) => this.#up && this.#connection.send(frame),
    backlog: () => this.#connection.backlog,
    drop_socket: (reason) => this.#connection.drop(reason),
    interrupt: () => this.interrupt(),
    announce: (changes) => this.#announce(changes),
  });

  #store = new Store();
  #emitter = new Emitter();
  #turns = new Turns();
  #deliveries;
  #tools = new Tools({
    send_offer: (frame) => this.#connection?.send(frame) ?? false,
    send_output: (frame) => this.#up && this.#connection.send(frame),
    announce: (changes) => this.#announce(changes),
  });
  #credentials;
  #connection;
  #up = false;
  #was_up = false;
  #snapshot_under_way = false;
  #closed = false;
  #state = 'connecting';
  #settle_opened;
  #watch;
  #change_planned = false;

  /**
   * @param {object} options
   * @param {string} options.app "moving", or "moving@preview"
   * @param {string} [options.url] the server; default: where this script came from
   * @param {string} [options.session] "auto" (this browser's running one, default), "new", or an id
   * @param {string} [options.language] "de"; default: the app's
   * @param {() => Promise<string>} [options.tokenProvider] gives a client key; asked again when one is refused
   * @param {typeof globalThis.WebSocket} [options.WebSocket] for Node before 22
   * @param {object} [options.storage] getItem, setItem, removeItem; default: localStorage
   */
  constructor(options) {
    const { app, url, session = 'auto', language, tokenProvider, WebSocket = globalThis.WebSocket, storage } = options;
    if (!app) throw new SidevoiceError('No app: pass `app`, such as "moving".', { code: 'no_app' });
    if (!WebSocket)
      throw new SidevoiceError('No WebSocket here: pass one as `WebSocket`, such as that of the package "ws".', {
        code: 'no_websocket',
      });
    const base = server_base(url);
    this.app = app;
    const kept = new SessionStorage(base, app, storage);
    this.#credentials = new Credentials({ base, app, session, language, token_provider: tokenProvider, storage: kept });
    this.opened = new Promise((resolve, reject) => {
      this.#settle_opened = { resolve, reject };
    });
    // Whoever does not wait for it hears of a refusal by the event `error`.
    this.opened.catch(() => {});
    this.#deliveries = new Deliveries({
      transmit: (frame) => {
        if (!this.#up) return false;
        // A message may already want a tool that was given in the same breath.
        this.#tools.offer_now();
        return this.#connection.send(frame);
      },
      announce: (changes) => this.#announce(changes),
      turns: this.#turns,
      storage: this.#credentials.remembered ? kept : null,
      session: () => this.id,
    });
    this.#deliveries.take_up_unsent();
    this.#connection = new Connection({
      where: (failures) => this.#where(failures),
      WebSocket,
      on_event: (event) => this.#on_event(event),
      on_up: () => this.#on_up(),
      on_down: (down) => this.#on_down(down),
    });
    this.#watch = setInterval(() => this.#watch_silence(), silence_ms / 5);
    this.#connection.start();
  }

  /** The session's id; empty until it is known. */
  get id() {
    return this.#store.session || this.#credentials.session;
  }

  /** connecting | ready | listening | thinking | speaking | resuming | completed | ended | closed */
  get state() {
    return this.#state;
  }

  /** The fold behind it, for reading. */
  get store() {
    return this.#store;
  }

  /** The checklist's result, once it is complete. */
  get completed() {
    return this.#store.completed;
  }

  /** The conversation, and behind it what is still on its way to the server. */
  get messages() {
    return [...this.#store.messages, ...this.#deliveries.pending];
  }

  /** What waits for the visitor's word. */
  get approvals() {
    return this.#store.calls.approvals.map((approval) => this.#to_answer(approval));
  }

  /** Names of the tools that run for the conversation now, wherever they run. */
  get running() {
    return this.#store.calls.running.map(({ name }) => name);
  }

  /** @returns {() => void} takes the listener off again */
  on(name, listener) {
    return this.#emitter.on(name, listener);
  }

  off(name, listener) {
    this.#emitter.off(name, listener);
  }

  /**
   * Sends a typed message. Resolves when the server has stored it, however many sockets that takes; it is never stored
   * twice. The turn's `done` is the answer.
   * @param {string} text
   */
  async send(text) {
    const clean = text.trim();
    if (!clean) throw new SidevoiceError('There is nothing in this message.', { code: 'empty_message' });
    this.#check_alive();
    return this.#deliveries.message(clean);
  }

  /**
   * Offers a function to the agents: a tool that the app declares with "kind": "client". What it returns, or the message
   * of what it throws, goes to the model. It runs once for each call, whatever becomes of the socket meanwhile.
   * @param {string} name
   * @param {(args: object, about: {signal: AbortSignal, callId: string, by: 'conversation'|'analyzer'}) => any} run
   * @returns {() => void} takes the offer back
   */
  tool(name, run) {
    return this.#tools.add(name, run);
  }

  /**
   * The visitor's word on a call that waits for it. Resolves once it counts, with what was said: another tab may have been
   * faster, and then that is what counts.
   * @param {string} call_id
   * @param {boolean} approve
   * @returns {Promise<boolean|undefined>} undefined: it was answered while the connection was away
   */
  async approve(call_id, approve) {
    this.#check_alive();
    if (!this.#store.calls.approval(call_id))
      throw new SidevoiceError('Nothing waits for this word any more.', { code: 'call_unknown', param: 'call_id' });
    return this.#deliveries.approval(call_id, Boolean(approve));
  }

  /** Takes a refused message out of the view. */
  discard(id) {
    this.#deliveries.discard(id);
  }

  /** Stops the answer that is being given. */
  interrupt() {
    this.#connection.send({ type: 'response.cancel', event_id: interrupt_id });
  }

  /** Leaves; the conversation stays and can be taken up again. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.mic.stop();
    this.#connection.close();
    this.#deliveries.close();
    this.#tools.on_ended();
    this.#turns.ended();
    this.#settle_opened.reject(new SidevoiceError('The connection was closed here.', { code: 'closed' }));
    this.#announce([]);
  }

  /** Ends the conversation for everybody. */
  async end() {
    const event_id = make_id('event_');
    await this.#submit({ kind: 'end', id: event_id, frame: { type: 'sidevoice.session.end', event_id } });
  }

  async #submit(entry) {
    this.#check_alive();
    return this.#deliveries.submit(entry);
  }

  #check_alive() {
    if (this.#closed || this.#store.ended)
      throw new SidevoiceError('This conversation has ended.', { code: 'session_ended' });
  }

  // -- sockets ----------------------------------------------------------------

  async #where(failures) {
    // Once may be bad luck; twice in a row is worth a question.
    if (failures >= 2) {
      const refusal = await this.#credentials.refusal();
      if (refusal && !this.#begin_anew(refusal)) throw Object.assign(refusal, { final: true });
    }
    return this.#credentials.next(failures);
  }

  #begin_anew({ code }) {
    if (!this.#credentials.begin_anew()) return false;
    this.#store = new Store();
    const why = code === 'session_damaged' ? 'cannot be read' : 'is no longer there';
    const text = `The earlier conversation ${why}. This is a new one.`;
    this.#announce([['notice', { code: 'session_gone', level: 'warning', text }]]);
    return true;
  }

  #to_answer({ call_id: callId, name, arguments: given, say }) {
    const answer = (approve) => () => this.approve(callId, approve);
    return { callId, name, arguments: given, say, approve: answer(true), refuse: answer(false) };
  }

  #on_up() {
    this.#connection.send({
      type: 'sidevoice.session.resume',
      event_id: make_id('event_'),
      after_seq: this.#store.seq,
      store: this.#store.store,
    });
    this.#tools.on_up();
  }

  #on_down({ fault }) {
    this.#up = false;
    this.#snapshot_under_way = false;
    this.#deliveries.on_down();
    this.#tools.on_down();
    this.mic.on_down();
    this.#turns.on_break();
    if (!fault) return this.#announce([]);
    if (fault.final) {
      this.#settle_opened.reject(fault);
      this.close();
    }
    return this.#announce([['error', fault]]);
  }

  #watch_silence() {
    const oldest = Math.min(this.#deliveries.oldest_sent_at, this.#tools.oldest_sent_at);
    if (performance.now() - oldest > silence_ms) this.#connection.drop('no acknowledgement');
  }

  // -- events -----------------------------------------------------------------

  #on_event(event) {
    const changes = this.#store.apply(event);
    this.#turns.on_event(event);
    this.#tools.on_event(event);
    this.mic.on_event(event);
    const owned = event.type === 'error' && [this.#tools, this.mic].some((part) => part.owns(event.error ?? {}));
    if (!owned) this.#deliveries.on_event(event, this.#store);
    if (event.type === 'sidevoice.session.move') this.#connection.move(event.reconnect_in_ms);
    else if (event.type === 'sidevoice.session.snapshot') this.#on_snapshot(event);
    else if (event.type === 'sidevoice.session.ended') this.#on_ended();
    else if (event.type === 'conversation.item.done') this.#turns.on_told_again(this.#store);
    // The end of a snapshot is its last item; the end of a resume says so.
    const told = event.type === 'sidevoice.session.resumed' || (this.#snapshot_under_way && !this.#store.replaying);
    if (told && !this.#up) this.#on_synced();
    this.#announce(changes);
  }

  #on_snapshot(event) {
    this.#snapshot_under_way = true;
    this.#credentials.keep(event);
    if (this.#store.ended) this.#on_ended();
  }

  #on_synced() {
    this.#snapshot_under_way = false;
    this.#up = true;
    this.#was_up = true;
    this.#settle_opened.resolve();
    this.#turns.on_told_again(this.#store);
    this.#deliveries.on_synced(this.#store);
    this.#tools.on_synced();
    this.mic.on_synced();
  }

  #on_ended() {
    // "auto" stands for the running conversation, and this one no longer runs.
    this.#credentials.forget();
    this.#turns.ended();
    this.#deliveries.on_ended();
    this.#tools.on_ended();
    this.mic.on_ended();
  }

  // -- what listeners hear ----------------------------------------------------

  /** @param {import('./store.js').Change[]} changes */
  #announce(changes) {
    for (const [name, ...args] of changes) {
      if (name === 'removed') this.mic.on_removed(args[0]);
      if (name === 'approval') this.#emitter.emit(name, this.#to_answer(args[0]));
      else this.#emitter.emit(name, ...args);
    }
    const before = this.#state;
    this.#state = this.#state_now();
    if (this.#state !== before) this.#emitter.emit('state', this.#state, before);
    if (this.#change_planned) return;
    this.#change_planned = true;
    queueMicrotask(() => {
      this.#change_planned = false;
      this.#emitter.emit('change');
    });
  }

  #state_now() {
    if (this.#store.ended) return 'ended';
    if (this.#closed) return 'closed';
    if (!this.#up) return this.#was_up ? 'resuming' : 'connecting';
    if (this.#store.phase !== 'ready') return this.#store.phase;
    return this.#store.completed ? 'completed' : 'ready';
  }
}

/**
 * Opens a conversation and waits until it is there.
 * @param {ConstructorParameters<typeof Session>[0]} options
 * @returns {Promise<Session>}
 */
export async function connect(options) {
  const session = new Session(options);
  await session.opened;
  return session;
}
