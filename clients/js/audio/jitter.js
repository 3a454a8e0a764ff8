import { to_floats } from './pcm.js';
import { Resampler } from './resampler.js';

/** Sound that has to be there before it starts to play, and how much more after each time it ran out. */
const start_ms = 60;
const start_step_ms = 40;
const start_most_ms = 180;
/** Pausing, going on and breaking off take this long, so that nothing clicks. */
const fade_ms = 6;
/** The server sends little ahead; more than this is a fault, and the oldest goes. */
const buffered_most_ms = 30_000;
/** Items whose late sound is still known to be unwanted. */
const remembered_most = 64;

/**
 * What is between the network and the loudspeaker: pieces of sound by item in, a steady stream out, and an account of
 * what was played. The part of the playback worklet that knows no worklet. Positions are milliseconds of an item.
 *
 * @typedef {object} Item
 * @property {string} id
 * @property {Resampler} resampler
 * @property {number} received position up to which sound has come
 * @property {boolean} loose nobody tells its end: it is over when it runs out
 * @property {number} placed position of what will be queued next: it lags by what the resampler holds back
 */
export class Jitter {
  #rate;
  #source_rate;
  /** @type {{item: Item, samples: Float32Array, from: number, offset: number, flushed?: boolean}[]} an empty one ends its item */
  #queue = [];
  #buffered = 0;
  /** @type {Item|null} the one that sound comes for */
  #open = null;
  /** @type {{item: Item, played: number}|null} the one that is heard */
  #current = null;
  #unwanted = new Set();
  #playing = false;
  #held = false;
  #gain = 0;
  #step;
  #threshold;
  #underruns = 0;
  #dropped = 0;
  #events = [];

  /** @param {{rate: number, source_rate: number}} about the loudspeaker's rate, and that of what comes */
  constructor({ rate, source_rate }) {
    this.#rate = rate;
    this.#source_rate = source_rate;
    this.#step = 1000 / (fade_ms * rate);
    this.#threshold = (start_ms * rate) / 1000;
  }

  /**
   * @param {string} id
   * @param {Int16Array} pcm
   * @param {number} [from_ms] position of its first sample; what is here already is not taken twice
   * @param {boolean} [loose] it is no part of an answer, such as "one moment", and nobody will tell its end
   */
  push(id, pcm, from_ms, loose = false) {
    if (this.#unwanted.has(id)) return;
    const item = this.#begin(id, loose);
    let fresh = pcm;
    if (Number.isFinite(from_ms)) {
      const ahead = from_ms - item.received;
      // A millisecond is no sample: small differences are rounding.
      if (ahead > 2) {
        item.received += ahead;
        item.placed += ahead;
      }
      if (ahead < -2) fresh = pcm.subarray(Math.round((-ahead * this.#source_rate) / 1000));
    }
    if (fresh.length > 0) this.#take(item, fresh);
  }

  /** No more will come for this item. */
  finish(id) {
    if (this.#open?.id !== id) return;
    const item = this.#open;
    this.#add(item, item.resampler.end());
    this.#queue.push({ item, samples: new Float32Array(0), from: item.received, offset: 0 });
    this.#open = null;
  }

  /** Pauses; what comes meanwhile is kept. */
  hold() {
    this.#held = true;
  }

  release() {
    this.#held = false;
  }

  /**
   * Breaks off with a short fade, and wants nothing more of these items.
   * @param {string[]} [ids] default: all there are
   */
  flush(ids) {
    const all = new Set([...this.#queue.map(({ item }) => item), this.#open, this.#current?.item].filter(Boolean));
    const dropped = [...all].filter(({ id }) => !ids || ids.includes(id));
    for (const id of ids ?? dropped.map((item) => item.id)) this.#refuse(id);
    if (this.#open && dropped.includes(this.#open)) this.#open = null;
    const ended = this.#current?.item;
    const heard = dropped.includes(ended);
    const fading = heard ? this.#fade_out() : [];
    this.#queue = [...fading, ...this.#queue.filter(({ item }) => !dropped.includes(item))];
    this.#count();
    if (heard && fading.length === 0) this.#end_current(true);
    // Nothing of the others was heard, and that has to be known too.
    const unheard = dropped.filter((item) => item !== ended);
    this.#events.push(...unheard.map(({ id }) => ({ type: 'ended', item: id, played_ms: 0, flushed: true })));
    if (this.#queue.length === 0) this.#playing = false;
    this.#held = false;
  }

  /**
   * The next samples for the loudspeaker: silence where there are none.
   * @param {Float32Array} out
   */
  pull(out) {
    out.fill(0);
    if (!this.#may_play()) return;
    for (let at = 0; at < out.length; ++at) {
      this.#gain = Math.max(0, Math.min(1, this.#gain + (this.#held ? -this.#step : this.#step)));
      if (this.#gain === 0) return;
      const sample = this.#next();
      if (sample === null) return;
      out[at] = sample * this.#gain;
    }
  }

  /** Where it stands, for reports and the developer panel. */
  report() {
    return {
      item: this.#current?.item.id ?? null,
      played_ms: this.#current ? Math.floor(this.#current.played) : 0,
      buffered_ms: Math.round((this.#buffered * 1000) / this.#rate),
      state: this.#state(),
      underruns: this.#underruns,
      dropped_ms: Math.round((this.#dropped * 1000) / this.#rate),
    };
  }

  /** @returns {{type: 'started'|'ended', item: string, played_ms: number, flushed?: boolean}[]} since the last call */
  take_events() {
    return this.#events.splice(0);
  }

  // -- in -----------------------------------------------------------------------

  #begin(id, loose) {
    if (this.#open?.id === id) return this.#open;
    if (this.#open) this.finish(this.#open.id);
    this.#open = { id, resampler: new Resampler(this.#source_rate, this.#rate), loose, received: 0, placed: 0 };
    return this.#open;
  }

  #take(item, pcm) {
    this.#add(item, item.resampler.push(to_floats(pcm)));
    item.received += (pcm.length * 1000) / this.#source_rate;
  }

  #add(item, samples) {
    if (samples.length === 0) return;
    this.#queue.push({ item, samples, from: item.placed, offset: 0 });
    item.placed += (samples.length * 1000) / this.#rate;
    this.#buffered += samples.length;
    this.#bound();
  }

  #bound() {
    const most = (buffered_most_ms * this.#rate) / 1000;
    while (this.#buffered > most && this.#queue.length > 1) {
      const { samples, offset } = this.#queue[0];
      // The end of an item is no sound, and somebody waits for it.
      if (samples.length === 0) return;
      this.#queue.shift();
      this.#buffered -= samples.length - offset;
      this.#dropped += samples.length - offset;
    }
  }

  #refuse(id) {
    this.#unwanted.add(id);
    if (this.#unwanted.size > remembered_most) this.#unwanted.delete(this.#unwanted.values().next().value);
  }

  /** What of the current item is still heard after a flush. */
  #fade_out() {
    let left = Math.floor(this.#gain / this.#step);
    const length = left;
    const { item } = this.#current;
    const heard = [];
    for (const piece of this.#queue) {
      if (left <= 0 || piece.item !== item || piece.samples.length === 0) break;
      const samples = piece.samples.slice(piece.offset, piece.offset + left);
      const from = piece.from + (piece.offset * 1000) / this.#rate;
      for (let at = 0; at < samples.length; ++at) samples[at] *= (left - at) / length;
      left -= samples.length;
      heard.push({ item, samples, from, offset: 0 });
    }
    if (heard.length > 0) heard.push({ item, samples: new Float32Array(0), from: 0, offset: 0, flushed: true });
    return heard;
  }

  #count() {
    this.#buffered = this.#queue.reduce((sum, { samples, offset }) => sum + samples.length - offset, 0);
  }

  // -- out ----------------------------------------------------------------------

  #may_play() {
    if (this.#held && this.#gain === 0) return false;
    if (this.#playing) return true;
    if (this.#queue.length === 0 || this.#held) return false;
    const ends = this.#queue.some(({ samples }) => samples.length === 0);
    if (!ends && this.#buffered < this.#threshold) return false;
    this.#playing = true;
    this.#gain = 0;
    return true;
  }

  /** @returns {number|null} null: there is nothing */
  #next() {
    for (;;) {
      const piece = this.#queue[0];
      if (!piece) return this.#run_out();
      if (piece.samples.length === 0) {
        this.#queue.shift();
        this.#enter(piece);
        this.#end_current(piece.flushed ?? false);
        continue;
      }
      if (piece.offset === 0) this.#enter(piece);
      const sample = piece.samples[piece.offset++];
      --this.#buffered;
      this.#current.played = piece.from + (piece.offset * 1000) / this.#rate;
      if (piece.offset === piece.samples.length) this.#queue.shift();
      return sample;
    }
  }

  #enter({ item, from }) {
    if (this.#current?.item === item) return;
    this.#current = { item, played: from };
    this.#events.push({ type: 'started', item: item.id, played_ms: Math.floor(from) });
  }

  #end_current(flushed) {
    const { item, played } = this.#current;
    // The last millisecond may have been rounded away on the way.
    const played_ms = flushed ? Math.floor(played) : Math.round(item.received);
    this.#events.push({ type: 'ended', item: item.id, played_ms, flushed });
    this.#current = null;
    if (flushed) this.#gain = 0;
  }

  #run_out() {
    this.#playing = false;
    this.#gain = 0;
    if (this.#current?.item.loose) {
      if (this.#open === this.#current.item) this.#open = null;
      this.#end_current(false);
    } else if (this.#current) {
      ++this.#underruns;
      const step = (start_step_ms * this.#rate) / 1000;
      this.#threshold = Math.min((start_most_ms * this.#rate) / 1000, this.#threshold + step);
    }
    return null;
  }

  #state() {
    if (this.#held) return 'held';
    if (this.#playing) return 'playing';
    return this.#queue.length > 0 || this.#current ? 'buffering' : 'idle';
  }
}
