import { PlaybackAccount } from './playback_account.js';

/** The agent's voice in this page. What it is given comes out of the loudspeaker, and it tells how far that is. */
export class Player {
  #context;
  #node;
  #account = new PlaybackAccount();
  #stats = { item: null, played_ms: 0, buffered_ms: 0, state: 'idle', underruns: 0, dropped_ms: 0 };

  /**
   * @param {AudioContext} context with the playback worklet's module
   * @param {object} about
   * @param {number} about.rate of what will be pushed
   * @param {(report: {item_id: string, played_ms: number}) => void} about.on_report for the server
   * @param {() => void} about.on_stats `stats` has changed
   */
  constructor(context, { rate, on_report, on_stats }) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, 'sidevoice-playback', {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { rate },
    });
    this.#node.port.onmessage = ({ data }) => {
      this.#stats = data.report;
      const reports = this.#account.take(data, { now: performance.now(), latency_ms: this.#latency_ms });
      for (const report of reports) on_report(report);
      on_stats();
    };
    this.#node.connect(context.destination);
  }

  /** state: idle | buffering | playing | held; sound that waits, gaps so far, sound that was too much, in ms. */
  get stats() {
    return this.#stats;
  }

  /** How far the item is that plays now, if one does. */
  get position() {
    return this.#account.now();
  }

  /**
   * @param {string} item
   * @param {Int16Array} pcm is given away
   * @param {number} [from_ms] its position in the item
   * @param {boolean} [loose] nobody will tell the item's end
   */
  push(item, pcm, from_ms, loose) {
    this.#node.port.postMessage({ type: 'push', item, pcm, from_ms, loose }, [pcm.buffer]);
  }

  /** No more sound will come for this item. */
  finish(item) {
    this.#node.port.postMessage({ type: 'finish', item });
  }

  hold() {
    this.#node.port.postMessage({ type: 'hold' });
  }

  release() {
    this.#node.port.postMessage({ type: 'release' });
  }

  /** @param {string[]} [items] default: all; what still comes for them is dropped */
  flush(items) {
    this.#node.port.postMessage({ type: 'flush', items });
  }

  close() {
    this.#node.port.onmessage = null;
    this.#node.port.postMessage({ type: 'end' });
    this.#node.disconnect();
  }

  get #latency_ms() {
    const { outputLatency, baseLatency } = this.#context;
    return 1000 * (outputLatency || baseLatency || 0);
  }
}
