import { make_id } from './ids.js';
import { SidevoiceError } from './errors.js';

/** The checklist by hand. Each call resolves once the change is durable and rejects with the reason where it is refused. */
export class Topics {
  #session;
  #submit;

  /**
   * @param {import('./session.js').Session} session
   * @param {(entry: object) => Promise<any>} submit puts an entry into the outbox
   */
  constructor(session, submit) {
    this.#session = session;
    this.#submit = submit;
  }

  /** @returns {object[]} all topics, in the checklist's order */
  all() {
    return this.#session.store.topics;
  }

  /** @param {string} id */
  get(id) {
    return this.#session.store.topic(id);
  }

  /**
   * Sets a value by hand; null empties the topic.
   * @param {string} id
   * @param {any} value
   * @param {{base_revision?: number}} [options] the topic's revision that the person saw; default: the newest one here
   * @returns {Promise<object>} the topic as it then stands
   */
  async set(id, value, options = {}) {
    return this.#update(id, { value }, options);
  }

  /**
   * Sets a status by hand and keeps the value, such as "confirmed" or "open".
   * @param {string} id
   * @param {string} status
   * @param {{base_revision?: number}} [options]
   */
  async set_status(id, status, options = {}) {
    return this.#update(id, { status }, options);
  }

  /** Puts back what the newest change of the checklist replaced. */
  async undo() {
    const event_id = make_id('event_');
    return this.#submit({ kind: 'undo', id: event_id, frame: { type: 'sidevoice.topic.undo', event_id } });
  }

  #update(id, change, { base_revision } = {}) {
    const known = this.get(id);
    if (!known)
      throw new SidevoiceError(`This checklist has no topic "${id}".`, { code: 'topic_unknown', param: 'topic' });
    const event_id = make_id('event_');
    const frame = { type: 'sidevoice.topic.update', event_id, topic: id, ...change };
    frame.base_revision = base_revision ?? known.revision ?? 0;
    return this.#submit({ kind: 'edit', id: event_id, frame });
  }
}
