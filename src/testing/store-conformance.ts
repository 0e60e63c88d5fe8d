// The conformance suite of stores: every promise of the store contract, each as a sentence that a store keeps or breaks.
import type { StoreCase } from "./store-cases/case.ts";
import { batchCases } from "./store-cases/batch.ts";
import { entryCases } from "./store-cases/entries.ts";
import { invalidationCases } from "./store-cases/invalidation.ts";
import { leaseCases } from "./store-cases/leases.ts";
import { logCases } from "./store-cases/log.ts";
import { waitingCases } from "./store-cases/waiting.ts";

/**
 * The cases for a full store, independent of each other and of any test framework. Each makes its own fixture, connects
 * by the name "conformance" and closes it again. `make` gives an empty store, the platform to connect with, and
 * `advance`, which lets time pass for both: a virtual platform's own, or, in real time, a sleep. Cases let at most 400 ms
 * pass at once and expect a store to answer within 60 ms; deadlines meant not to pass are 20 s or more.
 */
export const storeConformance: readonly StoreCase[] = [
  ...entryCases,
  ...leaseCases,
  ...waitingCases,
  ...invalidationCases,
  ...logCases,
  ...batchCases,
];
