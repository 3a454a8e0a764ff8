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
  /** Why it was refused, or has not been stored yet. */
  readonly reason?: string;
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

export interface Answer {
  readonly status: 'completed' | 'cancelled' | 'incomplete' | 'failed' | 'refused' | 'ended' | string;
  readonly text: string;
  /** Ids of the answer's messages. */
  readonly items: readonly string[];
  readonly response: string;
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
  readonly messages: readonly Message[];
  readonly completed: { revision: number; result: Record<string, unknown> } | null;
  /** Settles when the conversation is there; rejects where the server refuses app, session or key. */
  readonly opened: Promise<void>;
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionEvents[Name]): () => void;
  off<Name extends keyof SessionEvents>(name: Name, listener: SessionEvents[Name]): void;
  /** Resolves when the message is durable, over as many sockets as that takes. Never stored twice. */
  send(text: string): Promise<Turn>;
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
  start(): Session;
  /** Leaves this conversation and begins another. */
  restart(): Session;
  /** Shows the message that a value was taken from. */
  reveal(item: string, quote?: string): void;
}

/** The session that all elements of one app share on this page. */
export declare function shared(app: string, options?: Partial<SessionOptions>): Shared;
