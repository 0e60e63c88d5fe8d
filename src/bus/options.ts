// Options of every bus, and their resolved form.
import { parseDuration } from "../options/durations.ts";
import { each, refuse, taking, type Parser } from "../options/parse.ts";
import type { BusOptions, DedupeOptions, PublishBreakerOptions, RetryQueueOptions, SignOptions } from "./contract.ts";

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
