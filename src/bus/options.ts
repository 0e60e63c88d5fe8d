// Options of every bus, and their resolved form.
import { parseDuration, type Duration } from "../options/durations.ts";
import { each, refuse, taking, type Parser } from "../options/parse.ts";

/** Options that every bus takes. */
export interface BusOptions {
  /** Names this instance: its own messages are not for it. Default: random. Two that share one do not hear each other. */
  readonly source?: string | undefined;
  /** False: only tells others, and learns by asking the log. Default true; on Workers, where connections end with their request, false. */
  readonly subscribe?: boolean | undefined;
  /**
   * How often one of the instances, in turns, asks the store how far the log has come and tells the others. One that has
   * heard nothing for two of them counts on nothing but the log. Default "5s".
   */
  readonly heartbeat?: Duration | undefined;
  /** For each attempt to publish. Default "1s". */
  readonly publishTimeout?: Duration | undefined;
  /** What could not be published is kept and sent again, in order; of several on the same keys or tags the last is kept. */
  readonly retryQueue?: RetryQueueOptions | undefined;
  /** When a bus that keeps failing is left alone. */
  readonly breaker?: PublishBreakerOptions | undefined;
  /** What came already is dropped: by source and number, as far as these are remembered. */
  readonly dedupe?: DedupeOptions | undefined;
  /** How many frames may be taken in at once (verifying signatures takes time). Default 16. */
  readonly concurrency?: number | undefined;
  /** Frames are signed, and others are dropped. */
  readonly sign?: SignOptions | undefined;
}

/** What becomes of messages that could not be published. */
export interface RetryQueueOptions {
  /** False: they are dropped, with an `error` event; others find them in the log. Default true. */
  readonly enabled?: boolean | undefined;
  /** Beyond so many the oldest are dropped, with an `error` event. Default 10,000; Infinity allowed. */
  readonly maxSize?: number | undefined;
  /** Between attempts, and up to a half more. Default "1s". */
  readonly retryInterval?: Duration | undefined;
}

/** When a bus that keeps failing is left alone; what is to be published waits in the queue. */
export interface PublishBreakerOptions {
  /** After so many failures in a row. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** For how long, and up to a tenth more; then one frame is sent, to see whether it is taken. Default "10s". */
  readonly cooldown?: Duration | undefined;
}

/** What is remembered of frames that came. */
export interface DedupeOptions {
  /** How many. Default 10,000. */
  readonly maxSize?: number | undefined;
  /** For how long. Default "1m". */
  readonly ttl?: Duration | undefined;
}

/** A secret that all instances share. */
export interface SignOptions {
  /** At least 16 characters. */
  readonly secret: string;
  /** Accepted besides, while secrets are being changed. */
  readonly previous?: string | undefined;
  /** Frames sent longer ago than this, by the wall clocks, are dropped, and those from further ahead. Default "5m". */
  readonly maxAge?: Duration | undefined;
}

/** Bus options with their defaults. */
export interface ResolvedBus {
  readonly source: string | undefined;
  readonly subscribe: boolean | undefined;
  readonly heartbeatMs: number;
  readonly publishTimeoutMs: number;
  readonly queueEnabled: boolean;
  readonly queueMaxSize: number;
  readonly retryIntervalMs: number;
  readonly failureThreshold: number;
  readonly cooldownMs: number;
  readonly dedupeMaxSize: number;
  readonly dedupeTtlMs: number;
  readonly concurrency: number;
  readonly sign:
    { readonly secret: string; readonly previous: string | undefined; readonly maxAgeMs: number } | undefined;
}

const MIN_SECRET = 16;

const whole =
  (as: string, least: number, infinite = false): Parser =>
  (name, value) =>
    (infinite && value === Infinity) || (Number.isSafeInteger(value) && Number(value) >= least)
      ? { [as]: value }
      : refuse(name, value, `a whole number from ${least} on${infinite ? ", or Infinity" : ""}`);

const flag =
  (as: string): Parser =>
  (name, value) =>
    typeof value === "boolean" ? { [as]: value } : refuse(name, value, "true or false");

/** Whatever it is used for, it must not be shown. */
const secret: Parser = (name, value) =>
  typeof value === "string" && value.length >= MIN_SECRET
    ? { [name]: value }
    : refuse(name, typeof value, `a string of at least ${MIN_SECRET} characters`);

const ms =
  (as: string): Parser =>
  (name, value) => {
    const parsed = parseDuration(name, value);
    return parsed >= 1 && parsed < 2 ** 31 ? { [as]: parsed } : refuse(name, value, "between 1 ms and 24 days");
  };

type Parsers<Options> = { readonly [Name in keyof Options]-?: Parser };

const nested =
  <Options>(parsers: Parsers<Options>): Parser =>
  (name, value) => {
    const resolved = {};
    each(name, value, parsers as Readonly<Record<string, Parser>>, (parsed) => Object.assign(resolved, parsed));
    return resolved;
  };

const SIGN: Parsers<SignOptions> = { secret, previous: secret, maxAge: ms("maxAgeMs") };

const OPTIONS: Parsers<BusOptions> = {
  source: taking("a string of 1 to 100 characters", (value) => typeof value === "string" && /^.{1,100}$/su.test(value)),
  subscribe: flag("subscribe"),
  heartbeat: ms("heartbeatMs"),
  publishTimeout: ms("publishTimeoutMs"),
  retryQueue: nested<RetryQueueOptions>({
    enabled: flag("queueEnabled"),
    maxSize: whole("queueMaxSize", 1, true),
    retryInterval: ms("retryIntervalMs"),
  }),
  breaker: nested<PublishBreakerOptions>({
    failureThreshold: whole("failureThreshold", 1, true),
    cooldown: ms("cooldownMs"),
  }),
  dedupe: nested<DedupeOptions>({ maxSize: whole("dedupeMaxSize", 1), ttl: ms("dedupeTtlMs") }),
  concurrency: whole("concurrency", 1),
  sign(name, value) {
    const sign = { maxAgeMs: 300_000, previous: undefined, ...nested<SignOptions>(SIGN)(name, value) };
    return "secret" in sign
      ? { sign }
      : refuse(`${name}.secret`, undefined, `a string of at least ${MIN_SECRET} characters`);
  },
};

/** The names of these options, for those who have more of their own. */
export const BUS_OPTIONS = OPTIONS as Readonly<Record<string, Parser>>;

/** Bus options with their defaults. Throws an OptionError that names option and value. */
export function resolveBus(options: BusOptions): ResolvedBus {
  const resolved: ResolvedBus = {
    source: undefined,
    subscribe: undefined,
    heartbeatMs: 5_000,
    publishTimeoutMs: 1_000,
    queueEnabled: true,
    queueMaxSize: 10_000,
    retryIntervalMs: 1_000,
    failureThreshold: 5,
    cooldownMs: 10_000,
    dedupeMaxSize: 10_000,
    dedupeTtlMs: 60_000,
    concurrency: 16,
    sign: undefined,
  };
  each("options", options, BUS_OPTIONS, (parsed) => Object.assign(resolved, parsed));
  return resolved;
}
