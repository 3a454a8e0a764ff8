/** Listeners by name. One that throws does not keep the others from being called. */
export class Emitter {
  #listeners = new Map();

  /**
   * @param {string} name
   * @param {(...args: any[]) => void} listener
   * @returns {() => void} takes the listener off again
   */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.off(name, listener);
  }

  off(name, listener) {
    this.#listeners.get(name)?.delete(listener);
  }

  emit(name, ...args) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(...args);
      } catch (fault) {
        // The page's own fault: it shows up in its console, and the fold goes on.
        queueMicrotask(() => {
          throw fault;
        });
      }
    }
  }
}
