// One read, from the call to its answer: who asks, since when, and how old a proof may be.
import type { ResolvedEntry } from "../options/entry.ts";
import type { Loader } from "./context.ts";
import type { RequestScope } from "./engine.ts";
import type { Scope } from "./names.ts";
import { covers, type Pending } from "./pending.ts";
import type { View } from "./view.ts";

export interface Reader {
  readonly scope: Scope;
  /** The stored key; `name` is what the user calls it. */
  readonly key: string;
  readonly name: string;
  /** Changes only if the store turns out to have another number of partitions. */
  view: View;
  readonly request: RequestScope;
  readonly options: ResolvedEntry;
  /** Undefined: nothing is loaded; a miss is a miss. */
  readonly loader: Loader<unknown> | undefined;
  /** The store was asked to prove what is in memory for it, and did not. */
  isUnproved?: boolean;
  /** Its caller has left: nothing is begun for it any more. */
  hasLeft?: boolean;
  /** To be called when it leaves: takes it off the callers of the flight it waits for. */
  leave?: () => void;
  readonly tick: number;
  readonly startedAt: number;
  /**
   * The youngest instant, in local time, at which what it is given must have been valid: its own start less the bound,
   * or its start itself for a strong read. Compared with the start of the read, never with "now".
   */
  readonly needAt: number;
}

/** The own writes not acknowledged that a reader must honour: asked for before it began, they cover its key or these tags. */
export const ownWrites = ({ view, key, tick }: Reader, tags: readonly string[]): Pending[] =>
  view.pending.touching(key).filter((own) => own.tick < tick && covers(own.write, key, tags, true));
