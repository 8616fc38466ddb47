// Holds our northd against OVN's own on random northbound databases: see test/northd-oracle/compare.ts.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outfile = join(process.env.ISTHMUS_DIST ?? join(root, "build"), `northd-oracle-${process.pid}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
await build({ entryPoints: [join(root, "test/northd-oracle/compare.ts")], bundle: true, platform: "node", format: "esm", outfile, sourcemap: "inline", logLevel: "error" });
await import(pathToFileURL(outfile).href);
