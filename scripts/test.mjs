// `npm test [-- PLACE ...]`: sets up, checks types, then runs every test (or those below the places named, such as
// `src/net` or `test/interop/lab.test.ts`). The last line reads `N passed, N failed, N skipped`.
//
// Each room's tests are bundled into one file and run in one process of their own by node:test.
// As root on Debian the real programs are installed first; elsewhere their tests are skipped, and counted.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { root } from "./root.mjs";
import { installDependencies } from "./setup.mjs";

const places = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const whole = places.length === 0;
const started = Date.now();

installDependencies();
const { build, bundleOptions } = await import("./build.mjs");
const { build: esbuild } = await import("esbuild");
if (whole) installRealPrograms();
if (whole || !process.argv.includes("--no-build")) await build();

let passed = 0;
let failed = 0;
let skipped = 0;
const failures = [];
const skips = new Map();

if (whole) {
  check("types", () => execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--noEmit"], { cwd: root, stdio: "pipe" }));
  check("tidy", () => execFileSync(process.execPath, [join(root, "scripts/tidy.mjs")], { cwd: root, stdio: "pipe" }));
}

mkdirSync(join(root, "build"), { recursive: true });
const scratch = mkdtempSync(join(root, "build", "test-"));
try {
  const bundles = await bundleTests(scratch);
  // Tests of whole programs share the two cores badly with anything else: they run one at a time, after the rest.
  await runFiles(bundles.filter((b) => !b.story).map((b) => b.file), 2);
  await runFiles(bundles.filter((b) => b.story).map((b) => b.file), 1);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const [reason, names] of skips) {
  console.log(`skipped, ${reason}: ${names.length}`);
  for (const name of names) console.log(`  - ${name}`);
}
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\nin ${((Date.now() - started) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

function check(name, action) {
  try {
    action();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    failures.push(`${name}\n${error.stdout ?? ""}${error.stderr ?? error}`);
  }
}

/** One bundle for each folder that holds tests: a room, or a group of stories. */
async function bundleTests(outdir) {
  const groups = new Map();
  for (const file of [...walk(join(root, "src")), ...walk(join(root, "test"))]) {
    const path = relative(root, file);
    if (!path.endsWith(".test.ts") || !(whole || places.some((p) => path === p || path.startsWith(p.replace(/\/$/, "") + "/")))) continue;
    const parts = path.split("/");
    const story = parts[0] === "test";
    const group = story ? path.replace(/\.test\.ts$/, "") : parts.slice(0, 2).join("/");
    const entry = groups.get(group) ?? { story, files: [] };
    entry.files.push(file);
    groups.set(group, entry);
  }
  if (groups.size === 0) throw new Error(`no tests below ${places.join(", ")}`);
  const bundles = [];
  for (const [group, { story, files }] of groups) {
    const entry = join(outdir, `${group.replaceAll("/", "-")}.entry.ts`);
    writeFileSync(entry, files.map((f) => `import ${JSON.stringify(f)};\n`).join(""));
    bundles.push({ group, story, entry, file: join(outdir, `${group.replaceAll("/", "-")}.mjs`) });
  }
  await Promise.all(
    bundles.map((b) =>
      esbuild({ ...bundleOptions, entryPoints: [b.entry], outfile: b.file, sourcemap: "inline", define: { ISTHMUS_VERSION: '"test"' } }),
    ),
  );
  return bundles;
}

async function runFiles(files, concurrency) {
  if (files.length === 0) return;
  process.env.ISTHMUS_ROOT = root;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --enable-source-maps`.trim();
  const stream = run({ files, concurrency, timeout: 600_000 });
  stream.on("test:pass", (event) => {
    if (event.details?.type === "suite" || isFile(event, files)) return;
    const reason = event.skip ?? event.todo;
    if (reason === undefined) passed++;
    else {
      skipped++;
      const key = typeof reason === "string" && reason !== "" ? reason : "no reason given";
      skips.set(key, [...(skips.get(key) ?? []), event.name]);
    }
  });
  stream.on("test:fail", (event) => {
    const cause = event.details?.error?.cause ?? event.details?.error;
    // A suite or file fails because a test in it did; only a failure of its own (a crash, a hang) counts.
    if ((event.details?.type === "suite" || isFile(event, files)) && event.details?.error?.failureType === "subtestsFailed") return;
    failed++;
    failures.push(`${event.name} (${relative(root, event.file ?? "")})\n${cause?.stack ?? cause}`);
    console.log(`not ok ${event.name}`);
  });
  stream.on("test:stderr", (event) => process.stderr.write(event.message));
  stream.on("test:stdout", (event) => process.stdout.write(event.message));
  for await (const _ of stream);
}

function isFile(event, files) {
  return event.nesting === 0 && files.some((f) => event.name === f || event.name.endsWith(relative(root, f)));
}

function* walk(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else yield path;
  }
}

function installRealPrograms() {
  const wanted = ["ovn-central", "ovn-host", "ovn-ic", "ovn-ic-db", "openvswitch-switch", "frr", "iproute2", "iputils-ping", "tcpdump", "tshark", "isc-dhcp-client", "iperf3", "traceroute", "ethtool", "bc"];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync("/etc/debian_version")) {
    console.log("The real OVN, OVS and FRR are installed only as root on Debian: the tests against them are skipped here.");
    return;
  }
  const missing = wanted.filter((p) => !spawnSync("dpkg-query", ["-W", "-f=${Status}", p], { encoding: "utf8" }).stdout.includes("install ok installed"));
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(" ")} ...`);
  // A package's own service start may fail in a container; what counts is whether the programs are there, which each test asks.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", 2], env });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { stdio: ["ignore", "ignore", 2], env });
}
