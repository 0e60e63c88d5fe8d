// The command line.
import { parseArgs } from "node:util";

export const USAGE = `npm run demo -- [options]
  --once              end after the report; the exit code is 1 if a figure is wrong
  --store-delay <ms>  every trip to the store takes this much longer, 0 to 400; default 0
  --help`;

/** The options, checked. Throws an error that says what is wrong. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: "boolean", default: false },
      "store-delay": { type: "string", default: "0" },
      help: { type: "boolean", default: false },
    },
  });
  const storeDelayMs = Number(values["store-delay"]);
  if (values["store-delay"].trim() === "" || !(storeDelayMs >= 0 && storeDelayMs <= 400)) {
    throw new Error(`--store-delay takes milliseconds from 0 to 400, not "${values["store-delay"]}"`);
  }
  return { once: values.once, help: values.help, storeDelayMs };
}
