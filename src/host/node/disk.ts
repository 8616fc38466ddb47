/** The machine's files. */
import {
  closeSync, existsSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync,
  writeFileSync, writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import type { Disk } from "../disk.ts";

/** Where a chain of symbolic links leads, even if nothing is there yet: a link is kept, and what it names replaced. */
function followLinks(path: string): string {
  let at = path;
  for (let i = 0; i < 32; i++) {
    const status = lstatSync(at, { throwIfNoEntry: false });
    if (status === undefined || !status.isSymbolicLink()) return at;
    at = resolve(dirname(at), readlinkSync(at));
  }
  return at;
}

export const nodeDisk: Disk = {
  exists: existsSync,
  isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  read: (path) => readFileSync(path),
  readText: (path) => readFileSync(path, "utf8"),
  replace(given, content) {
    const path = followLinks(given);
    const temporary = `${path}.${process.pid}.tmp`;
    const file = openSync(temporary, "w");
    try {
      writeFileSync(file, content);
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    // Otherwise the name may lead to the old file again after a power failure, without what was appended to the new one.
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  },
  write: (path, content) => writeFileSync(path, content),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  makeFolder: (path) => {
    mkdirSync(path, { recursive: true });
  },
  list: (path) => readdirSync(path),
  openAppend(path) {
    const file = openSync(path, "a");
    let size = fstatSync(file).size;
    return {
      get size() {
        return size;
      },
      append(content) {
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
        size += bytes.length;
      },
      sync: () => fdatasyncSync(file),
      truncate(to) {
        ftruncateSync(file, to);
        size = to;
      },
      close: () => closeSync(file),
    };
  },
};
