/** What the programs on a simulated host work with. */
import type { Clock, Random } from "../../host/index.ts";
import type { Ip } from "../../net/index.ts";
import type { Device } from "./device.ts";
import type { Dhcpv4Client } from "./dhcpv4-client.ts";
import type { Dhcpv6Client } from "./dhcpv6-client.ts";
import type { Echo } from "./echo.ts";
import type { IpLayer } from "./ip-layer.ts";
import type { NetworkState } from "./network-state.ts";
import type { TcpLayer } from "./tcp-layer.ts";
import type { UdpLayer } from "./udp-layer.ts";

export interface HostServices {
  readonly name: string;
  /** Its first network device: what commands mean that name none. */
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkState;
  readonly ip: IpLayer;
  readonly udp: UdpLayer;
  readonly tcp: TcpLayer;
  readonly echo: Echo;
  readonly dhcpv4: Dhcpv4Client;
  /** The DHCP client of any device. */
  dhcpv4On(device: Device): Dhcpv4Client;
  readonly dhcpv6: Dhcpv6Client;
  /** What /etc/hosts is elsewhere. */
  resolve(name: string, family: 4 | 6 | undefined): Ip | undefined;
  /** Who hears what the DHCP clients say; undefined: nobody. */
  listenToDhcp(say: ((line: string) => void) | undefined): void;
}
