/** Files, as far as daemons need them. Every error is an Error with the system's `code`. */
export interface Disk {
  exists(path: string): boolean;
  isFolder(path: string): boolean;
  /** The whole file. */
  read(path: string): Uint8Array;
  readText(path: string): string;
  /** Replaces the file in one step: readers see the old one or the new one. */
  replace(path: string, content: Uint8Array | string): void;
  /** Writes the file without waiting for the disk: for what the next start makes anew. */
  write(path: string, content: Uint8Array | string): void;
  remove(path: string): void;
  makeFolder(path: string): void;
  list(path: string): readonly string[];
  /** Opens for appending; creates it when absent. */
  openAppend(path: string): AppendFile;
}

export interface AppendFile {
  readonly size: number;
  append(content: Uint8Array | string): void;
  /** Returns when everything appended so far is on stable storage. */
  sync(): void;
  /** Cuts the file to `size` bytes. */
  truncate(size: number): void;
  close(): void;
}
