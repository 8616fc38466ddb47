/** The kinds of text that stand in a topology file again and again: names and addresses. */
import * as z from "zod";
import { parseIp, parseIpv4, parseMac, parsePrefix } from "../../net/index.ts";

export const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, "a name: a letter, then letters, digits, '_', '-' or '.'");
export const ipv4 = z.string().refine((text) => parseIpv4(text) !== undefined, "an IPv4 address such as 192.168.50.10");
export const ip = z.string().refine((text) => parseIp(text) !== undefined, "an IP address");
export const mac = z.string().refine((text) => parseMac(text) !== undefined, "a MAC address such as 40:44:00:00:00:01");
export const prefix = z
  .string()
  .refine((text) => text.includes("/") && parsePrefix(text) !== undefined, "an address with its prefix length, such as 192.168.1.11/24");
