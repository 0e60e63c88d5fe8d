// Stores over HTTP: from an address and a token, from the environment, or with a client of the user's own.
import { OptionError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";
import type { Store } from "../contract.ts";
import { wholeNumber } from "../whole-number.ts";
import { listenToStream } from "./event-stream.ts";
import { variable } from "./environment.ts";
import { restClientTransport } from "./rest-client.ts";
import type { RestClient } from "./rest-client.ts";
import { restTransport } from "./rest.ts";
import type { RestSettings } from "./rest.ts";
import { storeOver } from "./store-over.ts";
import type { RedisStoreOptions } from "./store-over.ts";

/** Options of a store over HTTP. */
export interface RestStoreOptions extends RedisStoreOptions {
  /**
   * The most commands that one read may cost while it waits for another instance's load, 2 to 1,000; default 8. It looks
   * in growing steps that last for the whole wait; a load of half a second costs a follower some 4. More find the end of a
   * load sooner.
   */
  readonly pollBudget?: number;
  /**
   * Whether those who wait for another instance's load are woken by an event stream, one for each partition, opened when
   * first needed and ended by `close`. For processes that outlive requests; not with a client of one's own. Default false:
   * they look again and again, within `pollBudget`.
   */
  readonly bus?: boolean;
}

/** Where the database is. */
export interface RestStoreAddress {
  /** Of the REST API, such as "https://eu1-example-12345.upstash.io". By default from the environment. */
  readonly url?: string;
  /** What lets one in. Sent in a header and never shown. By default from the environment. */
  readonly token?: string;
}

/** What a kind of store is called, and the variables that stand for its address and token. */
export interface RestStoreKind {
  readonly kind: string;
  readonly title: string;
  readonly urlVariable: string;
  readonly tokenVariable: string;
}

/** Neither is shown: one may have been given for the other. */
function checked(title: string, what: "url" | "token", value: unknown): string {
  const isRight = what === "url" ? /^https?:\/\/[^@\s]+$/ : /^[\x21-\x7e]+$/;
  if (typeof value === "string" && isRight.test(value)) return value;
  const takes = what === "url" ? "an address that begins with https://" : "a string without spaces";
  throw new OptionError(`${title}: ${what} takes ${takes}; what was given is something else, and not shown`);
}

/** A client, and nothing that is to be read as options. */
function isClient(given: RestClient | RestStoreAddress): given is RestClient {
  try {
    return typeof (given as Partial<RestClient>).evalsha === "function";
  } catch {
    return true; // one that reads the environment as soon as it is looked at, and finds nothing yet
  }
}

/** Throws an OptionError for a wrong option; a missing variable is one of the first operation. */
export function restStore(
  names: RestStoreKind,
  given: RestClient | (RestStoreAddress & RestStoreOptions),
  clientOptions: RestStoreOptions,
): Store {
  const { kind, title, urlVariable, tokenVariable } = names;
  if (typeof given !== "object" || given === null) {
    throw new OptionError(`${title}: ${String(given)} is neither a client nor options`);
  }
  const client = isClient(given) ? given : undefined;
  const options = client === undefined ? (given as RestStoreOptions) : clientOptions;
  const { url, token } = client === undefined ? (given as RestStoreAddress) : {};
  if (url !== undefined) checked(title, "url", url);
  if (token !== undefined) checked(title, "token", token);

  const open = (platform: Platform) => {
    if (client !== undefined) return restClientTransport(client);
    let known: RestSettings | undefined;
    return restTransport(
      () =>
        (known ??= {
          url: checked(title, "url", url ?? variable(title, platform, urlVariable)),
          token: checked(title, "token", token ?? variable(title, platform, tokenVariable)),
        }),
      platform,
      listenToStream,
    );
  };
  // Others may listen although this one does not: a publication within the script costs no command.
  const pollBudget = wholeNumber(`${title}: pollBudget`, options.pollBudget, 8, 1_000);
  if (pollBudget < 2)
    throw new OptionError(`${title}: pollBudget is ${pollBudget}; it takes a whole number from 2 to 1000`);
  return storeOver(kind, open, { ...options, bus: options.bus ?? false }, { publishes: true, pollBudget });
}
