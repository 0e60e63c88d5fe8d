// What the cache tells: typed events, and listeners that cannot harm it or each other.

/** Where a value came from. */
export type Tier = "memory" | "store" | "loader";

/** Every event and what it carries. Durations in milliseconds of local time. */
export interface CacheEvents {
  /** A read was answered from memory or the store. A fresh hit in memory takes no time: `durationMs` is 0. */
  hit: {
    readonly key: string;
    readonly tier: "memory" | "store";
    readonly state: "fresh" | "stale";
    readonly durationMs: number;
  };
  /** A read found nothing usable. Told when it ended, with the load if there was a loader. */
  miss: { readonly key: string; readonly durationMs: number };
  /**
   * A load ended; its duration includes what it waited for its turn (`maxConcurrentLoads`). `unstored`: the value went to
   * its callers but not into the cache (it was invalidated meanwhile, the store was out of reach, `ttl` is 0, or the value
   * cannot be carried or is too large: then an `error` event says why).
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
  sync: {
    readonly partition: number;
    readonly durationMs: number;
    readonly outcome: "current" | "dropped" | "failed";
  };
  /**
   * The breaker of a partition of the store changed. "open": reads do without it; "half-open": one of them asks, to see
   * whether it answers; "closed": it did.
   */
  breaker: { readonly partition: number; readonly state: "open" | "half-open" | "closed" };
  /**
   * The subscription to a bus changed. "up": what others publish from now on comes; "down": some may be lost; "silent":
   * nothing was heard for two heartbeats, and nothing is expected any more. Whatever the state, `maxStaleness` holds.
   */
  bus: { readonly kind: string; readonly state: "up" | "down" | "silent" };
  /** A copy left memory for want of room or because its time was over. */
  evict: { readonly key: string; readonly cause: "size" | "expired" };
  /** Something failed that the caller may not see: a store call, bytes that cannot be read, a value that cannot be stored, a listener. */
  error: { readonly operation: string; readonly key?: string; readonly error: unknown };
}

/** The name of an event. */
export type EventName = keyof CacheEvents;

/** Any event, as listeners of "*" get it: what it carries, and its name. */
export type AnyEvent = { [Name in EventName]: { readonly name: Name } & CacheEvents[Name] }[EventName];

/** A listener of one event, or of all ("*"). What it throws, or rejects with, becomes an `error` event. */
export type Listener<Name extends EventName | "*"> = (
  event: Name extends EventName ? CacheEvents[Name] : AnyEvent,
) => unknown;

/** Listeners by event. */
export interface Emitter {
  on<Name extends EventName | "*">(name: Name, listener: Listener<Name>): void;
  off<Name extends EventName | "*">(name: Name, listener: Listener<Name>): void;
  emit<Name extends EventName>(name: Name, event: CacheEvents[Name]): void;
  /** Whether anybody listens: hits do not even build their event otherwise. */
  has(name: EventName): boolean;
}

/** The set of a name only holds listeners of that name. */
type AnyListener = (event: object) => unknown;

export function createEmitter(): Emitter {
  const listeners = new Map<EventName | "*", Set<AnyListener>>();
  const of = (name: EventName | "*"): Set<AnyListener> => {
    let set = listeners.get(name);
    if (set === undefined) listeners.set(name, (set = new Set()));
    return set;
  };
  const emit: Emitter["emit"] = (name, event) => {
    const tell = (listeners: Set<AnyListener>, told: object): void => {
      for (const listener of listeners) {
        // Called at once, and what it throws or rejects with is caught in one place.
        const call = async (): Promise<unknown> => listener(told);
        call().catch((error: unknown) => {
          // An error listener that fails has nobody left to tell.
          if (name !== "error") emit("error", { operation: `listener of ${name}`, error });
        });
      }
    };
    tell(of(name), event);
    if (of("*").size > 0) tell(of("*"), { name, ...event });
  };
  return {
    on: (name, listener) => void of(name).add(listener as AnyListener),
    off: (name, listener) => void of(name).delete(listener as AnyListener),
    emit,
    has: (name) => of(name).size + of("*").size > 0,
  };
}
