import { SidevoiceError, from_server } from './errors.js';
import { make_id } from './ids.js';
import { Outbox } from './outbox.js';

/** Pause before something is sent again that the server could not store just now. */
const retry_ms = 2_000;

/** Stands for itself: an answer that had just come to its end needs no interruption. */
export const interrupt_id = 'interrupt';

/** Begins the ids of answers to approvals: one that came too late needs no word. */
const approval_prefix = 'approval_';

/**
 * What goes to the server and has to arrive: messages, edits and approvals, each until it is acknowledged or
 * refused. Decides which server event answers which of them.
 */
export class Deliveries {
  #outbox = new Outbox();
  /** @type {import('./store.js').Message[]} */
  #pending = [];
  #transmit;
  #announce;
  #turns;
  #storage;
  #session;

  /**
   * @param {object} parts
   * @param {(frame: object) => boolean} parts.transmit false: nothing was sent, it will be told when to try again
   * @param {(changes: import('./store.js').Change[]) => void} parts.announce
   * @param {import('./turns.js').Turns} parts.turns
   * @param {import('./storage.js').SessionStorage|null} parts.storage where unacknowledged messages outlive the page
   * @param {() => string} parts.session id of the session, empty while it is unknown
   */
  constructor({ transmit, announce, turns, storage, session }) {
    this.#transmit = transmit;
    this.#announce = announce;
    this.#turns = turns;
    this.#storage = storage;
    this.#session = session;
  }

  /** What was typed and is not in the conversation yet. */
  get pending() {
    return this.#pending;
  }

  /** When the oldest delivery under way was sent, in ms of performance.now(); Infinity when there is none. */
  get oldest_sent_at() {
    return this.#outbox.oldest_sent_at();
  }

  /** Takes up what an earlier life of this page could not deliver. */
  take_up_unsent() {
    // Nobody waits for these; what becomes of them shows in the conversation.
    for (const { id, text, session } of this.#storage?.load().unsent ?? []) {
      if (!session || session === this.#session()) this.message(text, id).catch(() => {});
    }
  }

  /** @param {string} text */
  async message(text, id = make_id('item_')) {
    const message = { id, role: 'user', text, final: true, status: 'sending' };
    this.#pending.push(message);
    this.#storage?.add_unsent({ id, text, session: this.#session() });
    this.#announce([['message', message]]);
    const response_id = make_id('resp_');
    const done = this.#turns.begin(id, response_id);
    const item = { id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
    const frame = { type: 'conversation.item.create', event_id: make_id('event_'), item, answer: true, response_id };
    const seq = await this.submit({ kind: 'message', id, frame });
    return { id, seq, done };
  }

  /**
   * The visitor's word on a call; the first one given here is the one that goes out.
   * @param {string} call_id
   * @param {boolean} approve
   */
  approval(call_id, approve) {
    const known = this.#outbox.find('approval', call_id);
    if (known) return known.promise;
    const frame = { type: 'sidevoice.approval.answer', event_id: make_id(approval_prefix), call_id, approve };
    const promise = this.submit({ kind: 'approval', id: call_id, frame });
    this.#outbox.get(frame.event_id).promise = promise;
    return promise;
  }

  /** @param {Omit<import('./outbox.js').Entry, 'resolve'|'reject'|'sent_at'>} entry */
  submit(entry) {
    return new Promise((resolve, reject) => this.#send(this.#outbox.add({ ...entry, resolve, reject })));
  }

  /** Takes a refused message out of the view. */
  discard(id) {
    this.#pending = this.#pending.filter((message) => message.id !== id || message.status !== 'refused');
    this.#announce([['removed', id]]);
  }

  // -- the socket ---------------------------------------------------------------

  on_down() {
    this.#outbox.not_sent();
  }

  /** The conversation is up to date on a new socket: everything unacknowledged goes out again. */
  on_synced(store) {
    for (const entry of this.#outbox.all()) {
      // Answered while nobody listened here: there is nothing left to say.
      if (entry.kind === 'approval' && !store.calls.approval(entry.id)) this.#outbox.take(entry).resolve(undefined);
      else this.#send(entry);
    }
  }

  on_ended() {
    for (const entry of this.#outbox.all()) {
      if (entry.kind === 'end') this.#outbox.take(entry).resolve();
      else this.#refuse(entry, new SidevoiceError('This conversation has ended.', { code: 'session_ended' }));
    }
  }

  /** Nobody listens here any more. What is stored is delivered by the page's next life. */
  close() {
    const left = new SidevoiceError('The connection was closed here.', { code: 'closed' });
    for (const entry of this.#outbox.all()) this.#outbox.take(entry).reject(left);
  }

  // -- answers ------------------------------------------------------------------

  /**
   * @param {object} event a server event, after the store has applied it
   * @param {import('./store.js').Store} store
   */
  on_event(event, store) {
    if (event.type === 'conversation.item.added' || event.type === 'conversation.item.done') this.#on_item(event);
    else if (event.type === 'sidevoice.topic.updated') this.#on_topic(event, store);
    else if (event.type === 'sidevoice.topic.rejected') this.#on_topic_rejected(event, store);
    else if (event.type === 'sidevoice.approval.answered') this.#on_approval(event);
    else if (event.type === 'error') this.#on_error(event.error ?? {});
  }

  #on_item(event) {
    const entry = this.#outbox.find('message', event.item.id);
    if (!entry) return;
    this.#outbox.take(entry);
    this.#pending = this.#pending.filter((message) => message.id !== entry.id);
    this.#storage?.remove_unsent(entry.id);
    entry.resolve(event.seq);
  }

  #on_topic(event, store) {
    const entry = this.#outbox.get(event.edit);
    if (entry) this.#outbox.take(entry).resolve(store.topic(event.topic.id));
  }

  #on_topic_rejected({ edit, topic, reason, message, current }, store) {
    const fault = new SidevoiceError(message ?? reason, { code: reason, param: topic, current });
    if (current) this.#announce(store.apply({ type: 'sidevoice.topic.updated', topic: current }));
    const entry = this.#outbox.get(edit);
    if (entry) this.#outbox.take(entry).reject(fault);
    else this.#announce([['error', fault]]);
  }

  #on_approval({ call_id, approve }) {
    const entry = this.#outbox.find('approval', call_id);
    if (entry) this.#outbox.take(entry).resolve(approve);
  }

  #on_error(error) {
    if (error.event_id === interrupt_id) return;
    const fault = from_server(error);
    const entry = this.#outbox.get(error.event_id);
    // Another tab was faster, and its word has been told already.
    if (!entry && error.event_id?.startsWith(approval_prefix)) return;
    if (entry && error.type !== 'invalid_request_error') this.#try_later(entry, fault);
    else if (entry) this.#refuse(entry, fault);
    // Where somebody waits for the answer, that is who is told.
    if (!['edit', 'undo', 'approval'].includes(entry?.kind)) this.#announce([['error', fault]]);
  }

  #send(entry) {
    if (this.#transmit(entry.frame)) entry.sent_at = performance.now();
  }

  #try_later(entry, fault) {
    entry.sent_at = 0;
    const message = this.#pending.find((other) => other.id === entry.id);
    if (message) this.#announce([['message', Object.assign(message, { reason: fault.message })]]);
    setTimeout(() => {
      if (entry.sent_at === 0 && this.#outbox.get(entry.frame.event_id) === entry) this.#send(entry);
    }, retry_ms);
  }

  #refuse(entry, fault) {
    this.#outbox.take(entry);
    const message = this.#pending.find((other) => other.id === entry.id);
    if (message) {
      Object.assign(message, { status: 'refused', reason: fault.message });
      this.#storage?.remove_unsent(entry.id);
      this.#turns.refused(entry.id);
      this.#announce([['message', message]]);
    }
    entry.reject(fault);
  }
}
