// What the cache tells: typed events, and listeners that cannot harm it or each other.

/** Where a value came from. */
export type Tier = "memory" | "store" | "loader";

/** Every event and what it carries. Durations in milliseconds of local time. */
export interface CacheEvents {
  /** A read was answered from memory or the store. */
  hit: { readonly key: string; readonly tier: "memory" | "store"; readonly state: "fresh" | "stale" };
  /** A read found nothing usable; a load follows if there is a loader. */
  miss: { readonly key: string };
  /**
   * A load ended. `unstored`: the value went to its callers but not into the cache (it was invalidated meanwhile, the
   * store was out of reach, `ttl` is 0, or the value cannot be carried or is too large: then an `error`
   * event says why).
   */
  load: {
    readonly key: string;
    readonly durationMs: number;
    readonly outcome: "stored" | "unstored" | "skipped" | "failed";
  };
  /** A set or an invalidation was acknowledged. */
  write: {
    readonly operation: "set" | "delete" | "expire" | "tags" | "expireTags" | "clear";
    /** As the user calls it, without its namespace; `clear` has neither. */
    readonly key?: string;
    readonly tags?: readonly string[];
    readonly durationMs: number;
  };
  /** The log was asked for what changed. `dropped`: the memory of that partition was emptied, because the log could not tell. */
  sync: { readonly partition: number; readonly outcome: "current" | "dropped" | "failed" };
  /** A copy left memory for want of room or because its time was over. */
  evict: { readonly key: string; readonly cause: "size" | "expired" };
  /** Something failed that the caller may not see: a store call, bytes that cannot be read, a value that cannot be stored, a listener. */
  error: { readonly operation: string; readonly key?: string; readonly error: unknown };
}

/** The name of an event. */
export type EventName = keyof CacheEvents;

/** A listener of one event. What it throws, or rejects with, becomes an `error` event. */
export type Listener<Name extends EventName> = (event: CacheEvents[Name]) => unknown;

/** Listeners by event. */
export interface Emitter {
  on<Name extends EventName>(name: Name, listener: Listener<Name>): void;
  off<Name extends EventName>(name: Name, listener: Listener<Name>): void;
  emit<Name extends EventName>(name: Name, event: CacheEvents[Name]): void;
  /** Whether anybody listens: hits do not even build their event otherwise. */
  has(name: EventName): boolean;
}

export function createEmitter(): Emitter {
  const listeners = new Map<EventName, Set<Listener<never>>>();
  const of = (name: EventName): Set<Listener<never>> => {
    let set = listeners.get(name);
    if (set === undefined) listeners.set(name, (set = new Set()));
    return set;
  };
  const emit: Emitter["emit"] = (name, event) => {
    for (const listener of of(name)) {
      // Called at once, and what it throws or rejects with is caught in one place. The set only holds its listeners.
      const call = async (): Promise<unknown> => (listener as Listener<typeof name>)(event);
      call().catch((error: unknown) => {
        // An error listener that fails has nobody left to tell.
        if (name !== "error") emit("error", { operation: `listener of ${name}`, error });
      });
    }
  };
  return {
    on: (name, listener) => void of(name).add(listener),
    off: (name, listener) => void of(name).delete(listener),
    emit,
    has: (name) => of(name).size > 0,
  };
}
