// Options of the hub, and their resolved form.
import { defaultPlatform } from "../../default-platform.ts";
import { parseSize, type Duration, type Size } from "../../options/durations.ts";
import { each, having, refuse, type Parser } from "../../options/parse.ts";
import type { Platform } from "../../platform.ts";
import { token, within } from "./parsers.ts";

/** Options of `sseHub`. */
export interface SseHubOptions {
  /**
   * What publishers and subscribers send as `Authorization: Bearer`; at least 16 characters of ASCII without blanks. Default:
   * everybody who reaches the hub may do both.
   */
  readonly token?: string | undefined;
  /** Accepted besides, while tokens are being changed. */
  readonly previousToken?: string | undefined;
  /** A comment is sent this often where nothing else is, 100 ms to an hour. Default "15s". */
  readonly keepAlive?: Duration | undefined;
  /** What is kept of each channel: clients that were away resume from it, and slow ones read it at their pace. */
  readonly history?: SseHistoryOptions | undefined;
  /** How many channels are known at once; a cache has one. The one unused for longest makes room. Default 100. */
  readonly maxChannels?: number | undefined;
  /** How many streams are open at once. Default 10,000. */
  readonly maxSubscribers?: number | undefined;
  /** The runtime, for timers and random numbers. Default: the globals of the web. */
  readonly platform?: Platform | undefined;
}

/** How much is kept of each channel. */
export interface SseHistoryOptions {
  /** How many events. Default 1,000. */
  readonly maxEvents?: number | undefined;
  /** How many bytes, of which an event has at most 86 kb; "128kb" or more. Default "256kb". */
  readonly maxBytes?: Size | undefined;
}

/** Options of the hub with their defaults. */
export interface ResolvedHub {
  readonly token: string | undefined;
  readonly previousToken: string | undefined;
  readonly keepAliveMs: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxChannels: number;
  readonly maxSubscribers: number;
  readonly platform: Platform;
}

const MIN_BYTES = 131_072;

const count: Parser = (name, value) =>
  Number.isSafeInteger(value) && Number(value) >= 1
    ? { [name]: value }
    : refuse(name, value, "a whole number from 1 on");

const HISTORY: Readonly<Record<keyof SseHistoryOptions, Parser>> = {
  maxEvents: count,
  maxBytes(name, value) {
    const maxBytes = parseSize(name, value);
    return maxBytes >= MIN_BYTES ? { maxBytes } : refuse(name, value, "a size of at least 128 kb");
  },
};

const OPTIONS: Readonly<Record<keyof SseHubOptions, Parser>> = {
  token,
  previousToken: token,
  keepAlive: within(100),
  history(name, value) {
    const resolved = {};
    each(name, value, HISTORY, (parsed) => Object.assign(resolved, parsed));
    return resolved;
  },
  maxChannels: count,
  maxSubscribers: count,
  platform: having("now", "random", "setTimeout", "clearTimeout"),
};

/** Throws an OptionError that names the option. */
export function resolveHub(options: SseHubOptions): ResolvedHub {
  const resolved: ResolvedHub = {
    token: undefined,
    previousToken: undefined,
    keepAliveMs: 15_000,
    maxEvents: 1_000,
    maxBytes: 262_144,
    maxChannels: 100,
    maxSubscribers: 10_000,
    platform: defaultPlatform(),
  };
  each("options", options, OPTIONS, (parsed) => Object.assign(resolved, parsed));
  return resolved;
}
