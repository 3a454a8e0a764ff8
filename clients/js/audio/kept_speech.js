import { join } from './pcm.js';

/** What is sent again goes in pieces of this length, so that a burst does not become thousands of frames. */
const piece_ms = 400;

/**
 * The microphone's sound that the server may still need. One object per start of the microphone, whose stream it names:
 * positions are milliseconds of sound since then. Pure: no socket, no clock.
 */
export class KeptSpeech {
  #rate;
  #limit_ms;
  /** @type {{from: number, pcm: Int16Array}[]} positions in samples, without gaps */
  #pieces = [];
  /** Positions at which the visitor said "this was it": ends of push to talk that are not dealt with. In samples. */
  #ends = [];
  #to = 0;
  #dropped = 0;

  /** @param {{stream: string, rate: number, limit_ms?: number}} about */
  constructor({ stream, rate, limit_ms = 60_000 }) {
    this.stream = stream;
    this.#rate = rate;
    this.#limit_ms = limit_ms;
  }

  /** Where what is kept begins, and where the next sound will go. */
  get from_ms() {
    return this.#ms(this.#from);
  }

  get to_ms() {
    return this.#ms(this.#to);
  }

  get kept_ms() {
    return this.#ms(this.#to - this.#from);
  }

  /** Sound that was never acknowledged and is gone all the same, because too much came. */
  get dropped_ms() {
    return this.#ms(this.#dropped);
  }

  /** @param {Int16Array} pcm */
  append(pcm) {
    this.#pieces.push({ from: this.#to, pcm });
    this.#to += pcm.length;
    const oldest = this.#to - (this.#limit_ms * this.#rate) / 1000;
    if (oldest > this.#from) this.#dropped += this.#forget(oldest);
  }

  /** An utterance that the visitor ended himself ends here. */
  end_here() {
    if (this.#ends.at(-1) !== this.#to) this.#ends.push(this.#to);
  }

  /**
   * The server needs nothing before `to_ms` any more.
   * @returns {boolean} false: it speaks of another stream
   */
  acknowledge(stream, to_ms) {
    if (stream !== this.stream || !Number.isFinite(to_ms)) return false;
    this.#forget(Math.min(this.#to, Math.floor((to_ms * this.#rate) / 1000)));
    return true;
  }

  /**
   * All that is kept, for a new socket.
   * @returns {{stream: string, from_ms: number, parts: ({pcm: Int16Array}|{end: true})[]}} the parts in their order
   */
  replay() {
    const parts = [];
    const most = (piece_ms * this.#rate) / 1000;
    let open = [];
    let length = 0;
    const close = () => {
      if (length > 0) parts.push({ pcm: join(open) });
      open = [];
      length = 0;
    };
    const ends = [...this.#ends];
    for (const { from, pcm } of this.#pieces) {
      open.push(pcm);
      length += pcm.length;
      const ended = ends[0] === from + pcm.length;
      if (ended || length >= most) close();
      if (ended) parts.push({ end: Boolean(ends.shift()) });
    }
    close();
    return { stream: this.stream, from_ms: this.from_ms, parts };
  }

  get #from() {
    return this.#pieces[0]?.from ?? this.#to;
  }

  /** @returns {number} samples that are no longer kept */
  #forget(before) {
    const from = this.#from;
    while (this.#pieces.length > 0) {
      const first = this.#pieces[0];
      const cut = before - first.from;
      if (cut <= 0) break;
      if (cut >= first.pcm.length) this.#pieces.shift();
      else this.#pieces[0] = { from: before, pcm: first.pcm.slice(cut) };
    }
    this.#ends = this.#ends.filter((end) => end > this.#from);
    return this.#from - from;
  }

  #ms(samples) {
    return Math.floor((samples * 1000) / this.#rate);
  }
}
