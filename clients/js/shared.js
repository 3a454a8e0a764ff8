import { Session } from './session.js';

/**
 * One session per app and page, shared by all its elements and the page's own code. Kept on the global object, because a
 * page may well load this file twice under two addresses.
 * @type {Map<string, Shared>}
 */
const all = (globalThis[Symbol.for('sidevoice.shared')] ??= new Map());

/**
 * @param {string} app
 * @param {object} [options] see Session; those of the first caller count
 * @returns {Shared}
 */
export function shared(app, options = {}) {
  if (!all.has(app)) all.set(app, new Shared(app));
  return all.get(app).with_options(options);
}

/** Fires `change` whenever something to show has changed, `reveal` when a message is to be shown, and `event` for each
 *  event of the session: `detail` is {name, args}. */
class Shared extends EventTarget {
  #app;
  #options = {};
  #tools = {};
  /** Take the tools back from the running session. */
  #taken = [];
  /** @type {Session|null} */
  #session = null;
  #planned = false;

  constructor(app) {
    super();
    this.#app = app;
  }

  with_options(options) {
    this.#options = { ...options, ...this.#options };
    return this;
  }

  set_option(name, value) {
    this.#options[name] = value;
  }

  /** Functions of the page that the agents may call, by name; in the session of now and in those after it. */
  set tools(tools) {
    this.#tools = { ...tools };
    this.#offer_tools();
  }

  get tools() {
    return this.#tools;
  }

  get app() {
    return this.#app;
  }

  /** The running session; null until `start`. */
  get session() {
    return this.#session;
  }

  /** Opens the session once the page's own scripts have had their turn: they may still set a token provider. */
  start_soon() {
    if (this.#planned) return;
    this.#planned = true;
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', () => this.start());
    else setTimeout(() => this.start());
  }

  start() {
    this.#planned = true;
    if (this.#session) return this.#session;
    return this.#begin({});
  }

  /** Leaves this conversation and begins another. */
  restart() {
    this.#session?.close();
    return this.#begin({ session: 'new' });
  }

  /** Shows the message that a value was taken from. */
  reveal(item, quote) {
    this.dispatchEvent(new CustomEvent('reveal', { detail: { item, quote } }));
  }

  #offer_tools() {
    for (const take_back of this.#taken) take_back();
    this.#taken = this.#session ? Object.entries(this.#tools).map(([name, run]) => this.#session.tool(name, run)) : [];
  }

  #begin(changes) {
    const session = new Session({ ...this.#options, ...changes, app: this.#app });
    this.#session = session;
    this.#offer_tools();
    const names = [
      'message', 'removed', 'topic', 'state', 'notice', 'completed', 'reopened', 'approval', 'approval_answered', 'turn',
      'ended', 'error',
    ];
    for (const name of names) {
      session.on(name, (...args) => {
        if (session === this.#session) this.dispatchEvent(new CustomEvent('event', { detail: { name, args } }));
      });
    }
    session.on('change', () => {
      if (session === this.#session) this.dispatchEvent(new Event('change'));
    });
    this.dispatchEvent(new Event('change'));
    return session;
  }
}
