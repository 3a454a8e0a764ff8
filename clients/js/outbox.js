/**
 * What was asked of the server and is not acknowledged yet. Everything in it has an id that makes a repetition harmless,
 * so after each resume all of it is sent again.
 *
 * @typedef {object} Entry
 * @property {string} id the item's, the edit's or the call's
 * @property {'message'|'edit'|'undo'|'approval'|'end'} kind
 * @property {object} frame the client event, with its event_id
 * @property {(answer: any) => void} resolve
 * @property {(fault: Error) => void} reject
 * @property {number} sent_at when it last went out on a socket, in ms of performance.now(); 0: not on this socket
 */
export class Outbox {
  /** @type {Map<string, Entry>} by event_id, in the order of sending */
  #entries = new Map();

  /** @param {Omit<Entry, 'sent_at'>} entry */
  add(entry) {
    const whole = { ...entry, sent_at: 0 };
    this.#entries.set(entry.frame.event_id, whole);
    return whole;
  }

  get(event_id) {
    return this.#entries.get(event_id);
  }

  find(kind, id) {
    return this.all().find((entry) => entry.kind === kind && entry.id === id);
  }

  take(entry) {
    this.#entries.delete(entry.frame.event_id);
    return entry;
  }

  all() {
    return [...this.#entries.values()];
  }

  /** The socket is gone: nothing of this is under way any more. */
  not_sent() {
    for (const entry of this.#entries.values()) entry.sent_at = 0;
  }

  /** @returns {number} when the oldest entry under way was sent; Infinity when there is none */
  oldest_sent_at() {
    return Math.min(Infinity, ...this.all().filter((entry) => entry.sent_at > 0).map((entry) => entry.sent_at));
  }
}
