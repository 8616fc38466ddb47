// Holds what a program can check about the house: arrows between rooms, doors, cycles, banned calls, file names, sizes.
// Each message names the remedy. `node scripts/tidy.mjs` prints them and exits 1 if there are any.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(root, "src");

export function tidy(files, rooms) {
  const complaints = [];
  const graph = new Map();
  const used = new Set();
  for (const [path, text] of files) checkFile(path, text, rooms, complaints, graph, used);
  for (const [room, { imports, storey }] of Object.entries(rooms)) {
    for (const other of imports) {
      if (!used.has(`${room} ${other}`)) complaints.push(`src/rooms.json: nobody in ${room} imports ${other}: take the arrow away`);
      if (rooms[other] === undefined) complaints.push(`src/rooms.json: ${room} imports ${other}, which is no room: name it or drop it`);
      else if (rooms[other].storey >= storey) complaints.push(`src/rooms.json: the arrow ${room} -> ${other} does not go down: move what is shared to a lower storey`);
    }
  }
  for (const cycle of findCycles(graph)) complaints.push(`${cycle.join(" -> ")}: a cycle of imports: move what both need into a file of its own`);
  return complaints;
}

const bannedNames = /^(utils?|helpers?|common|misc|types?|manager)(\.test)?\.ts$/;
// Only `host` (and the programs' entry files) may reach for the world; each with its remedy.
const bannedCalls = [
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, "time comes from host's Clock"],
  [/\bMath\.random\(|\brandomUUID\(/, "randomness comes from host's Random, so that a run can be replayed"],
  [/\bset(Timeout|Interval|Immediate)\(/, "timers come from host's Clock"],
  [/\bconsole\.(log|error|warn|info|debug)\(/, "say it through host's Log, or return it"],
  [/from "node:(fs|net|dgram|child_process|os|http|dns|tls|worker_threads)/, "sockets, files and processes come from host"],
];

function checkFile(path, text, rooms, complaints, graph, used) {
  const [, room, ...rest] = path.split("/");
  const inRoot = rest.length === 0;
  if (inRoot) return;
  const isTest = path.endsWith(".test.ts");
  const rule = rooms[room];
  if (rule === undefined) complaints.push(`${path}: src/${room} is no room: add it to src/rooms.json with its purpose and arrows`);
  if (bannedNames.test(rest.at(-1))) complaints.push(`${path}: the name says nothing: name the file for what it holds`);
  if (/\.(ts)$/.test(path) && !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench))?\.ts$/.test(rest.at(-1))) complaints.push(`${path}: file names are lower case with hyphens`);
  const lines = text.split("\n");
  lines.forEach((line, i) => {
    const at = `${path}:${i + 1}`;
    const code = line.replace(/\/\/.*$/, "").replace(/^\s*\*.*$/, "");
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) complaints.push(`${at}: leftover ${line.match(/TODO|FIXME|XXX|HACK/)[0]}: do it, or file it as an issue`);
    if (/: any\b|<any>|\bas any\b|as unknown as|@ts-(ignore|expect-error|nocheck)|biome-ignore/.test(code) && !isTest) complaints.push(`${at}: silences the compiler: give it its type`);
    if (room !== "host" && room !== "bin" && !isTest) for (const [pattern, remedy] of bannedCalls) if (pattern.test(code)) complaints.push(`${at}: ${remedy}`);
    if (/catch\s*(\([^)]*\))?\s*\{\s*\}/.test(code)) complaints.push(`${at}: swallows an error: handle it, or say in the block why it may be dropped`);
  });
  const edges = [];
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+"([^"]+)"|(?:^|\n)\s*import\s+"([^"]+)"|import\("([^"]+)"\)/g)) {
    const target = match[1] ?? match[2] ?? match[3];
    if (!target.startsWith(".")) continue;
    if (!/\.(ts|json)$/.test(target)) complaints.push(`${path}: imports "${target}": imports end in .ts`);
    const resolved = normalize(join(dirname(path), target));
    const [top, otherRoom, ...inside] = resolved.split("/");
    if (top !== "src") {
      if (!isTest) complaints.push(`${path}: imports ${resolved}, outside src/`);
      continue;
    }
    if (otherRoom === room) edges.push(resolved);
    else if (inside.length > 0) {
      const door = inside.join("/");
      if (!isTest) used.add(`${room} ${otherRoom}`);
      const allowedDoor = door === "index.ts" || (otherRoom === "host" && door === "node/index.ts" && (room === "bin" || room === "lab" || isTest));
      if (!allowedDoor) complaints.push(`${path}: reaches past the door of ${otherRoom} (${door}): import ../${otherRoom}/index.ts`);
      if (rule !== undefined && !rule.imports.includes(otherRoom) && !isTest) complaints.push(`${path}: the arrow ${room} -> ${otherRoom} is not allowed: see src/rooms.json`);
    }
  }
  if (!isTest) graph.set(path, edges);
}

function findCycles(graph) {
  const state = new Map();
  const cycles = [];
  const path = [];
  const visit = (node) => {
    if (state.get(node) === "done" || !graph.has(node)) return;
    if (state.get(node) === "open") {
      cycles.push([...path.slice(path.indexOf(node)), node]);
      return;
    }
    state.set(node, "open");
    path.push(node);
    for (const next of graph.get(node)) visit(next);
    path.pop();
    state.set(node, "done");
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}

function* walk(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rooms = JSON.parse(readFileSync(join(src, "rooms.json"), "utf8"));
  const files = existsSync(src) ? [...walk(src)].map((f) => [relative(root, f), readFileSync(f, "utf8")]) : [];
  const only = process.argv[2];
  const complaints = tidy(files, rooms).filter((c) => only === undefined || c.startsWith(`src/${only}/`));
  for (const complaint of complaints) console.log(complaint);
  process.exit(complaints.length > 0 ? 1 : 0);
}
