/**
 * One socket after the other to the same place: opens again for ever, with growing and jittered delays. Knows frames,
 * not what they mean.
 */

/** A socket that has not said `session.created` within this time is given up. */
const open_deadline_ms = 20_000;
const first_delay_ms = 250;
const longest_delay_ms = 10_000;

export class Connection {
  #where;
  #WebSocket;
  #on_event;
  #on_up;
  #on_down;
  #socket = null;
  #timer = null;
  #failures = 0;
  #opening = false;
  #closed = false;
  /** Milliseconds, once the server has said that it goes away; null: it has not. */
  #move_in = null;
  #wake = () => this.#hurry();

  /**
   * @param {object} parts
   * @param {(failures: number) => Promise<{url: string, protocols: string[]}>} parts.where asked before each attempt
   * @param {typeof globalThis.WebSocket} parts.WebSocket
   * @param {(event: object) => void} parts.on_event one parsed frame
   * @param {() => void} parts.on_up the server has greeted
   * @param {(about: {failures: number, code: number, reason: string, fault?: Error}) => void} parts.on_down the socket
   *   is gone, or could not be opened; the next attempt is already planned
   */
  constructor({ where, WebSocket, on_event, on_up, on_down }) {
    this.#where = where;
    this.#WebSocket = WebSocket;
    this.#on_event = on_event;
    this.#on_up = on_up;
    this.#on_down = on_down;
  }

  start() {
    globalThis.window?.addEventListener?.('online', this.#wake);
    globalThis.document?.addEventListener?.('visibilitychange', this.#wake);
    this.#open();
  }

  /** @returns {boolean} false when there is no open socket: nothing was sent */
  send(event) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** The server is about to close this socket, and is there again after so long. That is no failure. */
  move(reconnect_in_ms) {
    const delay = Number.isFinite(reconnect_in_ms) ? reconnect_in_ms : 0;
    this.#move_in = Math.min(Math.max(0, delay), longest_delay_ms);
  }

  /** Bytes that wait to go out. */
  get backlog() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Gives up the socket without waiting for its end, and opens another: for sockets that have gone silent. */
  drop(reason) {
    if (this.#socket) this.#down({ code: 1006, reason });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    globalThis.window?.removeEventListener?.('online', this.#wake);
    globalThis.document?.removeEventListener?.('visibilitychange', this.#wake);
    this.#let_go();
  }

  async #open() {
    let socket;
    this.#opening = true;
    try {
      const { url, protocols } = await this.#where(this.#failures);
      if (this.#closed) return;
      socket = new this.#WebSocket(url, protocols);
    } catch (fault) {
      if (!this.#closed) this.#down({ code: 1006, reason: fault.message, fault });
      return;
    } finally {
      this.#opening = false;
    }
    this.#socket = socket;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#down({ code: 1006, reason: 'no greeting in time' }), open_deadline_ms);
    socket.onmessage = (message) => this.#receive(socket, message.data);
    // A browser says no more about a failure than that it happened; `close` always follows.
    socket.onerror = () => {};
    socket.onclose = (closed) => {
      if (socket === this.#socket) this.#down({ code: closed.code, reason: closed.reason });
    };
  }

  #receive(socket, data) {
    if (socket !== this.#socket || typeof data !== 'string') return;
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (event?.type === 'session.created') {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#on_event(event);
      this.#on_up();
      return;
    }
    if (typeof event?.type === 'string') this.#on_event(event);
  }

  #down(about) {
    this.#let_go();
    if (this.#closed) return;
    const move_in = this.#move_in;
    this.#move_in = null;
    if (move_in !== null) {
      this.#plan(move_in);
      this.#on_down({ ...about, failures: this.#failures });
      return;
    }
    const longest = Math.min(longest_delay_ms, first_delay_ms * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    // Half of the delay is random, so that the clients of a restarted server do not come back in step.
    this.#plan(longest * (0.5 + 0.5 * Math.random()));
    this.#on_down({ ...about, failures: this.#failures });
  }

  #plan(delay_ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), delay_ms);
  }

  #hurry() {
    if (this.#closed || this.#socket || this.#opening || globalThis.document?.hidden) return;
    this.#plan(0);
  }

  #let_go() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      socket.close(1000);
    } catch {
      // Still opening in an engine that refuses this: it is forgotten all the same.
    }
  }
}
