// A client of the user's own that speaks REST, as a transport.
import { OptionError } from "../../errors.ts";
import { toPlain } from "./plain.ts";
import { carriedTextPreludes } from "./preludes.ts";
import { fromTextReply } from "./text-replies.ts";
import type { RedisTransport } from "./transport.ts";

/** What is used of `Redis` of `@upstash/redis`, and of what `@vercel/kv` gives. */
export interface RestClient {
  /** Runs a script; answers what it returned. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Runs a script that the server knows by its SHA-1; answers what it returned. */
  evalsha(hash: string, keys: string[], args: string[]): Promise<unknown>;
  /** Publishes a message. Only a bus needs it. */
  publish?(channel: string, message: string): Promise<unknown>;
}

/**
 * Such clients decode replies as text and take for JSON whatever can be, "123" and "true" too. Neither changes what the
 * script answers after this prelude: it is UTF-8, and nothing in it is JSON. So all their settings are exact.
 *
 * They send a command again when they see no answer. That is as harmless as where `restTransport` does it, and why is said
 * there.
 */
export function restClientTransport(client: RestClient): RedisTransport {
  const method = (name: "eval" | "evalsha"): RestClient["eval"] => {
    try {
      const found = client[name] as RestClient["eval"] | undefined;
      if (typeof found === "function") return (...args) => found.apply(client, args);
    } catch (cause) {
      // One that reads the environment as soon as it is looked at.
      throw new OptionError(cause instanceof Error ? cause.message : String(cause));
    }
    throw new OptionError("The client of the store has no eval and evalsha");
  };
  return {
    preludes: carriedTextPreludes,
    incarnation: false,
    async send(command) {
      const [name, script = "", count = "", ...rest] = toPlain(command);
      if (name === "PUBLISH" && !client.publish) throw new OptionError("The client of the bus has no publish");
      const run = method(name === "EVAL" ? "eval" : "evalsha");
      try {
        if (name === "PUBLISH") return Number(await client.publish?.(script, count)); // a channel, and a message
        return fromTextReply(await run(script, rest.slice(0, Number(count)), rest.slice(Number(count))));
      } catch (cause) {
        // Its messages repeat the command: keys and values do not belong there.
        throw new Error((cause instanceof Error ? cause.message : String(cause)).split(", command was")[0]);
      }
    },
  };
}
