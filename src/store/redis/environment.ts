// Variables of the environment, on any runtime that has one.
import { OptionError } from "../../errors.ts";
import type { Platform } from "../../platform.ts";

interface WithProcess {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** As the platform has it, else as most runtimes do. Some throw where reading was not permitted: none there, then. */
function find({ environment }: Platform, name: string): string | undefined {
  try {
    return environment?.(name) || (globalThis as WithProcess).process?.env?.[name];
  } catch {
    return undefined;
  }
}

/** The value of a variable; an OptionError names it if there is none. */
export function variable(kind: string, platform: Platform, name: string): string {
  const value = find(platform, name);
  if (!value) throw new OptionError(`${kind}: ${name} is not set in the environment, and no option stands for it`);
  return value;
}
