// What stands between a page and its server in tests of the voice: a server whose voice is of paper, and one that lies
// below a path and gives out files of the test's own.
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { source } from './source.mjs';
import { at_rate, sequence } from './voice_support.mjs';

const { from_base64, to_base64 } = await import(join(source, 'clients/js/audio/pcm.js'));

/** What of a client's frames is about the voice, and is answered by a script instead of the server behind it. */
const of_voice = /^(input_audio_buffer\.|sidevoice\.(audio|playback|voice)\.|session\.update$)/;

/**
 * Stands between a page and its server, and plays the part that is about sound. Typed turns go through.
 */
export class VoiceScript {
  /** Frames of the page about its voice, of all sockets. */
  frames = [];
  sockets = 0;
  #socket = null;
  #waiting = [];

  /**
   * @param {import('playwright-core').BrowserContext} context before its pages are opened
   * @param {{alone?: boolean}} [about] alone: no server behind it; it greets with an empty conversation itself
   */
  static async give_to(context, { alone = false } = {}) {
    const script = new VoiceScript();
    await context.routeWebSocket(/\/v1\/realtime/, (socket) => script.#take(socket, alone));
    return script;
  }

  #take(socket, alone) {
    ++this.sockets;
    this.#socket = socket;
    const server = alone ? null : socket.connectToServer();
    if (alone) this.tell('session.created', { event_id: 'e', session: {} });
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      if (of_voice.test(frame.type)) this.#on_frame(frame);
      else if (server) server.send(text);
      else if (frame.type === 'sidevoice.session.resume') this.#greet();
    });
  }

  #greet() {
    this.tell('sidevoice.session.snapshot', { session: 'sess_1', seq: 0, store: 'st', topics: [], state: 'ready' });
    this.tell('sidevoice.session.resumed', { seq: 0, state: 'ready' });
  }

  #on_frame(frame) {
    this.frames.push(frame);
    if (frame.type === 'sidevoice.audio.replay') this.tell('sidevoice.voice.seat', { state: this.seat });
    this.#waiting = this.#waiting.filter((wait) => !wait());
  }

  /** What a page hears that asks for the seat. */
  seat = 'yours';

  tell(type, about = {}) {
    this.#socket.send(JSON.stringify({ type, event_id: 'event_scripted', ...about }));
  }

  /** The socket goes, as when a phone changes its network. */
  async cut() {
    await this.#socket.close({ code: 1011, reason: 'cut by the test' });
  }

  /** @param {(frames: object[]) => boolean} condition on all frames so far */
  async until(condition) {
    if (condition(this.frames)) return;
    await new Promise((resolve) => {
      this.#waiting.push(() => condition(this.frames) && (resolve(), true));
    });
  }

  of(type) {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** @returns {Sound} all that was appended */
  get sound() {
    const pieces = this.of('input_audio_buffer.append').map(({ audio }) => ({ rate: 16000, pcm: from_base64(audio) }));
    return sequence(...pieces);
  }

  /** An answer begins to be spoken: its sound goes out in pieces, all at once. @param {Sound} sound */
  speak(sound, { item_id = 'item_answer', response_id = 'resp_1', transcript = 'A spoken answer.', piece_ms = 100 } = {}) {
    const { pcm } = at_rate(sound, 24000);
    const about = { response_id, item_id, output_index: 0, content_index: 0, seq: null };
    this.tell('sidevoice.session.state', { state: 'speaking' });
    this.tell('response.output_audio_transcript.delta', { ...about, delta: transcript, n: 1, attempt: 1 });
    for (let at = 0; at < pcm.length; at += 24 * piece_ms) {
      const delta = to_base64(pcm.subarray(at, at + 24 * piece_ms));
      this.tell('response.output_audio.delta', { ...about, delta, from_ms: Math.round(at / 24) });
    }
  }
}

/**
 * Stands before a server: below a path, if wanted, and with files of the test's own. What an audio thread loads cannot be
 * put in by the browser's driver.
 */
export class Front {
  #server;
  #sockets = new Set();

  /**
   * @param {string} url of the server behind it
   * @param {{prefix?: string, files?: Record<string, {type: string, body: string, policy?: string}>}} [about] prefix:
   *   "/talk"; files by path, without the prefix
   */
  static async start(url, { prefix = '', files = {} } = {}) {
    const front = new Front();
    const { hostname: host, port } = new URL(url);
    const own = { '/sidevoice-test-ear.js': { type: 'text/javascript', body: `(${ear_worklet})()` }, ...files };
    const inner = (path) => (path.startsWith(prefix) ? path.slice(prefix.length) : path);
    front.#server = http.createServer((request, reply) => {
      const file = own[inner(request.url)] ?? own[request.url];
      if (file) {
        reply.writeHead(200, { 'Content-Type': file.type, ...(file.policy && { 'Content-Security-Policy': file.policy }) });
        return reply.end(file.body);
      }
      const { method, headers } = request;
      const behind = http.request({ host, port, path: inner(request.url), method, headers }, (answer) => {
        reply.writeHead(answer.statusCode, answer.headers);
        answer.pipe(reply);
      });
      behind.on('error', () => reply.destroy());
      request.pipe(behind);
    });
    front.#server.on('upgrade', (request, near, head) => front.#join(request, near, head, net.connect({ host, port: Number(port) }), inner));
    front.#server.on('connection', (socket) => front.#keep(socket));
    await new Promise((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    front.url = `http://127.0.0.1:${front.#server.address().port}${prefix}`;
    return front;
  }

  #join(request, near, head, far, inner) {
    this.#keep(far);
    const fields = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2) fields.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    far.write([`GET ${inner(request.url)} HTTP/1.1`, ...fields, '', ''].join('\r\n'));
    far.write(head);
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Every connection ends, as when a phone changes its network. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Becomes the text of a module on the audio thread. */
function ear_worklet() {
  class EarProcessor extends AudioWorkletProcessor {
    #samples = new Int16Array(Math.round(sampleRate / 10));
    #filled = 0;

    process([[channel]]) {
      for (const sample of channel ?? []) {
        this.#samples[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
        if (this.#filled < this.#samples.length) continue;
        this.port.postMessage(this.#samples);
        this.#filled = 0;
      }
      return true;
    }
  }
  registerProcessor('sidevoice-test-ear', EarProcessor);
}
