/**
 * What the server, or this client, has refused. `code` is stable, `message` is a sentence for people.
 */
export class SidevoiceError extends Error {
  /**
   * @param {string} message
   * @param {{code?: string, type?: string, param?: string|null, current?: object}} [about]
   */
  constructor(message, { code = 'error', type = 'client_error', param = null, current } = {}) {
    super(message);
    this.name = 'SidevoiceError';
    this.code = code;
    this.type = type;
    this.param = param;
    /** The topic as it stands, where an edit was refused. */
    this.current = current;
  }
}

/** @param {{type?: string, code?: string, message?: string, param?: string|null}} error body of a server's `error` event */
export function from_server(error) {
  return new SidevoiceError(error.message ?? 'The server refused the request.', error);
}
