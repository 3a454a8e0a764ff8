import { OpenCalls } from './open_calls.js';

/**
 * The client's fold: server events in, the conversation as it stands out. Pure: no socket, no clock, no page. Every
 * event may come twice (a resume repeats some), so each is applied by id.
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {'user'|'assistant'|'system'} role
 * @property {string} text
 * @property {boolean} final false while more of it may come
 * @property {'in_progress'|'completed'|'incomplete'|'sending'|'refused'} status
 * @property {string} [reason] why it was refused, has not been stored yet, or was not understood
 * @property {boolean} [spoken]
 *
 * @typedef {[name: string, ...args: any[]]} Change what a listener would want to know
 */
export class Store {
  /** Number of the newest durable event seen whole: where a resume begins. */
  seq = 0;
  /** A snapshot has begun and its items are still coming. */
  replaying = false;
  /** Names the server's store; a resume against another one is answered by a snapshot. */
  store = '';
  session = '';
  release = '';
  /** The checklist's revision. */
  revision = 0;
  /** What the server's session does: "ready", "thinking" ... */
  phase = 'ready';
  /** @type {{revision: number, result: object}|null} */
  completed = null;
  /** @type {{reason: string}|null} */
  ended = null;
  /** Tools that run, and those that wait for the visitor's word. */
  calls = new OpenCalls();

  /** @type {Message[]} in the order of the conversation */
  #messages = [];
  /** @type {Map<string, object>} topics in the checklist's order */
  #topics = new Map();
  /** item id to {response, attempt, n} of the answer that streams into it */
  #streams = new Map();
  #snapshot_seq = 0;
  /** Items whose words are heard while nobody knows yet whether they are meant: a cough never becomes a message. */
  #uncertain = new Set();

  get messages() {
    return this.#messages;
  }

  get topics() {
    return [...this.#topics.values()];
  }

  message(id) {
    return this.#messages.find((message) => message.id === id);
  }

  topic(id) {
    return this.#topics.get(id);
  }

  /**
   * @param {object} event one server event
   * @returns {Change[]}
   */
  apply(event) {
    const apply_it = handlers[event.type];
    const changes = apply_it ? apply_it(this, event) : [];
    if (!Number.isInteger(event.seq) || event.more) return changes;
    this.#seen_whole(event.seq);
    return [...changes, ...this.calls.told_again()];
  }

  // -- used by the handlers below ---------------------------------------------

  /** One journaled event may make several frames; all but the last say `more`, and only the last counts. */
  #seen_whole(seq) {
    this.seq = Math.max(this.seq, seq, this.#snapshot_seq);
    this.#snapshot_seq = 0;
    this.replaying = false;
  }

  reset(snapshot) {
    this.seq = 0;
    this.#snapshot_seq = snapshot.seq ?? 0;
    this.replaying = true;
    this.store = snapshot.store ?? '';
    this.session = snapshot.session ?? this.session;
    this.release = snapshot.release ?? '';
    this.revision = snapshot.revision ?? 0;
    this.phase = snapshot.state ?? 'ready';
    this.completed = snapshot.completed ?? null;
    this.ended = snapshot.ended ?? null;
    this.#messages = [];
    this.#streams.clear();
    this.#uncertain.clear();
    this.calls.begin_again({ keep_running: false });
    this.#topics = new Map((snapshot.topics ?? []).map((topic) => [topic.id, topic]));
  }

  /**
   * @param {Message} message
   * @param {string|null|undefined} previous the item before it; unknown ones (function calls) leave it at the end
   */
  put_message(message, previous) {
    const known = this.message(message.id);
    if (known) {
      Object.assign(known, message);
      return known;
    }
    const before = this.#messages.findIndex((other) => other.id === previous);
    this.#messages.splice(before < 0 ? this.#messages.length : before + 1, 0, message);
    return message;
  }

  remove_message(id) {
    const found = this.#messages.findIndex((message) => message.id === id);
    if (found >= 0) this.#messages.splice(found, 1);
    this.#streams.delete(id);
    this.#uncertain.delete(id);
    this.calls.remove(id);
    return found >= 0;
  }

  put_topic(topic) {
    this.#topics.set(topic.id, topic);
  }

  stream(item) {
    return this.#streams.get(item);
  }

  set_stream(item, about) {
    this.#streams.set(item, about);
  }

  end_stream(item) {
    this.#streams.delete(item);
  }

  set_uncertain(item, uncertain) {
    if (uncertain) this.#uncertain.add(item);
    else this.#uncertain.delete(item);
  }

  /** @param {string} [but] an item that may still become a message @returns {Change[]} */
  drop_uncertain(but) {
    const dropped = [...this.#uncertain].filter((item) => item !== but);
    for (const item of dropped) this.remove_message(item);
    return dropped.map((item) => ['removed', item]);
  }

  /** Item ids into which `response` has streamed. */
  streams_of(response) {
    return [...this.#streams].filter(([, about]) => about.response === response).map(([item]) => item);
  }
}

function text_of(item) {
  return (item.content ?? []).map((part) => part.text ?? part.transcript ?? '').join('');
}

function put_item(store, event) {
  const { item } = event;
  if (item?.type !== 'message') {
    if (item && event.type === 'conversation.item.done') store.calls.put(item);
    return [];
  }
  store.set_uncertain(item.id, false);
  const parts = item.content ?? [];
  // What was spoken is stored before its words are known.
  const unheard = parts.some((part) => part.type === 'input_audio' && typeof part.transcript !== 'string');
  const open = item.status === 'in_progress' || unheard;
  const known = store.message(item.id);
  // The item as it was added is empty; what has streamed in since is more.
  const text = open && known ? known.text : text_of(item);
  if (open && known && known.status !== 'in_progress' && known.status !== 'sending') return [];
  if (!open) store.end_stream(item.id);
  const status = unheard ? 'in_progress' : (item.status ?? 'completed');
  const message = { id: item.id, role: item.role, text, final: !open, status };
  if (parts.some((part) => part.type === 'input_audio' || part.type === 'output_audio')) message.spoken = true;
  return [['message', store.put_message(message, event.previous_item_id)]];
}

/** A new attempt of a response streams into a new item: what the former one left unfinished is void. */
function drop_former_attempts(store, event) {
  const void_items = store
    .streams_of(event.response_id)
    .filter((item) => item !== event.item_id && store.stream(item).attempt < (event.attempt ?? 1))
    .filter((item) => store.message(item)?.status === 'in_progress');
  return void_items.map((id) => {
    store.remove_message(id);
    return ['removed', id];
  });
}

function add_delta(store, event) {
  const { item_id: id, n = 0, attempt = 1 } = event;
  const stream = store.stream(id);
  const message =
    store.message(id) ?? { id, role: 'assistant', text: '', final: false, status: 'in_progress' };
  if (message.status !== 'in_progress') return [];
  if (!event.so_far && stream && n > 0 && n <= stream.n) return [];
  const changes = drop_former_attempts(store, event);
  message.text = event.so_far ? event.delta : message.text + event.delta;
  if (event.type === 'response.output_audio_transcript.delta') message.spoken = true;
  store.set_stream(id, { response: event.response_id, attempt, n });
  return [...changes, ['message', store.put_message(message)]];
}

/** @param {object} changes of the message that was, or is being, spoken by the visitor @returns {Change[]} */
function put_spoken(store, id, changes) {
  const known = store.message(id) ?? { id, role: 'user', text: '', spoken: true, final: false, status: 'in_progress' };
  return [['message', store.put_message(Object.assign(known, changes))]];
}

/** Words while they are spoken. */
function add_live_words(store, event) {
  const known = store.message(event.item_id);
  if (known && known.status !== 'in_progress') return [];
  if (!known) store.set_uncertain(event.item_id, true);
  const text = event.sidevoice?.text ?? (known?.text ?? '') + event.delta;
  return put_spoken(store, event.item_id, { text });
}

function put_transcript(store, event) {
  store.set_uncertain(event.item_id, false);
  return put_spoken(store, event.item_id, { text: event.transcript ?? '', final: true, status: 'completed' });
}

function put_unheard(store, event) {
  if (store.message(event.item_id)?.status !== 'in_progress') return [];
  store.set_uncertain(event.item_id, false);
  return put_spoken(store, event.item_id, { final: true, status: 'incomplete', reason: event.error?.message });
}

/** Whatever a finished response has left in progress does not go on. */
function close_response(store, event) {
  const changes = [];
  for (const id of store.streams_of(event.response.id)) {
    const message = store.message(id);
    if (message?.status !== 'in_progress') continue;
    if (message.text === '') {
      store.remove_message(id);
      changes.push(['removed', id]);
    } else {
      changes.push(['message', Object.assign(message, { status: 'incomplete', final: true })]);
    }
  }
  return changes;
}

/** What each event does to the fold. Types that are not here change nothing (of it). */
const handlers = {
  'sidevoice.session.snapshot'(store, event) {
    store.reset(event);
    const changes = store.topics.map((topic) => ['topic', topic]);
    if (store.completed) changes.push(['completed', store.completed]);
    return [['snapshot'], ...changes];
  },
  'sidevoice.session.resumed'(store, event) {
    store.calls.begin_again({ keep_running: true });
    const dropped = store.drop_uncertain();
    // The state is told once, at the end: it is of now, not of then.
    store.phase = event.state ?? store.phase;
    store.store = event.store ?? store.store;
    return [...dropped, ['phase', store.phase]];
  },
  'sidevoice.session.state'(store, event) {
    store.phase = event.state;
    const settled = event.state === 'ready' || event.state === 'speaking';
    return [...(settled ? store.drop_uncertain() : []), ['phase', event.state]];
  },
  'sidevoice.notice': (store, event) => [['notice', { code: event.code, level: event.level, text: event.text }]],
  'sidevoice.topic.updated'(store, event) {
    store.revision = Math.max(store.revision, event.revision ?? 0);
    const known = store.topic(event.topic.id);
    if (known && (known.revision ?? 0) > (event.topic.revision ?? 0)) return [];
    const topic = { ...event.topic, by: event.by ?? event.topic.by };
    store.put_topic(topic);
    return [['topic', topic]];
  },
  'sidevoice.checklist.completed'(store, event) {
    store.completed = { revision: event.revision, result: event.result };
    return [['completed', store.completed]];
  },
  'sidevoice.checklist.reopened'(store) {
    store.completed = null;
    return [['reopened']];
  },
  'sidevoice.approval.requested': (store, event) => store.calls.ask(event),
  'sidevoice.approval.answered': (store, event) => store.calls.answered(event.call_id, event.approve),
  'sidevoice.session.ended'(store, event) {
    store.ended = { reason: event.reason };
    return [...store.calls.session_ended(), ['ended', store.ended]];
  },
  'conversation.item.added': put_item,
  'conversation.item.done': put_item,
  'conversation.item.deleted': (store, event) =>
    store.remove_message(event.item_id) ? [['removed', event.item_id]] : [],
  'response.output_text.delta': add_delta,
  'response.output_audio_transcript.delta': add_delta,
  'response.done': close_response,
  'input_audio_buffer.speech_started': (store, event) => store.drop_uncertain(event.item_id),
  'sidevoice.playback.released': (store) => store.drop_uncertain(),
  'conversation.item.input_audio_transcription.delta': add_live_words,
  'conversation.item.input_audio_transcription.completed': put_transcript,
  'conversation.item.input_audio_transcription.failed': put_unheard,
  'sidevoice.turn.completed': (_store, event) => [
    ['turn', { response: event.turn, item: event.item_id, text: event.heard_text ?? '', latency: event.latency ?? {} }],
  ],
};
