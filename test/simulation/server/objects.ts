// A server of Durable Objects: their own code, each on a database of its own, behind their own client and its fetch.
import type { ObjectNamespace } from "../../../runtimes/cloudflare/store.ts";
import type { Backend, BackendOptions, Holdings } from "./backend.ts";
import { createDisk, type Disk, type SavedDisk } from "./disk.ts";
import { exchange } from "./exchange.ts";
import { beginObject, type RunningObject } from "./running-object.ts";

const NOTHING: Holdings = { entries: 0, bytes: 0, tags: 0, logRecords: 0, leases: 0 };

export function createObjects({ subject, partitions, limits, platform, base }: BackendOptions): Backend {
  const disks = new Map<number, Disk>();
  let running = new Map<number, RunningObject>();
  let believed: number | undefined;

  const diskOf = (index: number, saved?: SavedDisk): Disk => {
    const onAlarm = (): void => void runningOf(index).host.alarm();
    const disk = disks.get(index) ?? createDisk({ now: platform.now, base, onAlarm }, saved);
    disks.set(index, disk);
    return disk;
  };

  const runningOf = (index: number): RunningObject => {
    const found = running.get(index);
    if (found !== undefined) return found;
    const life = running;
    const options = { subject, platform, limits, isLive: () => life === running };
    const begun = beginObject(diskOf(index), options);
    running.set(index, begun);
    return begun;
  };

  const namespace: ObjectNamespace = {
    idFromName: (name) => name,
    get(id) {
      const index = Number(/\d+$/.exec(String(id))?.[0]);
      return { fetch: (url, init) => exchange((request) => runningOf(index).host.fetch(request), url, init) };
    },
  };

  const count = (): number => disks.get(0)?.agreed() ?? believed ?? partitions;

  const closeAll = (): void => {
    for (const disk of disks.values()) disk.close();
    disks.clear();
  };

  return {
    connect(shards) {
      believed ??= shards;
      return subject.durableObjectStore(namespace, { shards }).connect({ name: "simulated", platform });
    },
    get partitions() {
      return count();
    },
    meddle: (_operation, _partition, request) => request,
    begin(survival) {
      running = new Map();
      if (survival === "data") return;
      closeAll();
      if (survival !== "nothing") survival();
    },
    loseMeta: () => disks.forEach((disk) => disk.loseMeta()),
    loseEntry: (key) => disks.forEach((disk) => disk.loseEntry(key)),
    loseLease: (key) => running.forEach(({ storage }) => storage.deleteLease(key)),
    snapshot() {
      const saved = [...disks].map(([index, disk]) => [index, disk.save()] as const);
      return () => saved.forEach(([index, disk]) => diskOf(index, disk));
    },
    jumped: () => disks.forEach((disk) => disk.jumped()),
    holdings() {
      // Of another number of partitions, some may be left over, and some not yet be there.
      const length = Math.max(count(), ...[...disks.keys()].map((index) => index + 1));
      return Array.from({ length }, (_, index) => {
        const kept = disks.get(index)?.holdings();
        return kept === undefined ? NOTHING : { ...kept, leases: running.get(index)?.storage.counts().leases ?? 0 };
      });
    },
    close() {
      running = new Map();
      closeAll();
    },
  };
}
