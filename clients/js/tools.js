import { SidevoiceError, from_server } from './errors.js';
import { make_id } from './ids.js';

/** Pause before an output is sent again that the server could not store just now. */
const retry_ms = 2_000;
/** Calls that are remembered after their end, so that one that comes again is not run again. */
const remembered_max = 200;
/** The server takes no more. */
const output_bytes_max = 128 * 1024;

/**
 * Functions of the page that the agents may call. A call runs once under its id, however often it comes: what it gave is
 * remembered and sent again until the server has it.
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {string} name
 * @property {'conversation'|'analyzer'} by
 * @property {AbortController} stop
 * @property {ReturnType<typeof setTimeout>} [timer]
 * @property {number} until when the server stops to wait, in ms of performance.now()
 * @property {object} [frame] its output, once it has one
 * @property {boolean} over the server has the output, or wants none
 * @property {number} sent_at as in the outbox
 */
export class Tools {
  /** @type {Map<string, Function>} */
  #functions = new Map();
  /** @type {Map<string, Call>} the oldest first */
  #calls = new Map();
  #send_offer;
  #send_output;
  #announce;
  /** What this socket has been told; null: nothing yet. */
  #offered = null;
  #offer_id = '';
  #planned = false;

  /**
   * @param {object} parts
   * @param {(frame: object) => boolean} parts.send_offer false: there is no socket
   * @param {(frame: object) => boolean} parts.send_output false: the conversation is not up to date on a socket
   * @param {(changes: import('./store.js').Change[]) => void} parts.announce
   */
  constructor({ send_offer, send_output, announce }) {
    this.#send_offer = send_offer;
    this.#send_output = send_output;
    this.#announce = announce;
  }

  /** @returns {() => void} takes the function back, unless another has replaced it */
  add(name, run) {
    if (typeof run !== 'function')
      throw new SidevoiceError(`The tool "${name}" is not a function.`, { code: 'not_a_function', param: name });
    this.#functions.set(name, run);
    this.#offer_soon();
    return () => {
      if (this.#functions.get(name) !== run) return;
      this.#functions.delete(name);
      this.#offer_soon();
    };
  }

  /** When the oldest output under way was sent, in ms of performance.now(); Infinity when there is none. */
  get oldest_sent_at() {
    // The server acknowledges those of the conversation only.
    const waiting = this.#unanswered().filter(({ by, sent_at }) => by === 'conversation' && sent_at > 0);
    return Math.min(Infinity, ...waiting.map(({ sent_at }) => sent_at));
  }

  // -- the socket ---------------------------------------------------------------

  /** The server has greeted. */
  on_up() {
    this.#offered = null;
    this.#offer();
  }

  on_down() {
    this.#offered = null;
    for (const call of this.#calls.values()) call.sent_at = 0;
  }

  on_synced() {
    for (const call of this.#unanswered()) this.#send(call);
  }

  /** Nobody is to hear of what still runs. */
  on_ended() {
    for (const call of this.#calls.values()) this.#give_up(call, 'The conversation has ended.');
  }

  /** @param {object} event a server event */
  on_event(event) {
    if (event.type === 'sidevoice.tool.called') this.#on_called(event);
    else if (event.type === 'sidevoice.tool.cancelled') this.#on_cancelled(event.call_id);
    else if (event.type === 'conversation.item.done') this.#on_item(event.item);
    else if (event.type === 'error') this.#on_error(event.error ?? {});
  }

  /** @returns {boolean} true for errors that answer something of this class */
  owns(error) {
    const id = error.event_id ?? '';
    return id.startsWith('output_') || (id !== '' && id === this.#offer_id);
  }

  // -- offers -------------------------------------------------------------------

  /** What is sent next shall find the functions of this moment. */
  offer_now() {
    if (this.#planned) this.#offer();
  }

  #offer_soon() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#offer();
    });
  }

  #offer() {
    const names = [...this.#functions.keys()].sort();
    // A page without tools has nothing to say, unless it has to take something back.
    if (names.join() === (this.#offered ?? '')) return;
    this.#offer_id = make_id('event_');
    if (this.#send_offer({ type: 'sidevoice.tools.offer', event_id: this.#offer_id, names })) this.#offered = names.join();
  }

  // -- calls --------------------------------------------------------------------

  #on_called({ call_id: id, name, arguments: given, deadline_ms, by }) {
    const known = this.#calls.get(id);
    if (known) {
      known.until = performance.now() + deadline_ms;
      // Where it is still running, its answer follows by itself.
      if (known.frame) this.#send(known);
      else if (known.stop.signal.aborted) this.#answer(known, { error: message_of(known.stop.signal.reason) });
      return;
    }
    const until = performance.now() + (deadline_ms > 0 ? deadline_ms : Infinity);
    const call = { id, name, by, stop: new AbortController(), until, over: false, sent_at: 0 };
    this.#remember(call);
    const late = () => this.#abort(call, new DOMException('The tool was not done in time.', 'TimeoutError'));
    // setTimeout takes no more than 31 bits.
    if (deadline_ms > 0) call.timer = setTimeout(late, Math.min(deadline_ms, 0x7fffffff));
    this.#run(call, given ?? {});
  }

  async #run(call, given) {
    let answer;
    try {
      const run = this.#functions.get(call.name);
      if (!run) throw new Error(`This page has no tool "${call.name}".`);
      const about = { signal: call.stop.signal, callId: call.id, by: call.by };
      answer = { output: text_of(await run(given, about)) };
    } catch (fault) {
      answer = { error: message_of(fault) };
    }
    // Its time is over, or nobody wants it any more: the model has been told something else.
    if (!call.stop.signal.aborted) this.#answer(call, answer);
  }

  #answer(call, answer) {
    clearTimeout(call.timer);
    call.frame = { type: 'sidevoice.tool.output', event_id: make_id('output_'), call_id: call.id, ...answer };
    call.over = false;
    this.#send(call);
  }

  #send(call) {
    if (this.#send_output(call.frame)) call.sent_at = performance.now();
  }

  #on_cancelled(id) {
    const call = this.#calls.get(id);
    if (call) this.#give_up(call, 'The call was cancelled.');
  }

  #give_up(call, why) {
    call.over = true;
    this.#abort(call, new DOMException(why, 'AbortError'));
  }

  #abort(call, reason) {
    clearTimeout(call.timer);
    if (!call.frame) call.stop.abort(reason);
  }

  #on_item(item) {
    const call = item.type === 'function_call_output' ? this.#calls.get(item.call_id) : undefined;
    if (!call) return;
    // Also where the server gave it an output of its own, such as that its time was over.
    this.#give_up(call, 'The call has its output.');
  }

  #on_error(error) {
    if (error.event_id && error.event_id === this.#offer_id) {
      this.#announce([['error', from_server(error)]]);
      return;
    }
    const call = [...this.#calls.values()].find(({ frame }) => frame && frame.event_id === error.event_id);
    if (!call) return;
    // Refused for good: it has its output already, or nobody waits for it any more.
    call.sent_at = 0;
    if (error.type === 'invalid_request_error') call.over = true;
    else setTimeout(() => call.over || call.sent_at > 0 || this.#send(call), retry_ms);
  }

  #unanswered() {
    const now = performance.now();
    return [...this.#calls.values()].filter(({ frame, over, until }) => frame && !over && now < until);
  }

  #remember(call) {
    this.#calls.set(call.id, call);
    for (const [id, old] of this.#calls) {
      if (this.#calls.size <= remembered_max) return;
      // What still runs is bounded by its deadline.
      if (old.frame || old.stop.signal.aborted) this.#calls.delete(id);
    }
  }
}

function message_of(fault) {
  return clean(String(fault?.message ?? fault).slice(0, 2_000)) || 'The tool failed.';
}

/** What a tool gave, as the model reads it: text stays text, the rest becomes JSON. */
function text_of(value) {
  if (value === undefined) return 'done';
  // Throws for what is no JSON, such as a circle.
  const text = typeof value === 'string' ? clean(value) : JSON.stringify(value);
  if (text === undefined) throw new Error('The tool gave something that is no JSON.');
  if (new TextEncoder().encode(text).length > output_bytes_max) throw new Error('The tool gave more than 128 KiB.');
  return text;
}

/** Without NUL and halves of characters, which the server refuses. */
function clean(text) {
  return new TextDecoder().decode(new TextEncoder().encode(text)).replaceAll('\0', '\uFFFD');
}
