/** Command lines that mean a machine's own network stack rather than its databases: in set-up scripts and claims about nodes of an underlay. */
const programs: ReadonlySet<string> = new Set(["ip", "sysctl", "ping", "arp", "dhclient", "traceroute", "brctl", "showmacs", "virsh", "bfd", "nc", "vtysh", "tcpdump"]);

export function isMachineCommand(argv: readonly string[]): boolean {
  const [first = "", second = ""] = argv;
  return programs.has(first === "sudo" ? second : first);
}
