// The contract of a logger: four methods.

/**
 * Where a cache writes its log: `console` fits, and so does a logger of pino or one like it. Each line is an object with
 * what is known, and a text that begins with "isocache". Called as methods, so they may use `this`; what they throw harms
 * nobody, and becomes an `error` event.
 */
export interface Logger {
  debug(details: object, message: string): unknown;
  info(details: object, message: string): unknown;
  warn(details: object, message: string): unknown;
  error(details: object, message: string): unknown;
}
