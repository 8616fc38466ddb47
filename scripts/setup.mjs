// Makes a fresh clone ready: dependencies as the lockfile says, then the bundles in dist/.
// Runs on a bare Node 20 and npm; does nothing where nothing has changed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./root.mjs";

/** Installs the lockfile's dependencies unless they are in place already. */
export function installDependencies() {
  const mark = join(root, "node_modules", ".installed-lockfile");
  const wanted = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  console.error("Installing dependencies (once) ...");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline", "--fetch-timeout=60000", "--fetch-retries=4"], { cwd: root, stdio: ["ignore", 2, 2] });
  writeFileSync(mark, wanted);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installDependencies();
  const { build } = await import("./build.mjs");
  await build();
  const { makeCodeCache } = await import("./code-cache.mjs");
  makeCodeCache(join(root, "dist"));
}
