// A bad network between browser and server: its connections can be cut, or go silent while they look alive.
import net from 'node:net';

export class Proxy {
  #pairs = new Set();
  #server;
  #refuses_sockets = false;

  /** @param {string} url of the server behind it */
  static async start(url) {
    const proxy = new Proxy();
    const { hostname: host, port } = new URL(url);
    proxy.#server = net.createServer((near) => proxy.#join(near, net.connect({ host, port: Number(port) })));
    await new Promise((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  #join(near, far) {
    const pair = [near, far];
    this.#pairs.add(pair);
    const pass = (from, to) => {
      from.on('data', (data) => {
        if (!pair.silent) to.write(data);
      });
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    };
    // A browser's upgrade is one small piece: its first bytes tell what it is.
    near.once('data', (first) => {
      if (this.#refuses_sockets && /^upgrade: *websocket/im.test(first.toString('latin1'))) near.destroy();
    });
    pass(near, far);
    pass(far, near);
  }

  /** Pages and their files still come through; their WebSockets do not. */
  refuse_sockets(refuses) {
    this.#refuses_sockets = refuses;
  }

  /** Every connection ends, as when a phone changes its network. */
  cut() {
    for (const pair of this.#pairs) for (const end of pair) end.destroy();
  }

  /** What is open stays open, and nothing comes through it any more. New connections work. */
  silence() {
    for (const pair of this.#pairs) pair.silent = true;
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
