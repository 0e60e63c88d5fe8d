// The codec contract: a value to bytes and back.

/** Where bytes are kept, for codecs that bind them to their place. The engine always says it. */
export interface CodecPlace {
  /** The cache's `name`. */
  readonly cache?: string;
  /** The key in the store, namespaces included. No two entries of a cache share one. */
  readonly key?: string;
}

/** What the walk over a value already found out, so that a codec need not look again. */
export interface EncodeHint extends CodecPlace {
  /** True if the value consists of nothing but what plain JSON carries unchanged. */
  readonly plain: boolean;
}

/**
 * Turns values into bytes and back. What it writes starts with four bytes that name format and version, so that any
 * instance can tell what it reads, and whether it can.
 *
 * - `encode` throws (or rejects with) a CodecError that names the path of what it cannot carry, and never changes the value.
 * - `decode` throws (or rejects with) a CodecError for bytes that are corrupt, truncated, foreign or hostile. It uses
 *   time and memory in proportion to the bytes (or to the limit it states, if it decompresses), sets no prototype, and
 *   runs nothing it reads.
 * - A codec around another one hands hint and place on.
 * - No I/O, no state between calls, no randomness at creation: a codec may be made at module scope.
 * - The engine treats any failure of `decode` as a miss and an event, and any failure of `encode` as "not stored".
 */
export interface Codec {
  /** A short name for messages, such as "json". */
  readonly name: string;
  /**
   * The bytes of a value, or a promise of them: codecs that compress or encrypt are asynchronous, the default one is not.
   * Throws a CodecError.
   */
  encode(value: unknown, hint?: EncodeHint): Uint8Array | Promise<Uint8Array>;
  /** The value of bytes, made anew at each call, or a promise of it. Throws a CodecError. */
  decode(bytes: Uint8Array, place?: CodecPlace): unknown;
}
