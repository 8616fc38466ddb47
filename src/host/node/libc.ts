/**
 * The system calls that Node does not offer: packet sockets, ioctl on devices, setns. By way of koffi, which comes as prebuilt
 * packages and is loaded when somebody first asks; where it is missing, everything that does without devices goes on.
 */
import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";

/** Memory handed to the kernel. */
type Memory = Uint8Array | null;

export interface Libc {
  open(path: string, flags: number): number;
  close(file: number): number;
  read(file: number, buffer: Memory, size: number): number;
  write(file: number, buffer: Memory, size: number): number;
  ioctl(file: number, request: number, argument: Memory): number;
  socket(family: number, type: number, protocol: number): number;
  bind(file: number, address: Memory, size: number): number;
  setsockopt(file: number, level: number, option: number, value: Memory, size: number): number;
  setns(file: number, kind: number): number;
  eventfd(initial: number, flags: number): number;
  /** Returns where `to` is. */
  memcpy(to: Memory, from: Memory, size: number): number;
}

/** As much of koffi as is used here and in the pump. */
export interface Koffi {
  load(library: string): { func(prototype: string): (...args: unknown[]) => number };
  errno(): number;
}

const prototypes: Readonly<Record<keyof Libc, string>> = {
  open: "int open(const char *path, int flags)",
  close: "int close(int file)",
  read: "ssize_t read(int file, void *buffer, size_t size)",
  write: "ssize_t write(int file, const void *buffer, size_t size)",
  ioctl: "int ioctl(int file, unsigned long request, void *argument)",
  socket: "int socket(int family, int type, int protocol)",
  bind: "int bind(int file, const void *address, uint32_t size)",
  setsockopt: "int setsockopt(int file, int level, int option, const void *value, uint32_t size)",
  setns: "int setns(int file, int kind)",
  eventfd: "int eventfd(unsigned int initial, int flags)",
  memcpy: "uintptr_t memcpy(void *to, const void *from, size_t size)",
};

export const libcName = "libc.so.6";

export interface Native {
  readonly libc: Libc;
  readonly koffi: Koffi;
  /** Where koffi was found, for a thread of its own. */
  readonly koffiPath: string;
}

let loaded: Native | undefined;

/** Throws an Error with code ENOSYS, and words for the user, where native access is not to be had. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

/** Why `native` would throw; undefined if it would not. */
export function nativeMissing(): string | undefined {
  try {
    native();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function load(): Native {
  if (process.platform !== "linux") throw noNative(`network devices are opened on Linux only, and this is ${process.platform}`);
  const require = createRequire(import.meta.url);
  try {
    const koffiPath = require.resolve("koffi");
    const koffi = require(koffiPath) as Koffi;
    const library = koffi.load(libcName);
    const functions = Object.entries(prototypes).map(([name, prototype]) => [name, library.func(prototype)] as const);
    return { libc: Object.fromEntries(functions) as object as Libc, koffi, koffiPath };
  } catch (error) {
    throw noNative(`network devices need the package koffi ("npm ci" in the project's folder installs it): ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  }
}

const noNative = (text: string): Error => Object.assign(new Error(text), { code: "ENOSYS" });

/** The last call's error, as Node's own errors look. */
export function systemError(what: string): NodeJS.ErrnoException {
  const errno = native().koffi.errno();
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${what}: ${code}`), { code, errno: -errno, syscall: what });
}

/** `result`, unless it is negative: then the call's error is thrown. */
export function must(result: number, what: string): number {
  if (result < 0) throw systemError(what);
  return result;
}
