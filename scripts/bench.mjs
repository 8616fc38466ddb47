// `npm run bench -- NAME [ARGS]`: bundles bench/NAME.ts and runs it with the garbage collector at hand. Never part of the tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleOptions } from "./build.mjs";
import { root } from "./root.mjs";
import { installDependencies } from "./setup.mjs";

const [name = "", ...args] = process.argv.slice(2);
const entry = join(root, "bench", `${name}.ts`);
if (name === "" || !existsSync(entry)) {
  console.error(`usage: npm run bench -- NAME [ARGS]; there are ${readdirSync(join(root, "bench")).map((f) => f.replace(/\.ts$/, "")).join(", ")}`);
  process.exit(1);
}
installDependencies();
const { build } = await import("esbuild");
const scratch = mkdtempSync(join(tmpdir(), "isthmus-bench-"));
const outfile = join(scratch, `${name}.mjs`);
await build({ ...bundleOptions, entryPoints: [entry], outfile, sourcemap: "inline", define: { ISTHMUS_VERSION: '"bench"' } });
const { status } = spawnSync(process.execPath, ["--expose-gc", "--enable-source-maps", outfile, ...args], { stdio: "inherit", env: { ...process.env, ISTHMUS_ROOT: root } });
rmSync(scratch, { recursive: true, force: true });
process.exit(status ?? 1);
