import { SidevoiceError } from './errors.js';
import { realtime_url } from './address.js';

/**
 * Decides with which key and session id the next socket is opened, and finds out why sockets are refused: a browser
 * says nothing about an upgrade that failed, so the same address is asked by an ordinary request.
 */
export class Credentials {
  #base;
  #app;
  #language;
  #storage;
  #token_provider;
  #token = '';
  #client_key = '';
  /** Set when this conversation must not be taken from, or kept in, the browser's storage. */
  #own;
  session = '';

  /**
   * @param {object} parts
   * @param {string} parts.base
   * @param {string} parts.app
   * @param {string} parts.session "auto", "new" or an id
   * @param {string} [parts.language] "de"; default: the app's
   * @param {() => Promise<string>} [parts.token_provider]
   * @param {import('./storage.js').SessionStorage} parts.storage
   */
  constructor({ base, app, session, language, token_provider, storage }) {
    this.#base = base;
    this.#app = app;
    this.#language = language;
    this.#storage = storage;
    this.#token_provider = token_provider;
    if (session === 'new') storage.forget();
    const kept = storage.load();
    this.#own = session !== 'auto' && session !== 'new' && session !== kept.session;
    if (this.#own) {
      this.session = session;
    } else {
      this.session = kept.session ?? '';
      this.#client_key = kept.client_key ?? '';
    }
  }

  /** Whether the conversation is the one that this browser comes back to. */
  get remembered() {
    return !this.#own;
  }

  /** What a snapshot says about the way back. */
  keep({ session, client_key }) {
    const begun = !this.session;
    this.session = session ?? this.session;
    this.#client_key = client_key ?? this.#client_key;
    // Another tab may have begun a newer conversation meanwhile: that one stays the one to come back to.
    if (!this.#own && (begun || this.#is_stored()))
      this.#storage.save({ session: this.session, client_key: this.#client_key });
  }

  /** The conversation is over: there is nothing to come back to. */
  forget() {
    if (!this.#own && this.#is_stored()) this.#storage.forget();
  }

  /**
   * @param {number} failures attempts that failed in a row
   * @returns {Promise<{url: string, protocols: string[]}>}
   */
  async next(failures) {
    // An expired key looks like any other failure, so a failure asks for another.
    if (this.#token_provider && (!this.#token || failures > 0)) this.#token = (await this.#token_provider()).trim();
    const key = this.#key();
    const protocols = ['sidevoice.v1'];
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    return { url: this.#url(), protocols };
  }

  /**
   * @returns {Promise<SidevoiceError|null>} why the server refuses this app, session or key; null when it does not, or
   *   cannot be asked
   */
  async refusal() {
    const url = this.#url().replace(/^ws/, 'http');
    const key = this.#key();
    try {
      const reply = await fetch(url, {
        headers: key ? { Authorization: `Bearer ${key}` } : {},
        cache: 'no-store',
        signal: AbortSignal.timeout(10_000),
      });
      // Without a key, 401 may only mean that this request could not show its origin as a socket does.
      if (![400, 401, 403, 404, 410].includes(reply.status) || (reply.status === 401 && !key)) return null;
      const { error } = await reply.json();
      return error?.message ? new SidevoiceError(error.message, error) : null;
    } catch {
      return null;
    }
  }

  /** Forgets a session that the server no longer opens. @returns {boolean} false when there is none to forget */
  begin_anew() {
    if (this.#own || this.#token_provider || !this.session) return false;
    this.forget();
    this.session = '';
    this.#client_key = '';
    return true;
  }

  #url() {
    return realtime_url(this.#base, { app: this.#app, session: this.session, language: this.#language });
  }

  #is_stored() {
    return this.#storage.load().session === this.session;
  }

  #key() {
    return this.#token || this.#client_key;
  }
}
