// Options of sseBus, and their resolved form.
import { OptionError } from "../../errors.ts";
import type { Duration } from "../../options/durations.ts";
import { each, taking, type Parser } from "../../options/parse.ts";
import { BUS_OPTIONS, type BusOptions } from "../options.ts";
import { token, within } from "./parsers.ts";

/** A `fetch` of one's own: what it is asked for is a whole address, and all of `init` counts. */
export type SseFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Options of `sseBus`: those of every bus, and its own. */
export interface SseBusOptions extends BusOptions {
  /** The hub's, sent as `Authorization: Bearer`; at least 16 characters of ASCII without blanks. Never shown. Default: none. */
  readonly token?: string | undefined;
  /**
   * How requests are made: of a service binding or a Durable Object, or with settings of one's own. Called detached. Default:
   * the global `fetch`, as it is at each call.
   */
  readonly fetch?: SseFetch | undefined;
  /**
   * A stream of which nothing came for so long is given up for another, 100 ms to an hour. Default: two of the hub's
   * keep-alives, and at least "45s".
   */
  readonly idleTimeout?: Duration | undefined;
}

/** Options of `sseBus` with their defaults, and the rest for `createBus`. */
export interface ResolvedSseBus {
  readonly url: URL;
  readonly token: string | undefined;
  readonly fetch: SseFetch;
  /** Undefined: as the hub's keep-alive has it. */
  readonly idleTimeoutMs: number | undefined;
  readonly bus: BusOptions;
}

const OWN: Readonly<Record<Exclude<keyof SseBusOptions, keyof BusOptions>, Parser>> = {
  token,
  fetch: taking("a function", (value) => typeof value === "function"),
  idleTimeout: within(100),
};

/** It is not shown: somebody may have put a secret into it. */
function parseUrl(value: unknown): URL {
  if (typeof value === "string" && URL.canParse(value)) {
    const url = new URL(value);
    if (/^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash) return url;
  }
  throw new OptionError(
    "sseBus: url is not shown; it takes the hub's whole address, of http or https, without user, password and fragment",
  );
}

/** Throws an OptionError that names the option. */
export function resolveSseBus(url: string, options: SseBusOptions): ResolvedSseBus {
  const own = {};
  each("options", options, { ...BUS_OPTIONS, ...OWN }, (parsed, name) => {
    if (Object.hasOwn(OWN, name)) Object.assign(own, parsed);
  });
  const bus = Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(OWN, name)));
  return {
    url: parseUrl(url),
    token: undefined,
    fetch: (url, init) => fetch(url, init),
    idleTimeoutMs: undefined,
    bus,
    ...own,
  };
}
