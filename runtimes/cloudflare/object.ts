// The Durable Object that is one partition of the store, on the clock, timers and randomness of Workers.
import { random } from "../../src/default-platform.ts";
import { createHost } from "./host.ts";
import type { Host, ObjectState } from "./host.ts";

/** It is given only what `setTimeout` returned. */
type Clear = (timer: unknown) => void;

/**
 * The Durable Object class behind `durableObjectStore`; it needs SQLite storage (`new_sqlite_classes`). Export it from the
 * Worker. Everything is in SQLite but leases and held reads: when the object is evicted or reset, their loads are not
 * stored, those who waited get an error, and nothing else happens. Idle, it costs an alarm an hour; empty, nothing.
 */
export class IsocacheObject {
  private readonly host: Host;

  constructor(state: ObjectState, _env?: unknown) {
    // An epoch that came twice would bring old values back (P1): hence `random`.
    this.host = createHost(state, { now: () => Date.now(), random, setTimeout, clearTimeout: clearTimeout as Clear });
  }

  /** Answers `durableObjectStore`. Rejects only if the request breaks off. */
  fetch(request: Request): Promise<Response> {
    return this.host.fetch(request);
  }

  /** Removes what is over. */
  alarm(): Promise<void> {
    return this.host.alarm();
  }
}
