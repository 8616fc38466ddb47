/** The machine's files. */
import {
  closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync,
  writeFileSync, writeSync,
} from "node:fs";
import type { Disk } from "../disk.ts";

export const nodeDisk: Disk = {
  exists: existsSync,
  isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  read: (path) => readFileSync(path),
  readText: (path) => readFileSync(path, "utf8"),
  replace(path, content) {
    const temporary = `${path}.${process.pid}.tmp`;
    const file = openSync(temporary, "w");
    try {
      writeFileSync(file, content);
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  },
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
