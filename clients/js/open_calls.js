/**
 * The part of the fold that is about tools: what runs, and what waits for the visitor's word.
 *
 * @typedef {object} Approval a call that waits for the visitor's word
 * @property {string} call_id
 * @property {string} name the tool's
 * @property {object} arguments
 * @property {string} say what it does, for people
 *
 * @typedef {import('./store.js').Change} Change
 */
export class OpenCalls {
  /** @type {Map<string, Approval>} by call */
  #approvals = new Map();
  /** Calls asked for again since a snapshot or resume began; null while none is under way. */
  #asked_again = null;
  /** item id to {call_id, name} of the conversation's calls that have no output yet */
  #running = new Map();

  get approvals() {
    return [...this.#approvals.values()];
  }

  /** Tools that run now. Those of the agent that only listens are not told. */
  get running() {
    return [...this.#running.values()].filter(({ call_id }) => !this.#approvals.has(call_id));
  }

  approval(call_id) {
    return this.#approvals.get(call_id);
  }

  /** @returns {Change[]} nothing when it is known already */
  ask({ call_id, name, arguments: given, say }) {
    this.#asked_again?.add(call_id);
    if (this.#approvals.has(call_id)) return [];
    const approval = { call_id, name, arguments: given ?? {}, say: say || name };
    this.#approvals.set(call_id, approval);
    return [['approval', approval]];
  }

  /** @param {boolean} [approve] absent when it is not known what was said @returns {Change[]} */
  answered(call_id, approve) {
    return this.#approvals.delete(call_id) ? [['approval_answered', { callId: call_id, approve }]] : [];
  }

  /** Calls are no messages; what counts is that they run. @param {object} item whole, and no message */
  put(item) {
    if (item.type === 'function_call' && item.status !== 'incomplete')
      this.#running.set(item.id, { call_id: item.call_id, name: item.name });
    if (item.type !== 'function_call_output') return;
    for (const [id, { call_id }] of this.#running) if (call_id === item.call_id) this.#running.delete(id);
  }

  remove(item) {
    this.#running.delete(item);
  }

  /** Another view of the conversation follows: what still waits will be asked for again. */
  begin_again({ keep_running }) {
    if (!keep_running) this.#running.clear();
    this.#asked_again = new Set();
  }

  /** What was not asked for again was answered while nobody listened here. @returns {Change[]} */
  told_again() {
    const asked = this.#asked_again;
    this.#asked_again = null;
    if (!asked) return [];
    return this.approvals.filter(({ call_id }) => !asked.has(call_id)).flatMap(({ call_id }) => this.answered(call_id));
  }

  /** @returns {Change[]} */
  session_ended() {
    this.#running.clear();
    return this.approvals.flatMap(({ call_id }) => this.answered(call_id, false));
  }
}
