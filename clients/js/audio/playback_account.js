/** The server hears how far the playback is this often. */
const report_ms = 200;

/**
 * Decides which of the worklet's frequent positions the server is told. Pure: time is an argument.
 *
 * @typedef {{item_id: string, played_ms: number}} Report
 */
export class PlaybackAccount {
  #item = null;
  #told_at = -Infinity;
  #told_ms = 0;
  #played_ms = 0;
  #state = 'idle';

  /**
   * @param {{events: object[], report: object}} told by the worklet
   * @param {{now: number, latency_ms: number}} about latency: from the worklet to the ear
   * @returns {Report[]} what to send
   */
  take({ events, report }, { now, latency_ms }) {
    const reports = [];
    for (const event of events) {
      if (event.type === 'started') this.#begin(event.item);
      // Whole to the end, it will have been heard; broken off, what lies between worklet and ear has not.
      else reports.push(this.#end(event, event.flushed ? latency_ms : 0));
    }
    if (report.item && report.item === this.#item) {
      this.#played_ms = Math.max(this.#played_ms, report.played_ms - latency_ms);
      const stops = report.state !== this.#state && report.state !== 'playing';
      const first = this.#told_ms === 0 && this.#played_ms > 0;
      const due = now - this.#told_at >= report_ms;
      if (this.#played_ms > this.#told_ms && (stops || first || due)) reports.push(this.#tell(now));
    }
    this.#state = report.state;
    return reports;
  }

  /** How far the running item is, for an end without notice. @returns {Report|null} */
  now() {
    return this.#item ? { item_id: this.#item, played_ms: this.#whole() } : null;
  }

  #begin(item) {
    this.#item = item;
    this.#played_ms = 0;
    this.#told_ms = 0;
    this.#told_at = -Infinity;
  }

  #end({ item, played_ms }, latency_ms) {
    const least = item === this.#item ? this.#played_ms : 0;
    if (item === this.#item) this.#item = null;
    return { item_id: item, played_ms: Math.round(Math.max(least, played_ms - latency_ms)) };
  }

  #tell(now) {
    this.#told_at = now;
    this.#told_ms = this.#played_ms;
    return { item_id: this.#item, played_ms: this.#whole() };
  }

  #whole() {
    return Math.max(0, Math.floor(this.#played_ms));
  }
}
