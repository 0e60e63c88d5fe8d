// The public API and nothing else.
export { createCache, type Cache, type CacheEntry, type ExecutionContextLike, type TypedReadOptions } from "./cache.ts";
export type { ManyContext, ManyKeys, ManyLoader, SetEntry, Values } from "./calls/many.ts";
export type { WarmEntry, Warming, WarmOptions, WarmProgress, WarmResult } from "./calls/warm.ts";
export type { Wrapped, Wrapping, WrapKey, WrapOptions } from "./calls/wrap.ts";
export type { Codec, EncodeHint } from "./codec/contract.ts";
export type { ValueMode } from "./codec/walk.ts";
export type { Duration, Size } from "./options/durations.ts";
export type { Loader, LoaderContext, StaleValue } from "./engine/context.ts";
export * from "./errors.ts";
export type { AnyEvent, CacheEvents, EventName, Listener, Tier } from "./observe/events.ts";
export type { Logger } from "./observe/logger.ts";
export type { CacheStats } from "./observe/stats.ts";
export type { BreakerOptions, CacheOptions, MemoryOptions } from "./options/cache.ts";
export type { EntryOptions, ReadOptions } from "./options/entry.ts";
export type { StandardSchema, TypedValidator, Validator } from "./options/validate.ts";
export type { Platform } from "./platform.ts";
export { memoryStore } from "./store/memory.ts";
export type { Store, StoreConnection } from "./store/contract.ts";
