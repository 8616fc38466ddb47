/** The system's words for its errors, as strerror(3) has them: log lines and exit messages of the C programs quote them. */
const texts: { readonly [code: string]: string } = {
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  ECONNABORTED: "Software caused connection abort",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EHOSTUNREACH: "No route to host",
  EINVAL: "Invalid argument",
  ENETUNREACH: "Network is unreachable",
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  ENOTSUP: "Operation not supported",
  EPIPE: "Broken pipe",
  EPROTO: "Protocol error",
  ETIMEDOUT: "Connection timed out",
};

export function errorText(error: unknown): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return texts[code] ?? (error instanceof Error ? error.message : String(error));
}
