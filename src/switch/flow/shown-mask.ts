/**
 * A cache entry's mask as OVS would have it, for texts that people and programs compare. Ours says more where OVS says it otherwise:
 * that there is no tag by the Ethernet type, that there is no tunnel by the input port.
 */
import { type FlowKey, fragAny, fragLater, W } from "./flow-key.ts";

const [ipv4, ipv6] = [0x0800, 0x86dd];

export function shownMask(key: FlowKey, mask: FlowKey): FlowKey {
  const shown = mask.slice();
  shown.fill(0, 0, W.inPort);
  shown[W.inPort] = 0xffffffff;
  shown[W.recircId] = 0xffffffff;
  shown[W.ethType] = 0xffffffff;
  const type = key[W.ethType];
  if (type === ipv4 || type === ipv6) shown[W.nwMisc] = (((shown[W.nwMisc] ?? 0) & ~0xff) | fragAny | fragLater | ((shown[W.nwMisc] ?? 0) & 0xff00)) >>> 0;
  if ((key[W.vlan] ?? 0) === 0) shown[W.vlan] = 0;
  else if ((shown[W.vlan] ?? 0) !== 0) shown[W.vlan] = (shown[W.vlan] ?? 0) | 0x1000;
  const isFromTunnel = [W.tunDst, W.tunIpv6Dst, W.tunIpv6Dst + 1, W.tunIpv6Dst + 2, W.tunIpv6Dst + 3].some((word) => (key[word] ?? 0) !== 0);
  if (!isFromTunnel) shown.fill(0, W.tunId, W.ethDst);
  return shown;
}
