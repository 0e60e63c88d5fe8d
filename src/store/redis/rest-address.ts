// Where a Redis over HTTP is: an address and a token, the environment, or a client of the user's own; and the way there.
import { OptionError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";
import { variable } from "./environment.ts";
import { listenToStream } from "./event-stream.ts";
import { restClientTransport } from "./rest-client.ts";
import type { RestClient } from "./rest-client.ts";
import { restTransport } from "./rest.ts";
import type { RestSettings } from "./rest.ts";
import type { RedisTransport } from "./transport.ts";

/** Where the database is. */
export interface RestStoreAddress {
  /** Of the REST API, such as "https://eu1-example-12345.upstash.io". By default from the environment. */
  readonly url?: string;
  /** What lets one in. Sent in a header and never shown. By default from the environment. */
  readonly token?: string;
}

/** What a kind of store or bus is called, and the variables that stand for its address and token. */
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
export function isClient(given: RestClient | RestStoreAddress): given is RestClient {
  try {
    return typeof (given as Partial<RestClient>).evalsha === "function";
  } catch {
    return true; // one that reads the environment as soon as it is looked at, and finds nothing yet
  }
}

/**
 * Opens the way to it. Throws an OptionError for a wrong address or token; a missing variable is one of the first command.
 */
export function restWay(
  { title, urlVariable, tokenVariable }: RestStoreKind,
  given: RestClient | RestStoreAddress,
): (platform: Platform) => RedisTransport {
  if (typeof given !== "object" || given === null) {
    throw new OptionError(`${title}: ${String(given)} is neither a client nor options`);
  }
  if (isClient(given)) return () => restClientTransport(given);
  const { url, token } = given;
  if (url !== undefined) checked(title, "url", url);
  if (token !== undefined) checked(title, "token", token);
  return (platform) => {
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
}
