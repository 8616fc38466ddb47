// The program `isthmus` once more, as a single script whose compiled code is kept beside it: a lab of seven nodes runs a great
// deal of code once, and compiling it takes a fifth of its start. V8 keeps compiled code of scripts only, not of modules.
//
//     dist/isthmus-HASH.cjs            the bundle; HASH is that of its text, since V8 itself compares no more than the length
//     dist/isthmus-HASH-VERSION.cache  what one real run has compiled, for that version of Node; made by `makeCodeCache`
//     dist/isthmus.cjs                 loads the one with the other; without the cache, or one that V8 refuses, it compiles
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./root.mjs";

export async function bundleScript(outdir, options) {
  const { build: esbuild } = await import("esbuild");
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const { outputFiles } = await esbuild({
    ...options,
    entryPoints: ["src/bin/isthmus.ts"],
    outdir,
    format: "cjs",
    minifySyntax: true,
    minifyWhitespace: true,
    // A text of one byte a character takes half the memory and reading.
    charset: "ascii",
    banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    define: { ISTHMUS_VERSION: JSON.stringify(version), "import.meta.url": "__moduleUrl" },
    write: false,
  });
  const text = outputFiles[0].text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  put(join(outdir, `isthmus-${hash}.cjs`), text);
  put(join(outdir, "isthmus.cjs"), loader(hash));
  for (const name of readdirSync(outdir)) if (/^isthmus-.*\.(cjs|cache)$/.test(name) && !name.includes(hash)) rmSync(join(outdir, name), { force: true });
}

/** Runs the two-zone lab once, unless its compiled code is kept already. That it cannot is no reason to fail. */
export function makeCodeCache(outdir) {
  const script = readdirSync(outdir).find((name) => /^isthmus-[0-9a-f]+\.cjs$/.test(name));
  if (script === undefined) return;
  const cache = join(outdir, `${script.slice(0, -".cjs".length)}-${process.version}.cache`);
  if (existsSync(cache)) return;
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-cache-"));
  spawnSync(process.execPath, [join(outdir, "isthmus.cjs"), "start", "--once", "--dir", join(scratch, "l")], {
    stdio: "ignore",
    timeout: 60_000,
    env: { ...process.env, ISTHMUS_CODE_CACHE: cache },
  });
  rmSync(scratch, { recursive: true, force: true });
}

function put(path, text) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

const loader = (hash) => `"use strict";
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const { Module } = require("node:module");
const { availableParallelism } = require("node:os");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");
const { isMainThread, Worker } = require("node:worker_threads");

// As in src/host/node/eager-start.ts, which takes them back: a thread that is started meanwhile compares with these.
const eagerFlags = () => {
  if (/^v2[02]\\./.test(process.version)) for (const flag of ["--interrupt-budget=1000000", "--semi-space-growth-factor=16"]) setFlagsFromString(flag);
};
eagerFlags();
// The tour's lab has two zones: the thread of the second comes up while this one reads the program; src/host/node/threads.ts takes it.
if (isMainThread && process.argv[2] === "start" && availableParallelism() > 1) {
  process[Symbol.for("isthmus.thread")] = new Worker(__filename, { resourceLimits: { maxYoungGenerationSizeMb: 24 } });
}
const file = require.resolve("./isthmus-${hash}.cjs");
const cachePath = file.replace(/\\.cjs$/, "-" + process.version + ".cache");
let cachedData;
try {
  cachedData = readFileSync(cachePath);
} catch {
  // There is none yet: everything is compiled.
}
const script = new Script(Module.wrap(readFileSync(file, "latin1")), { filename: file, cachedData });
const target = process.env.ISTHMUS_CODE_CACHE;
if (target !== undefined && isMainThread) {
  process.on("exit", (code) => {
    if (code !== 0) return;
    // They are part of what V8 compares.
    eagerFlags();
    writeFileSync(target + "." + process.pid, script.createCachedData());
    renameSync(target + "." + process.pid, target);
  });
}
if (process.env.ISTHMUS_CODE_CACHE_REPORT !== undefined) console.error("code cache " + (script.cachedDataRejected === false ? "used" : "not used"));
script.runInThisContext().call(module.exports, module.exports, require, module, file, __dirname);
`;
