// How services are found: the named one, the one on the standard port, one of its own; or none.
import { expect, onTestFinished, test, vi } from "vitest";
import { startRedis } from "./redis.ts";
import { findService, program, services } from "./services.ts";
import type { Service } from "./services.ts";

const redis = program("redis");

const fake = (answering: readonly string[], hasProgram: boolean): Service => ({
  title: "Fake",
  variable: "ISOCACHE_TEST_FAKE_URL",
  standardUrl: "fake://standard",
  program: "fake-server",
  answers: async (url) => answering.includes(url),
  hasProgram: () => hasProgram,
  start: async () => ({ url: "fake://own", close: async () => undefined }),
});

test.for([
  { named: "fake://named", answering: ["fake://named", "fake://standard"], hasProgram: true, url: "fake://named" },
  { named: "fake://named", answering: ["fake://standard"], hasProgram: true, url: undefined },
  { named: undefined, answering: ["fake://standard"], hasProgram: true, url: "fake://standard" },
  { named: undefined, answering: [], hasProgram: true, url: "fake://own" },
  { named: undefined, answering: [], hasProgram: false, url: undefined },
])("named $named, answering $answering, program $hasProgram: $url", async ({ named, answering, hasProgram, url }) => {
  vi.stubEnv("ISOCACHE_TEST_FAKE_URL", named);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect((await findService(fake(answering, hasProgram)))?.url).toBe(url);
});

test.skipIf(redis.isMissing)("a Redis that wants a password is found only with it", async () => {
  const server = await startRedis({ requirepass: "secret" });
  onTestFinished(() => server.close());
  const isFound = (url: string): Promise<boolean> => services.redis.answers(url);
  expect(await isFound(server.url)).toBe(false);
  expect(await isFound(server.url.replace("://", "://:wrong@"))).toBe(false);
  expect(await isFound(server.url.replace("://", "://:secret@"))).toBe(true);
});
