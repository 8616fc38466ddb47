// Bundles every program of src/bin/ into dist/. One build, shared chunks: what programs have in common is parsed once.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleScript, makeCodeCache } from "./code-cache.mjs";
import { root } from "./root.mjs";

/** Node's built-in modules and what must stay a package of its own. */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  charset: "utf8",
  logLevel: "warning",
  // CommonJS dependencies inside an ESM bundle ask for `require`.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
};

/** Builds all programs; one that does not bundle does not keep the others from being built, but makes this fail. */
export async function build(outdir = process.env.ISTHMUS_DIST ?? join(root, "dist")) {
  // isthmus is bundled by itself: see code-cache.mjs.
  const programs = readdirSync(join(root, "src/bin")).filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts") && f !== "isthmus.ts");
  let failure;
  let files;
  try {
    files = (await Promise.all(groupsOf(programs).map((group) => bundle(group, outdir)))).flat();
  } catch (error) {
    failure = error;
    const sound = [];
    for (const program of programs) if (await bundles(program, outdir)) sound.push(program);
    files = await bundle(sound, outdir);
  }
  mkdirSync(outdir, { recursive: true });
  // Whole files are put in place by rename, so that a program started meanwhile never reads half of one; chunks go first.
  for (const file of [...files].sort((a, b) => Number(b.path.includes("chunk-")) - Number(a.path.includes("chunk-")))) {
    const temporary = `${file.path}.${process.pid}`;
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
  if (failure !== undefined) throw failure;
  await bundleScript(outdir, bundleOptions);
}

/**
 * What is bundled together. A chunk holds whatever any of its programs needs of a file, and of all that a room's door leads
 * to: command lines, which start afresh for every command, are therefore kept apart from daemons, and load a third.
 */
function groupsOf(programs) {
  const isCommandLine = (program) => readFileSync(join(root, "src/bin", program), "utf8").includes("ctlMain(");
  return [programs.filter(isCommandLine), programs.filter((program) => !isCommandLine(program))].filter((group) => group.length > 0);
}

async function bundle(programs, outdir, options = {}) {
  const { build: esbuild } = await import("esbuild");
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const { outputFiles } = await esbuild({
    ...bundleOptions,
    entryPoints: programs.map((f) => join("src/bin", f)),
    outdir,
    splitting: true,
    chunkNames: "chunk-[hash]",
    minifySyntax: true,
    define: { ISTHMUS_VERSION: JSON.stringify(version) },
    write: false,
    ...options,
  });
  return outputFiles;
}

const bundles = (program, outdir) =>
  bundle([program], outdir, { logLevel: "silent" }).then(
    () => true,
    () => false,
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--clean")) rmSync(join(root, "dist"), { recursive: true, force: true });
  try {
    await build();
    if (process.env.ISTHMUS_DIST === undefined) makeCodeCache(join(root, "dist"));
  } catch {
    // esbuild has said what is wrong.
    process.exit(1);
  }
}
