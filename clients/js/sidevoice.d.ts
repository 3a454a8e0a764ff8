/** Browser and Node client of a Sidevoice server. */

export type SessionState =
  | 'connecting' | 'ready' | 'listening' | 'thinking' | 'speaking' | 'resuming' | 'completed' | 'ended' | 'closed';

export type TopicStatus = 'open' | 'answered' | 'confirmed' | 'contradicted' | 'skipped';

export interface Message {
  readonly id: string;
  readonly role: 'user' | 'assistant' | 'system';
  readonly text: string;
  /** False while more of it may come. */
  readonly final: boolean;
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'sending' | 'refused';
  /** Why it was refused, has not been stored yet, or was not understood. */
  readonly reason?: string;
  /** It was said, not typed. While it is being said, `final` is false and the words may still change. */
  readonly spoken?: boolean;
}

export type MicState = 'off' | 'starting' | 'live' | 'muted' | 'refused' | 'unavailable';

export interface MicEvents {
  state: (now: MicState, before: MicState) => void;
  /** 0 is silence, 1 full scale; 25 times a second. */
  level: (level: number) => void;
  stats: (stats: MicStats) => void;
  /** Only while watched: how sure the server is that it hears a voice. */
  probe: (about: { at_ms: number; probability: number; speaking: boolean }) => void;
  /** Only while watched. */
  turn_ended: (about: {
    item: string; why: 'silence' | 'semantic' | 'manual' | 'limit'; silence_ms: number; probability: number | null;
  }) => void;
}

export interface MicStats {
  /** Speech that the server has not acknowledged; it is sent again after a break. At most 60 s. */
  readonly kept_ms: number;
  /** Speech that went because more than that came. */
  readonly lost_ms: number;
  readonly seat: 'yours' | 'elsewhere' | 'free' | 'unavailable';
  readonly player: {
    readonly state: 'idle' | 'buffering' | 'playing' | 'held';
    readonly item: string | null;
    readonly played_ms: number;
    readonly buffered_ms: number;
    /** How often sound ran out in the middle of an answer. */
    readonly underruns: number;
    readonly dropped_ms: number;
  } | null;
}

export interface Mic {
  readonly state: MicState;
  /** Why there is no microphone or no voice; a sentence for the visitor. */
  readonly reason: string;
  readonly mode: 'open' | 'push';
  readonly pressed: boolean;
  /** 0 is silence, 1 full scale. */
  readonly level: number;
  readonly stats: MicStats;
  readonly seat: MicStats['seat'];
  /**
   * Call it from a click. "open": the server hears when the visitor speaks; "push": press() and release() say so.
   * Rejects with a sentence that says the remedy; its `code` is stable, see docs/voice-page.md.
   */
  start(options?: { mode?: 'open' | 'push'; device?: string }): Promise<void>;
  stop(): void;
  mute(): void;
  unmute(): void;
  press(): void;
  release(): Promise<void>;
  /** Asks for the events `probe` and `turn_ended`. */
  watch(on: boolean): void;
  on<Name extends keyof MicEvents>(name: Name, listener: MicEvents[Name]): () => void;
  off<Name extends keyof MicEvents>(name: Name, listener: MicEvents[Name]): void;
}

/** Parts of the silence between the visitor's voice and the agent's, each in ms since the one before; they add up to silence_ms. */
export interface Latency {
  readonly end_of_speech_ms?: number;
  readonly transcript_ms?: number;
  readonly first_token_ms?: number;
  readonly first_clause_ms?: number;
  readonly first_audio_ms?: number;
  readonly played_ms?: number;
  readonly silence_ms?: number;
}

export interface Topic {
  readonly id: string;
  readonly label: string;
  readonly type: string;
  readonly status: TopicStatus;
  readonly value?: unknown;
  /** The visitor's words behind the value: a substring of that item's text. */
  readonly evidence?: { readonly item_id: string; readonly quote: string; readonly confidence: number } | null;
  readonly revision: number;
  readonly by?: 'analyzer' | 'person' | 'rule' | 'import';
  readonly required?: boolean;
}

export interface Notice {
  /** Stable, for code. */
  readonly code: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** A call of a tool that waits for the visitor's word. */
export interface Approval {
  readonly callId: string;
  /** The tool's name. */
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What it does, for people. Like the arguments it is text, never HTML. */
  readonly say: string;
  /** Resolves once it counts, with what was said: another tab may have been faster. */
  approve(): Promise<boolean | undefined>;
  refuse(): Promise<boolean | undefined>;
}

export interface ToolCall {
  /** Aborted when nobody waits for the output any more: the visitor interrupted, the time is over, the session ended. */
  readonly signal: AbortSignal;
  /** The same for a call that comes again after a reload: what must not happen twice is told apart by it. */
  readonly callId: string;
  readonly by: 'conversation' | 'analyzer';
}

/** What it returns (text or JSON, at most 128 KiB), or the message of what it throws, goes to the model. */
export type Tool = (args: any, call: ToolCall) => unknown;

export interface Answer {
  readonly status: 'completed' | 'cancelled' | 'incomplete' | 'failed' | 'refused' | 'ended' | string;
  /** As it was heard, where it was spoken. */
  readonly text: string;
  /** Ids of the answer's messages. */
  readonly items: readonly string[];
  readonly response: string;
  /** Where it was spoken. */
  readonly latency?: Latency;
}

export interface Turn {
  /** The message's item id. */
  readonly id: string;
  /** Number of the event that stored it. */
  readonly seq: number;
  /** The answer. Never rejects: one that did not come says so in its status. */
  readonly done: Promise<Answer>;
}

export interface SessionOptions {
  /** "moving", or "moving@preview" for another release. */
  app: string;
  /** "auto": this browser's running conversation (default); "new"; or an id. */
  session?: 'auto' | 'new' | (string & {});
  /** "de"; default: the app's. */
  language?: string;
  /** Gives a client key; asked again when one is refused. */
  tokenProvider?: () => Promise<string>;
  /** The server, such as "https://talk.example/". Default: where this script came from. */
  url?: string;
  /** For Node before 22: a WebSocket class such as that of the package "ws". */
  WebSocket?: unknown;
  /** Default: localStorage where there is one, else the memory. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

export interface SessionEvents {
  message: (message: Message) => void;
  /** A message is gone. */
  removed: (id: string) => void;
  topic: (topic: Topic) => void;
  state: (now: SessionState, before: SessionState) => void;
  notice: (notice: Notice) => void;
  completed: (about: { revision: number; result: Record<string, unknown> }) => void;
  reopened: () => void;
  approval: (approval: Approval) => void;
  /** `approve` is undefined where it was answered while the connection was away. */
  approval_answered: (about: { callId: string; approve?: boolean }) => void;
  /** A spoken answer is over. */
  turn: (about: { response: string; item: string; text: string; latency: Latency }) => void;
  ended: (about: { reason: string }) => void;
  error: (fault: Error) => void;
  /** Once after each batch of the others: the moment to draw. */
  change: () => void;
}

export interface Topics {
  all(): Topic[];
  get(id: string): Topic | undefined;
  /** Sets a value by hand, null empties the topic. Rejects with the reason where it is refused. */
  set(id: string, value: unknown, options?: { base_revision?: number }): Promise<Topic>;
  set_status(id: string, status: TopicStatus, options?: { base_revision?: number }): Promise<Topic>;
  /** Puts back what the newest change replaced. */
  undo(): Promise<Topic>;
}

export declare class Session {
  constructor(options: SessionOptions);
  readonly app: string;
  readonly id: string;
  readonly state: SessionState;
  readonly topics: Topics;
  /** The microphone, and the agent's voice. Only in browsers. */
  readonly mic: Mic;
  readonly messages: readonly Message[];
  /** What waits for the visitor's word. */
  readonly approvals: readonly Approval[];
  /** Names of the tools that run for the conversation now, wherever they run. */
  readonly running: readonly string[];
  readonly completed: { revision: number; result: Record<string, unknown> } | null;
  /** Settles when the conversation is there; rejects where the server refuses app, session or key. */
  readonly opened: Promise<void>;
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionEvents[Name]): () => void;
  off<Name extends keyof SessionEvents>(name: Name, listener: SessionEvents[Name]): void;
  /** Resolves when the message is durable, over as many sockets as that takes. Never stored twice. */
  send(text: string): Promise<Turn>;
  /** Offers a function to the agents: a tool that the app declares with "kind": "client". Gives a function that takes it back. */
  tool(name: string, run: Tool): () => void;
  /** The visitor's word on a call that waits for it. */
  approve(callId: string, approve: boolean): Promise<boolean | undefined>;
  /** Takes a refused message out of the view. */
  discard(id: string): void;
  /** Stops the answer that is being given. */
  interrupt(): void;
  /** Leaves; the conversation stays and can be taken up again. */
  close(): void;
  /** Ends the conversation for everybody. */
  end(): Promise<void>;
}

export declare class SidevoiceError extends Error {
  readonly code: string;
  readonly type: string;
  readonly param: string | null;
  /** The topic as it stands, where an edit was refused. */
  readonly current?: Topic;
}

/** Opens a conversation and waits until it is there. */
export declare function connect(options: SessionOptions): Promise<Session>;

export interface Shared extends EventTarget {
  readonly app: string;
  readonly session: Session | null;
  /** Functions of the page that the agents may call, by name; assigning replaces those that were assigned before. */
  tools: Record<string, Tool>;
  start(): Session;
  /** Leaves this conversation and begins another. */
  restart(): Session;
  /** Shows the message that a value was taken from. */
  reveal(item: string, quote?: string): void;
}

/** Properties of the elements, beside those of any HTMLElement. */
export interface ElementProperties {
  tokenProvider: () => Promise<string>;
  /** As Shared.tools: functions of the page that the agents may call. */
  tools: Record<string, Tool>;
  /** Texts to use instead of the English ones, by the keys of elements/strings.js; `tool_NAME`: what is shown while a tool runs. */
  strings: Record<string, string>;
}

/** The session that all elements of one app share on this page. */
export declare function shared(app: string, options?: Partial<SessionOptions>): Shared;
