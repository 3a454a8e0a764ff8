/**
 * The answers that somebody waits for. The client names each response itself, so that it is known on any socket.
 *
 * @typedef {{status: string, text: string, items: string[], response: string}} Answer
 */
export class Turns {
  /**
   * `calls`: the response has called tools, and the one that follows their outputs goes on with the answer. `said`: the
   * messages so far.
   * @type {{item: string, response: string, broken: boolean, calls: boolean, said: object[], resolve: (answer: Answer) => void}[]}
   */
  #open = [];

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
      if (!calls) this.#close((other) => other === turn, { status, ...answer_of(turn.said) });
    }
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

function answer_of(messages) {
  const words = (item) => (item.content ?? []).map((part) => part.text ?? part.transcript ?? '').join('');
  return { text: messages.map(words).join(' '), items: messages.map((item) => item.id) };
}
