/** A spoken answer has been sent; how long until it is known what of it was heard. */
const measured_within_ms = 2_000;
/** Measurements that came before the end of their answer. */
const measured_most = 8;

/**
 * The answers that somebody waits for. The client names each response itself, so that it is known on any socket.
 *
 * @typedef {object} Answer
 * @property {string} status
 * @property {string} text as it was heard, where it was spoken
 * @property {string[]} items
 * @property {string} response
 * @property {Record<string, number>} [latency] parts of the silence before it, in ms, where it was spoken
 */
export class Turns {
  /**
   * `calls`: the response has called tools, and the one that follows their outputs goes on with the answer. `said`: the
   * messages so far. `spoken`: it has been given, and what of it was heard is about to be known.
   * @type {{item: string, response: string, broken: boolean, calls: boolean, said: object[], spoken?: {response: string,
   *   answer: object}, resolve: (answer: Answer) => void}[]}
   */
  #open = [];
  /** @type {Map<string, {text: string, latency: object}>} by response */
  #measured = new Map();

  /**
   * @param {string} item id of the visitor's message
   * @param {string} response id that its answer will have
   * @returns {Promise<Answer>} never rejects: an answer that did not come says so in its status
   */
  begin(item, response) {
    return new Promise((resolve) => this.#open.push({ item, response, broken: false, calls: false, said: [], resolve }));
  }

  refused(item) {
    this.#close((turn) => turn.item === item, { status: 'refused' });
  }

  /** @param {object} event a server event */
  on_event(event) {
    if (event.type === 'sidevoice.turn.completed') this.#on_measured(event);
    if (event.type !== 'response.done') return;
    const { id, status, output = [] } = event.response;
    const asked = this.#open.findIndex((turn) => turn.response === id);
    // One response runs at a time: what is done now is also the end of those before it that wait for outputs.
    const its = (turn, at) => turn.response === id || (turn.calls && (asked < 0 || at < asked));
    const turns = this.#open.filter(its);
    const calls = status === 'completed' && output.some((item) => item.type === 'function_call');
    for (const turn of turns) {
      turn.said.push(...output.filter((item) => item.type === 'message'));
      turn.calls = calls;
      if (calls) continue;
      const answer = { status, ...answer_of(turn.said) };
      if (is_spoken(turn.said)) this.#await_measure(turn, id, answer);
      else this.#close((other) => other === turn, answer);
    }
  }

  #await_measure(turn, response, answer) {
    const known = this.#measured.get(response);
    if (known) return this.#close((other) => other === turn, { ...answer, ...known });
    turn.spoken = { response, answer };
    setTimeout(() => this.#close((other) => other === turn, answer), measured_within_ms);
  }

  #on_measured({ turn: response, heard_text, latency }) {
    const measured = { latency };
    if (typeof heard_text === 'string') measured.text = heard_text;
    this.#measured.set(response, measured);
    if (this.#measured.size > measured_most) this.#measured.delete(this.#measured.keys().next().value);
    for (const turn of this.#open.filter(({ spoken }) => spoken?.response === response))
      this.#close((other) => other === turn, { ...turn.spoken.answer, ...measured });
  }

  /** The socket is gone: an answer may end before there is another, and then only the conversation knows it. */
  on_break() {
    for (const turn of this.#open) turn.broken = true;
  }

  /**
   * Something of the conversation was told again.
   * @param {import('./store.js').Store} store
   */
  on_told_again(store) {
    for (const turn of this.#open.filter(({ broken }) => broken)) {
      const at = store.messages.findIndex((message) => message.id === turn.item);
      const next = at < 0 ? undefined : store.messages.slice(at + 1).find((message) => message.role === 'assistant');
      if (next?.final) this.#close((other) => other === turn, { status: next.status, text: next.text, items: [next.id] });
    }
  }

  ended() {
    this.#close(() => true, { status: 'ended' });
  }

  #close(which, answer) {
    const closed = this.#open.filter(which);
    this.#open = this.#open.filter((turn) => !closed.includes(turn));
    for (const turn of closed) turn.resolve({ text: '', items: [], response: turn.response, ...answer });
  }
}

function is_spoken(messages) {
  return messages.some((item) => (item.content ?? []).some((part) => part.type === 'output_audio'));
}

function answer_of(messages) {
  const words = (item) => (item.content ?? []).map((part) => part.text ?? part.transcript ?? '').join('');
  return { text: messages.map(words).join(' '), items: messages.map((item) => item.id) };
}
