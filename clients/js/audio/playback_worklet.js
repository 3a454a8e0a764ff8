// Runs on the browser's audio thread: pieces of sound come as messages, and it tells what of them was heard.
import { Jitter } from './jitter.js';

/** Positions are told this often while something plays. */
const report_ms = 50;

class PlaybackProcessor extends AudioWorkletProcessor {
  #jitter;
  #samples_since_report = 0;
  #told = '';
  #over = false;

  constructor({ processorOptions }) {
    super();
    this.#jitter = new Jitter({ rate: sampleRate, source_rate: processorOptions.rate });
    this.port.onmessage = ({ data }) => this.#on_message(data);
  }

  process(_inputs, [channels]) {
    this.#jitter.pull(channels[0]);
    for (const other of channels.slice(1)) other.set(channels[0]);
    this.#samples_since_report += channels[0].length;
    const events = this.#jitter.take_events();
    if (events.length > 0 || this.#samples_since_report * 1000 >= report_ms * sampleRate) this.#report(events);
    return !this.#over;
  }

  #on_message(data) {
    if (data.type === 'push') this.#jitter.push(data.item, data.pcm, data.from_ms, data.loose);
    else if (data.type === 'finish') this.#jitter.finish(data.item);
    else if (data.type === 'hold') this.#jitter.hold();
    else if (data.type === 'release') this.#jitter.release();
    else if (data.type === 'flush') this.#jitter.flush(data.items);
    else if (data.type === 'end') this.#over = true;
  }

  #report(events) {
    this.#samples_since_report = 0;
    const report = this.#jitter.report();
    const told = JSON.stringify(report);
    if (events.length === 0 && told === this.#told) return;
    this.#told = told;
    this.port.postMessage({ events, report });
  }
}

registerProcessor('sidevoice-playback', PlaybackProcessor);
