/** Error codes of the system in the words of strerror(3), which the C programs print and scripts match. */
const texts: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAGAIN: "Resource temporarily unavailable",
  ECONNABORTED: "Software caused connection abort",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EEXIST: "File exists",
  EHOSTUNREACH: "No route to host",
  EINVAL: "Invalid argument",
  EISDIR: "Is a directory",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENETUNREACH: "Network is unreachable",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTCONN: "Transport endpoint is not connected",
  ENOTDIR: "Not a directory",
  ENXIO: "No such device or address",
  EOF: "End of file",
  EPERM: "Operation not permitted",
  EPIPE: "Broken pipe",
  EPROTO: "Protocol error",
  EROFS: "Read-only file system",
  ESRCH: "No such process",
  ETIMEDOUT: "Connection timed out",
};

/** The code of an error that came from the system; undefined for any other. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function describeError(error: unknown): string {
  const code = errorCode(error);
  return (code === undefined ? undefined : texts[code]) ?? (error instanceof Error ? error.message : String(error));
}
