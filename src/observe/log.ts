// What is logged, and how loudly: events, with keys and texts of errors, never values.
import { IsocacheError } from "../errors.ts";
import type { CacheEvents, Emitter, EventName } from "./events.ts";
import type { Logger } from "./logger.ts";

type Level = keyof Logger;

/** How loudly each event is logged. Typed by the names, so that none can be forgotten. */
const LEVELS: { readonly [Name in EventName]: Level | ((event: CacheEvents[Name]) => Level) } = {
  hit: "debug",
  miss: "debug",
  load: "debug",
  write: "debug",
  sync: ({ outcome }) => (outcome === "dropped" ? "info" : "debug"),
  bus: ({ state }) => (state === "up" ? "info" : "warn"),
  breaker: ({ state }) => (state === "open" ? "warn" : "info"),
  evict: "debug",
  // What isocache expects to fail, and goes on without; anything else is somebody's mistake.
  error: ({ error }) => (error instanceof IsocacheError ? "warn" : "error"),
};

/** Writes every event of a cache to a logger. */
export function logTo(logger: Logger, cache: string, events: Emitter): void {
  events.on("*", ({ name, ...event }) => {
    const level = LEVELS[name] as Level | ((event: object) => Level); // the one of this event
    // Of an error only its text: what else hangs on it may be a request with its credentials, or a value.
    const text = "error" in event && { error: String(event.error) };
    const details = { cache, event: name, ...event, ...text };
    return logger[typeof level === "string" ? level : level(event)](details, `isocache: ${name}`);
  });
}
