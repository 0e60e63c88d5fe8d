// Every error isocache throws: one class each, told apart by a stable `code` (classes differ between copies of a package).

/** The stable codes of isocache's errors. */
export type ErrorCode =
  | "ISOCACHE_STORE"
  | "ISOCACHE_BUS"
  | "ISOCACHE_CODEC"
  | "ISOCACHE_LOADER"
  | "ISOCACHE_TIMEOUT"
  | "ISOCACHE_KEY"
  | "ISOCACHE_OPTION";

/** The base of all errors thrown by isocache. Compare `code`, not the class. */
export abstract class IsocacheError extends Error {
  /** Tells the classes apart, whatever copy of the package threw. */
  abstract readonly code: ErrorCode;
  /** Of a call for many keys: those that it failed for. */
  declare readonly keys?: readonly string[];
}

/** The store failed, did not answer in time, or refused. An invalidation that rejects with it is retried in the background. */
export class StoreError extends IsocacheError {
  override readonly name = "StoreError";
  readonly code = "ISOCACHE_STORE";
}

/** A message could not be brought to other instances, or one that came cannot be read or trusted. The log repairs that. */
export class BusError extends IsocacheError {
  override readonly name = "BusError";
  readonly code = "ISOCACHE_BUS";
}

/** A value cannot be carried, or bytes cannot be read. The message names the path inside the value, or the defect. */
export class CodecError extends IsocacheError {
  override readonly name = "CodecError";
  readonly code = "ISOCACHE_CODEC";
}

/** The loader failed; `cause` is the loader's own error. */
export class LoaderError extends IsocacheError {
  override readonly name = "LoaderError";
  readonly code = "ISOCACHE_LOADER";
}

/** Something did not end in its time. */
export class TimeoutError extends IsocacheError {
  override readonly name = "TimeoutError";
  readonly code = "ISOCACHE_TIMEOUT";
}

/** A key that is not a non-empty, well-formed string of at most 1,024 bytes of UTF-8. */
export class KeyError extends IsocacheError {
  override readonly name = "KeyError";
  readonly code = "ISOCACHE_KEY";
}

/** An option that is unknown, of the wrong kind or out of range; the message names it, its value and what it takes. */
export class OptionError extends IsocacheError {
  override readonly name = "OptionError";
  readonly code = "ISOCACHE_OPTION";
}
