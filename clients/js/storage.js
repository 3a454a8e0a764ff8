/**
 * What this browser remembers of an app's running session: its id, the key with which an anonymous visitor may come
 * back to it, and messages that were not acknowledged yet. Without localStorage (Node, private windows) it is kept in
 * memory for as long as the page lives.
 */
export class SessionStorage {
  #area;
  #key;

  /**
   * @param {string} base the server's address
   * @param {string} app
   * @param {{getItem(k: string): string|null, setItem(k: string, v: string): void, removeItem(k: string): void}} [area]
   */
  constructor(base, app, area) {
    this.#key = `sidevoice:${base}:${app}`;
    this.#area = area ?? usable_area() ?? memory_area();
  }

  /** @returns {{session?: string, client_key?: string, unsent?: {id: string, text: string, session: string}[]}} */
  load() {
    try {
      const record = JSON.parse(this.#area.getItem(this.#key) ?? '{}');
      return record && typeof record === 'object' ? record : {};
    } catch {
      return {};
    }
  }

  /** Merges `changes` into the record. */
  save(changes) {
    try {
      this.#area.setItem(this.#key, JSON.stringify({ ...this.load(), ...changes }));
    } catch {
      // Full or forbidden: the conversation goes on, a reload will begin a new one.
    }
  }

  /** @param {{id: string, text: string, session: string}} message with its session, empty while that is unknown */
  add_unsent(message) {
    const others = (this.load().unsent ?? []).filter(({ id }) => id !== message.id);
    this.save({ unsent: [...others, message] });
  }

  /** @param {string} id */
  remove_unsent(id) {
    const { unsent = [] } = this.load();
    // Mostly there is nothing to remove, and other tabs need not hear of that.
    if (unsent.some((message) => message.id === id)) this.save({ unsent: unsent.filter((message) => message.id !== id) });
  }

  forget() {
    try {
      this.#area.removeItem(this.#key);
    } catch {
      // Forbidden: there is nothing to forget either.
    }
  }
}

function usable_area() {
  try {
    // Reading the property throws where storage is forbidden.
    const area = globalThis.window?.localStorage;
    area?.getItem('sidevoice');
    return area;
  } catch {
    return undefined;
  }
}

function memory_area() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}
