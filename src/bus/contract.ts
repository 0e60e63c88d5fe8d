// The bus contract: how invalidations travel between instances as they happen. Types only.
//
// A bus only hastens what the store's log would tell anyway: messages invalidate, and never prove that something is valid
// (DESIGN 5). So they may be lost, repeated, reordered or late, and a bus that is down costs nothing but time.
import type { Platform } from "../platform.ts";
import type { LogRecord, Position } from "../store/position.ts";

/** Invalidations of one partition, acknowledged by the store. */
export interface RecordsMessage {
  /** Tells the messages apart. */
  readonly kind: "records";
  /** Counted from 0. */
  readonly partition: number;
  /** How many there are: an instance that believes in another number takes nothing of it. */
  readonly partitions: number;
  /** The epoch of their seqs. "": there is no store, and seqs mean nothing to others. */
  readonly epoch: string;
  /** At least one; `agoMs` counts to when the message was sent. */
  readonly records: readonly LogRecord[];
}

/** How far the log has come, as the sender learnt from the store just now: who is behind has missed something. */
export interface HeartbeatMessage {
  /** Tells the messages apart. */
  readonly kind: "heartbeat";
  /** How many there are: an instance that believes in another number takes nothing of it. */
  readonly partitions: number;
  /** Of the partitions that the sender uses. */
  readonly positions: readonly (Position & { readonly partition: number })[];
}

/** What instances tell each other. */
export type BusMessage = RecordsMessage | HeartbeatMessage;

/** What a transport tells of a subscription. */
export interface BusTransportEvents {
  /**
   * A frame came, whoever sent it: one's own may come, too. Resolves when it was taken in, and never rejects: a transport that
   * delivers at least once acknowledges then. Of frames that are still being taken in, there may be any number.
   */
  frame(bytes: Uint8Array): Promise<void>;
  /**
   * `true`: every frame sent from now on comes. `false`: some may be lost from now on. Begins as if told `false`; told twice
   * counts once. What was published while it was `false` may be lost.
   */
  state(up: boolean): void;
}

/**
 * A way to carry frames to all instances that listen to one channel: Pub/Sub, a stream, WebSockets. What all of them need
 * (dropping repeats, retries, signatures, heartbeats) is done around it.
 */
export interface BusTransport {
  /**
   * Sends a frame of at most 64 KiB. Resolves when the transport has taken it: it is acknowledged, where there is such a
   * thing. Rejects if it was or may have been lost; it is then sent again. Lets go when the signal fires, which rejects.
   */
  publish(frame: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * Called at most once: listens until `close`, over a connection of its own where one is needed, which it opens again by
   * itself after a loss, at growing, jittered steps. Never throws.
   */
  subscribe(events: BusTransportEvents): void;
  /** Stops listening and ends what the transport itself has opened; never a client that was handed in. Idempotent. */
  close(): Promise<void>;
}

/** What a transport learns of the cache that it works for. */
export interface BusTransportOptions {
  /** What instances of one cache have in common: protocol and name, as a text of printable ASCII without blanks. */
  readonly channel: string;
  /** This instance, for ever if its owner has set it: names a durable subscription. */
  readonly source: string;
  /** The cache's runtime: clocks, timers and random numbers. */
  readonly platform: Platform;
  /** Reports what nobody waits for: a connection that could not be opened again. */
  report(error: unknown): void;
}

/** Opens a transport. Does no I/O before it publishes or subscribes. */
export type OpenTransport = (options: BusTransportOptions) => BusTransport;

/** What a bus may do to the cache that uses it, and learns from it. */
export interface BusPort {
  /** The cache's name. */
  readonly name: string;
  /** The cache's runtime: clocks, timers and random numbers. */
  readonly platform: Platform;
  /** False: there is no store, so no log that tells what was missed. */
  readonly hasLog: boolean;
  /**
   * Applies an invalidation, known before or not. "ahead": something before it is missing here. "foreign": its epoch is not
   * the one known here, and nothing was done.
   */
  apply(partition: number, partitions: number, epoch: string, record: LogRecord): "applied" | "ahead" | "foreign";
  /** The same of a position that another instance has seen; nothing is applied. */
  compare(partition: number, partitions: number, position: Position): "applied" | "ahead" | "foreign";
  /** The newest positions of the partitions that are in use. */
  positions(): HeartbeatMessage;
  /**
   * Something was missed, in these partitions or in any: asks the log about those that are in use. The others ask before
   * anything is served from memory again. Never rejects.
   */
  catchUp(partitions?: readonly number[]): Promise<void>;
  /** Something may have been missed that no log can tell: memory is not to be trusted. */
  forget(): void;
  /** Work that nobody waits for; what it rejects with is reported. */
  background(operation: string, work: Promise<unknown>): void;
  /** Calls back once after `ms`, or as soon as the cache is closed. Returns how to call that off. */
  after(ms: number, callback: () => void): () => void;
  /** Milliseconds that have passed here, from an arbitrary origin. */
  clock(): number;
  /** Whether the cache was closed. */
  isClosed(): boolean;
  /** Tells of what failed. */
  report(operation: string, error: unknown): void;
  /** Tells of the subscription. */
  told(state: "up" | "down" | "silent"): void;
}

/** One cache's use of a bus. */
export interface BusConnection {
  /** Begins to listen, if it has not. Called whenever the cache is used. */
  open(): void;
  /** Tells the others. Settles when it was published, or failed and is to be retried; never rejects. */
  tell(message: RecordsMessage): Promise<void>;
  /** The store has told the epoch of a partition: what was heard of it before counts now. */
  confirmed(partition: number): void;
  /** Sends what is waiting if it can, and ends what was opened. Idempotent, and never rejects. */
  close(): Promise<void>;
}

/** A bus, as users hand it to `createCache`; made by `createBus`. Making one does no I/O: it may be made at module scope. */
export interface Bus {
  /** For events and messages: "redis", "broadcast". */
  readonly kind: string;
  /** What it goes over, if a store may go over the same and be a bus by itself: then this one is not needed. */
  readonly over?: object;
  /** Called once by each cache that is given the bus, when it is created: does no I/O. */
  connect(port: BusPort): BusConnection;
}
