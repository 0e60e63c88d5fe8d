// isocache/testing: a platform under a test's control, and conformance suites for one's own drivers.
export { seededRandom, virtualPlatform } from "./virtual-platform.ts";
export type { VirtualPlatform, VirtualPlatformOptions } from "./virtual-platform.ts";
export { storeConformance } from "./store-conformance.ts";
export type { StoreCase } from "./store-cases/case.ts";
export type { StoreFixture } from "./store-driver.ts";
export { codecConformance } from "./codec-conformance.ts";
export type { CodecCase } from "./codec-conformance.ts";
export { busConformance } from "./bus-conformance.ts";
export type { BusCase } from "./bus-conformance.ts";
export type { BusFixture } from "./bus-driver.ts";
export { memoryBus } from "../bus/memory.ts";
export type { MemoryBusOptions } from "../bus/memory.ts";
