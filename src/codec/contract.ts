// The codec contract: a value to bytes and back.

/** A value or a promise of it. Codecs that compress or encrypt are asynchronous; the default one is not. */
export type MaybePromise<T> = T | Promise<T>;

/** What the walk over a value already found out, so that a codec need not look again. */
export interface EncodeHint {
  /** True if the value consists of nothing but what plain JSON carries unchanged. */
  readonly plain: boolean;
}

/**
 * Turns values into bytes and back. What it writes starts with four bytes that name format and version, so that any
 * instance can tell what it reads, and whether it can.
 *
 * - `encode` throws (or rejects with) a CodecError that names the path of what it cannot carry, and never changes the value.
 * - `decode` throws (or rejects with) a CodecError for bytes that are corrupt, truncated, foreign or hostile. It uses
 *   time and memory in proportion to the bytes, sets no prototype, and runs nothing it reads.
 * - No I/O, no state between calls, no randomness at creation: a codec may be made at module scope.
 * - The engine treats any failure of `decode` as a miss and an event, and any failure of `encode` as "not stored".
 */
export interface Codec {
  /** A short name for messages, such as "json". */
  readonly name: string;
  encode(value: unknown, hint?: EncodeHint): MaybePromise<Uint8Array>;
  decode(bytes: Uint8Array): MaybePromise<unknown>;
}
