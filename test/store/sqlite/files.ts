// Database files for a test, in a folder of their own, and handles on them that are closed when the test is over.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface DatabaseFile {
  readonly path: string;
  /** Another handle on the file, as another process has one. */
  open(): DatabaseSync;
  /** What the file and its write-ahead log take. */
  bytes(): number;
}

/** To be called inside a test. */
export function databaseFile(): DatabaseFile {
  const folder = mkdtempSync(join(tmpdir(), "isocache-sqlite-"));
  const path = join(folder, "cache.db");
  const handles: DatabaseSync[] = [];
  onTestFinished(() => {
    for (const handle of handles) if (handle.isOpen) handle.close();
    rmSync(folder, { recursive: true });
  });
  return {
    path,
    open() {
      const handle = new DatabaseSync(path);
      handles.push(handle);
      return handle;
    },
    bytes: () =>
      [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0),
  };
}

/** The first value that a statement gives. */
export function valueOf(handle: DatabaseSync, statement: string): unknown {
  return Object.values(handle.prepare(statement).get() ?? {})[0];
}
