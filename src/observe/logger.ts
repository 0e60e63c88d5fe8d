// The contract of a logger: four methods.

/**
 * Where a cache writes its log: `console` fits, and so does a logger of pino or one like it. Each line is an object with
 * what is known, and a text that begins with "isocache". Called as methods, so they may use `this`; what they throw harms
 * nobody, and becomes an `error` event.
 */
export interface Logger {
  /** What goes on all the time: hits, misses, loads, writes, evictions, syncs. */
  debug(details: object, message: string): unknown;
  /** What is worth a line: memory that was dropped, a breaker that closes. */
  info(details: object, message: string): unknown;
  /** What isocache expects to fail and goes on without: the store, bytes that cannot be read, a value that was not stored. */
  warn(details: object, message: string): unknown;
  /** What must be a mistake: in a listener, a codec, a platform. */
  error(details: object, message: string): unknown;
}
