// What tests do to the server: answers that are late, lost, cut or not its own.
import type { Asked } from "./request.ts";

/** Where a fault strikes: before the commands run, or when they have run and the answer is due. */
export type Moment = "request" | "answer";

export type Fault =
  /** Goes on when the promise resolves. */
  | { readonly kind: "hold"; readonly at: Moment; readonly until: Promise<unknown> }
  | { readonly kind: "delay"; readonly at: Moment; readonly ms: number }
  /** Cuts the connection; `"half"`: in the middle of the answer. */
  | { readonly kind: "drop"; readonly at: Moment | "half" }
  /** Answers so instead of running anything. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    };

export interface FaultOptions {
  /** How many requests it strikes; 1 by default. */
  readonly times?: number;
  /** Which requests it strikes; all by default. */
  readonly only?: (asked: Asked) => boolean;
}

/** 429, with the seconds after which to try again. */
export function rateLimited(retryAfterSeconds: number): Fault {
  const body = JSON.stringify({ error: "ERR max requests per second limit exceeded" });
  const headers = { "retry-after": String(retryAfterSeconds), "content-type": "application/json" };
  return { kind: "answer", status: 429, headers, body };
}

export interface Faults {
  add(fault: Fault, options?: FaultOptions): void;
  /** The faults that strike this request: each of those counts it. */
  take(asked: Asked): Fault[];
  clear(): void;
}

export function createFaults(): Faults {
  let faults: { readonly fault: Fault; left: number; readonly only: (asked: Asked) => boolean }[] = [];
  return {
    add: (fault, { times = 1, only = () => true } = {}) => void faults.push({ fault, left: times, only }),
    take(asked) {
      const struck = faults.filter(({ only }) => only(asked));
      for (const each of struck) each.left--;
      faults = faults.filter(({ left }) => left > 0);
      return struck.map(({ fault }) => fault);
    },
    clear: () => (faults = []),
  };
}

/** Waits for what holds a request at this moment. */
export async function pass(faults: readonly Fault[], moment: Moment): Promise<void> {
  for (const fault of faults) {
    if (fault.kind === "hold" && fault.at === moment) await fault.until;
    if (fault.kind === "delay" && fault.at === moment) await new Promise((resolve) => setTimeout(resolve, fault.ms));
  }
}

export const drops = (faults: readonly Fault[], at: Moment | "half"): boolean =>
  faults.some((fault) => fault.kind === "drop" && fault.at === at);
