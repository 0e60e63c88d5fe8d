// Stores over HTTP: the Redis store, with what a command over HTTP costs in mind.
import { OptionError } from "../../errors.ts";
import type { Store } from "../contract.ts";
import { wholeNumber } from "../whole-number.ts";
import { isClient, restWay } from "./rest-address.ts";
import type { RestStoreAddress, RestStoreKind } from "./rest-address.ts";
import type { RestClient } from "./rest-client.ts";
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

/** Throws an OptionError for a wrong option; a missing variable is one of the first operation. */
export function restStore(
  names: RestStoreKind,
  given: RestClient | (RestStoreAddress & RestStoreOptions),
  clientOptions: RestStoreOptions,
): Store {
  const { kind, title } = names;
  const open = restWay(names, given);
  const options = isClient(given) ? clientOptions : given;
  // Others may listen although this one does not: a publication within the script costs no command.
  const pollBudget = wholeNumber(`${title}: pollBudget`, options.pollBudget, 8, 1_000);
  if (pollBudget < 2)
    throw new OptionError(`${title}: pollBudget is ${pollBudget}; it takes a whole number from 2 to 1000`);
  return storeOver(kind, open, { ...options, bus: options.bus ?? false }, { publishes: true, pollBudget });
}
