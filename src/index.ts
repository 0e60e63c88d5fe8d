// isocache: createCache and all that goes with it; the public API and nothing else.
export { createCache } from "./cache.ts";
export { createBus } from "./bus/create.ts";
export type {
  Bus,
  BusConnection,
  BusMessage,
  BusPort,
  BusTransport,
  BusTransportEvents,
  BusTransportOptions,
  HeartbeatMessage,
  OpenTransport,
  RecordsMessage,
} from "./bus/contract.ts";
export type {
  BusOptions,
  DedupeOptions,
  PublishBreakerOptions,
  RetryQueueOptions,
  SignOptions,
} from "./bus/options.ts";
export type { Cache, CacheEntry, ExecutionContextLike, TypedReadOptions } from "./cache-types.ts";
export type { ManyContext, ManyKeys, ManyLoader, SetEntry, Values } from "./calls/many.ts";
export type { WarmEntry, Warming, WarmOptions, WarmProgress, WarmResult } from "./calls/warm.ts";
export type { Wrapped, Wrapping, WrapKey, WrapOptions } from "./calls/wrap.ts";
export type { Codec, CodecPlace, EncodeHint } from "./codec/contract.ts";
export type { ValueMode } from "./codec/walk.ts";
export type { Duration, Size } from "./options/durations.ts";
export type { Loader, LoaderContext, StaleValue } from "./engine/context.ts";
export * from "./errors.ts";
export type { AnyEvent, CacheEvents, EventName, Listener, Tier } from "./observe/events.ts";
export type { Logger } from "./observe/logger.ts";
export type { CacheStats } from "./observe/stats.ts";
export type { BreakerOptions, CacheOptions, MemoryOptions } from "./options/cache.ts";
export type {
  CallerOptions,
  EntryOptions,
  EntryOptionsBase,
  MemoryUse,
  ReadOptions,
  StoreUse,
} from "./options/entry.ts";
export type { SchemaResult, StandardSchema, TypedValidator, Validator } from "./options/validate.ts";
export type { Platform } from "./platform.ts";
export { memoryStore, type MemoryStoreOptions } from "./store/memory.ts";
export type {
  Answer,
  CallOptions,
  BatchItem,
  BatchItemReply,
  BatchReply,
  BatchRequest,
  ChangesReply,
  ChangesRequest,
  CommitReply,
  CommitRequest,
  ConnectOptions,
  EntryMeta,
  FoundEntry,
  InfoReply,
  LogRecord,
  Moved,
  NewEntry,
  Position,
  ReadReply,
  ReadRequest,
  ReleaseRequest,
  RenewReply,
  RenewRequest,
  Stamp,
  Store,
  StoreConnection,
  Witnessed,
  Write,
  WriteReply,
  WriteRequest,
} from "./store/contract.ts";
