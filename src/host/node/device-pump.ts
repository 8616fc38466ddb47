/**
 * A network device whose far end is a pipe. Node has neither TAP devices nor packet sockets, and every Debian has Perl: a few
 * lines of it run where the device is to be and hand frames to and fro over standard input and output, each after its size
 * in four bytes. Frames of no size are the pump's way to say that it is ready.
 *
 * It takes a TAP device (Linux: tuntap.rst). Where /dev/net/tun may not be opened (without root, on some systems), it takes a
 * veth pair, whose other end stands in a namespace of the pump's own with a packet socket on it (packet(7), veth(4)).
 */

const bigFrame = 65536;

/** perl -e THIS DEVICE MAC MTU */
export const pumpScript = `
use strict; use warnings;
my ($name, $mac, $mtu) = @ARGV;
my $isTap = 0; my $wire;
sub run { system(@_) == 0 or exit 1; }
sub setUp {
  if (open(my $dad, ">", "/proc/sys/net/ipv6/conf/$name/accept_dad")) { syswrite($dad, "0"); close($dad); }
  run("ip", "link", "set", $name, "address", $mac, "mtu", $mtu, "up");
}
sub withoutOffload {
  socket(my $s, 2, 2, 0) or die "socket: $!\\n";
  for my $command (0x17, 0x1f, 0x24) { my $value = pack("LL", $command, 0); ioctl($s, 0x8946, pack("a16P", $name, $value)); }
}
if (open($wire, "+<", "/dev/net/tun")) {
  ioctl($wire, 0x400454ca, pack("a16S x22", $name, 0x1002)) or die "TAP device $name: $!\\n";
  $isTap = 1;
  setUp();
} else {
  my %unshare = ("x86_64" => 272, "aarch64" => 97);
  chomp(my $machine = \`uname -m\`);
  die "no /dev/net/tun, and no other way on $machine\\n" unless $unshare{$machine};
  pipe(my $told, my $tell); pipe(my $done, my $doneTell);
  my $child = fork();
  if ($child == 0) {
    close($tell); close($done);
    sysread($told, my $word, 1) or exit 1;
    withoutOffload(); setUp(); syswrite($doneTell, "1");
    sysread($told, $word, 1); exit 0;
  }
  close($told); close($doneTell);
  syscall($unshare{$machine}, 0x40000000) == 0 or die "network namespace: $!\\n";
  run("ip", "link", "add", "wire", "mtu", $mtu, "type", "veth", "peer", "name", $name, "netns", $child);
  if (open(my $off, ">", "/proc/sys/net/ipv6/conf/wire/disable_ipv6")) { syswrite($off, "1"); close($off); }
  run("ip", "link", "set", "wire", "up");
  socket($wire, 17, 3, 0x0300) or die "packet socket: $!\\n";
  my $asked = pack("a16 i x20", "wire", 0); ioctl($wire, 0x8933, $asked) or die "wire: $!\\n";
  bind($wire, pack("S n i S C C a8", 17, 3, unpack("x16 i", $asked), 0, 0, 0, "")) or die "wire: $!\\n";
  syswrite($tell, "1");
  sysread($done, my $word, 1) or exit 1;
}
syswrite(STDOUT, pack("N", 0));
my ($waiting, $frame) = ("", "");
my ($in, $out) = (fileno(STDIN), fileno($wire));
my $watched = ""; vec($watched, $in, 1) = 1; vec($watched, $out, 1) = 1;
while (1) {
  my $ready = $watched;
  next if select($ready, undef, undef, undef) < 0;
  if (vec($ready, $out, 1)) {
    if ($isTap) { sysread($wire, $frame, ${bigFrame}) // exit 0; }
    else {
      my $from = recv($wire, $frame, ${bigFrame}, 0);
      $frame = "" if !defined($from) || (unpack("S n i S C C", $from))[4] == 4;
    }
    if (length($frame) > 0) {
      my $record = pack("N", length($frame)) . $frame;
      for (my $at = 0; $at < length($record);) { $at += syswrite(STDOUT, $record, length($record) - $at, $at) // exit 0; }
    }
  }
  if (vec($ready, $in, 1)) {
    sysread(STDIN, $waiting, 1 << 18, length($waiting)) or exit 0;
    my $at = 0;
    while (length($waiting) - $at >= 4) {
      my $size = unpack("N", substr($waiting, $at, 4));
      last if length($waiting) - $at < 4 + $size;
      my $sent = substr($waiting, $at + 4, $size);
      if ($isTap) { syswrite($wire, $sent); } else { send($wire, $sent, 0); }
      $at += 4 + $size;
    }
    $waiting = substr($waiting, $at);
  }
}`;

/** The records of a byte stream, as they become complete. */
export class FrameReader {
  #waiting: Uint8Array = new Uint8Array(0);

  /** Frames, those of no size included; undefined: what came is no such stream. */
  push(bytes: Uint8Array): readonly Uint8Array[] | undefined {
    const all = this.#waiting.length === 0 ? bytes : concatenated(this.#waiting, bytes);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= 4) {
      const size = view.getUint32(at);
      if (size > bigFrame) return undefined;
      if (all.length - at < 4 + size) break;
      frames.push(all.slice(at + 4, at + 4 + size));
      at += 4 + size;
    }
    this.#waiting = all.slice(at);
    return frames;
  }
}

export function frameRecord(frame: Uint8Array): Uint8Array {
  const record = new Uint8Array(4 + frame.length);
  new DataView(record.buffer).setUint32(0, frame.length);
  record.set(frame, 4);
  return record;
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
