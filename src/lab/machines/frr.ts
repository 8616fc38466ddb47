/**
 * FRR in a machine of its own: zebra, bgpd, bfdd and staticd with the text of a frr.conf, and vtysh to talk to them.
 *
 * Nothing of the system's own FRR is touched: /etc/frr and /run/frr are the machine's. The daemons stay root there (in a user
 * namespace nobody else is known), so the machine's /etc/group has root in FRR's groups. Where VRFs are network namespaces,
 * zebra is told so.
 */
import type { Disk, Machine } from "../../host/index.ts";

/** Where Debian and where Fedora keep the daemons. */
const folders = ["/usr/lib/frr", "/usr/libexec/frr"] as const;
export const frrFolders: readonly string[] = ["/run/frr", "/etc/frr", "/var/tmp/frr", "/var/log/frr"];

const daemons = ["bgpd", "bfdd", "staticd"] as const;

const folderOf = (disk: Disk): string | undefined => folders.find((folder) => disk.exists(`${folder}/zebra`) && disk.exists(`${folder}/bgpd`));

/** What the machine lacks, and how to get it; undefined: nothing. */
export const frrObstacle = (disk: Disk): string | undefined =>
  folderOf(disk) === undefined ? 'FRR is not installed here: "apt install frr" (Debian, Ubuntu) or "dnf install frr" (Fedora)' : undefined;

const startScript = (folder: string): string => `
set -e
cat > /etc/frr/frr.conf
echo "service integrated-vtysh-config" > /etc/frr/vtysh.conf
sed -E 's/^(frr|frrvty|frrvt):([^:]*):[0-9]*:.*$/\\1:\\2:0:root/' /etc/group > /run/group
mount --bind /run/group /etc/group
mkdir -p /run/frr
backend=
if [ "$1" = vrfs ] && ! ip link add vrf-probe type vrf table 4242 2>/dev/null; then backend=--vrfwnetns; fi
ip link del vrf-probe 2>/dev/null || true
${folder}/zebra -d $backend -u root -g root
for daemon in ${daemons.join(" ")}; do ${folder}/$daemon -d -u root -g root; done
vtysh -b`;

/** Resolves when the daemons have their configuration. `hasVrfs`: whether there will be VRFs in the machine. Rejects with what they complain of. */
export async function startFrr(machine: Machine, disk: Disk, configuration: string, hasVrfs: boolean): Promise<void> {
  const folder = folderOf(disk);
  if (folder === undefined) throw new Error(frrObstacle(disk));
  const { code, stdout, stderr } = await machine.execute(["sh", "-c", startScript(folder), "sh", hasVrfs ? "vrfs" : ""], configuration);
  // A line that FRR does not understand is reported, and the rest is taken.
  const complaints = `${stdout}\n${stderr}`.split("\n").filter((line) => /^% |[Uu]nknown command|Ambiguous command|line \d+: /.test(line));
  if (code !== 0 || complaints.length > 0) throw new Error(`FRR on ${machine.name}: ${complaints.join("; ") || stderr.trim() || stdout.trim() || `exit code ${code}`}`);
}
