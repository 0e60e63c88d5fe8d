// The servers that tests need: found on their standard port or by a variable, else started for the run. See `service`.
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { hasRedisServer, redisProgram, startRedis } from "./redis.ts";
import { connectRedis } from "./resp-client.ts";

export interface Service {
  /** As a person calls it. */
  readonly title: string;
  /** A variable that names the server to use. */
  readonly variable: string;
  readonly standardUrl: string;
  /** What is started where there is no server. */
  readonly program: string;
  answers(url: string): Promise<boolean>;
  /** Whether the program is on the PATH. */
  hasProgram(): boolean;
  start(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

/** A row for each: one more service is one more row. */
export const services = {
  redis: {
    title: "Redis",
    variable: "REDIS_URL",
    standardUrl: "redis://127.0.0.1:6379",
    program: redisProgram,
    async answers(url) {
      try {
        const client = await connectRedis(url);
        const reply = await client.send(["PING"]);
        client.close();
        return reply.type === "status"; // and not that a password is wanted
      } catch {
        return false; // whatever the reason, it cannot be used
      }
    },
    hasProgram: hasRedisServer,
    start: () => startRedis(),
  },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof services;

declare module "vitest" {
  interface ProvidedContext {
    /** Where each service is; none if it was not found. */
    readonly services: Partial<Record<ServiceName, string>>;
    /** The services that tests can start themselves. */
    readonly programs: readonly ServiceName[];
  }
}

/** A server that tests share: use keys of your own, and delete no others. */
export interface FoundService {
  /** False where there is none: skip what needs it, as in `test.skipIf(redis.isMissing)`. */
  readonly isMissing: boolean;
  /** Throws if it is missing. */
  readonly url: string;
}

const isRequired = (): boolean => process.env["ISOCACHE_REQUIRE_SERVICES"] === "1";

/** A service by name, for test files. Where `ISOCACHE_REQUIRE_SERVICES` is 1, a missing one fails the file. */
export function service(name: ServiceName): FoundService {
  const url = inject("services")[name];
  const { title, variable, program } = services[name];
  const missing = (): Error => new Error(`${title} was not found: set ${variable}, or put ${program} on the PATH`);
  if (url === undefined && isRequired()) throw missing();
  return {
    isMissing: url === undefined,
    get url() {
      if (url === undefined) throw missing();
      return url;
    },
  };
}

/** Whether tests can start servers of their own, to kill and configure them; fails the file as `service` does. */
export function program(name: ServiceName): { readonly isMissing: boolean } {
  const isMissing = !inject("programs").includes(name);
  if (isMissing && isRequired()) throw new Error(`${services[name].program} was not found: put it on the PATH`);
  return { isMissing };
}

type Found = { readonly url: string; close?(): Promise<void> } | undefined;

/** The one that a variable names, else the one on the standard port, else one of its own. */
export async function findService({ variable, standardUrl, answers, hasProgram, start }: Service): Promise<Found> {
  const named = process.env[variable];
  const url = named ?? standardUrl;
  if (await answers(url)) return { url };
  // One that was asked for by name is not replaced by another.
  return named === undefined && hasProgram() ? start() : undefined;
}

/** Vitest runs this once before the tests of a project; what it returns, after them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const names = Object.keys(services) as ServiceName[]; // its keys are the names
  const found = await Promise.all(names.map(async (name) => [name, await findService(services[name])] as const));
  const urls = found.flatMap(([name, each]) => (each === undefined ? [] : [[name, each.url] as const]));
  project.provide("services", Object.fromEntries(urls));
  const programs = names.filter((name) => services[name].hasProgram());
  project.provide("programs", programs);
  return async () => {
    await Promise.all(found.map(async ([, each]) => each?.close?.()));
    const missing = found.flatMap(([name, each]) => {
      const { title, variable, program } = services[name];
      if (each === undefined) return [`${title} (set ${variable}, or put ${program} on the PATH)`];
      return programs.includes(name) ? [] : [`${program} (put it on the PATH)`];
    });
    if (missing.length === 0) return;
    console.log(`Not found: ${missing.join(", ")}. What needs it ${isRequired() ? "failed" : "was skipped"}.`);
  };
}
