/**
 * A device of this machine whose far end is a pipe, as `device-pump.ts` has them for machines of their own: Perl makes the system
 * calls that Node has none of. Here the device is a TAP by name, or any device that is there, by way of a packet socket.
 *
 * Frames go to and fro after their size in four bytes; before those that come from a packet socket stands what the kernel leaves
 * to the card: a virtio_net_hdr (10 bytes), the VLAN's TPID and TCI. A record of no size says that the device is open. The last
 * line on standard error before a failure is the error's number and text.
 */

/** Bytes before each frame that comes from a packet socket. */
export const offloadPrefixSize = 14;

/** perl -e THIS tap NAME MAC, or perl -e THIS packet NAME */
export const framePumpScript = `
use strict; use warnings;
my ($kind, $name, $mac) = @ARGV;
my $wire;
sub fail { my $error = $!; print STDERR $error + 0, " $error\\n"; exit 1; }
sub ask { my ($socket, $code, $request) = @_; ioctl($socket, $code, $request) or fail(); return $request; }
socket(my $questions, 2, 2, 0) or fail();
my $isTap = $kind eq "tap";
my $index = 0;
if ($isTap) {
  open($wire, "+<", "/dev/net/tun") or fail();
  ask($wire, 0x400454ca, pack("a16S x22", $name, 0x1002));
  ask($questions, 0x8924, pack("a16 S a6 x16", $name, 1, pack("H2" x 6, split(/:/, $mac))));
} else {
  $index = unpack("x16 i", ask($questions, 0x8933, pack("a16 i x20", $name, 0)));
  # Bound to no protocol at first: nothing is to come before the options are set. 263 is SOL_PACKET.
  socket($wire, 17, 3, 0) or fail();
  setsockopt($wire, 263, 15, 1) or fail(); # PACKET_VNET_HDR
  setsockopt($wire, 263, 8, 1) or fail();  # PACKET_AUXDATA
  setsockopt($wire, 263, 23, 1) or fail(); # PACKET_IGNORE_OUTGOING
  setsockopt($wire, 1, 33, 4 << 20) or setsockopt($wire, 1, 8, 4 << 20);
  setsockopt($wire, 263, 1, pack("i S S a8", $index, 1, 0, "")) or fail(); # promiscuous
  bind($wire, pack("S n i S C C a8", 17, 3, $index, 0, 0, 0, "")) or fail();
}
my %recvmsg = ("x86_64" => 47, "aarch64" => 212);
chomp(my $machine = \`uname -m\`);
my $receive = $recvmsg{$machine};
# Places that the kernel writes to: never assigned to again, so that they stay where they are.
my ($frame, $control) = ("\\0" x 70000, "\\0" x 64);
my $vector = pack("QQ", unpack("Q", pack("P", $frame)), length($frame));
my ($vectorAt, $controlAt) = (unpack("Q", pack("P", $vector)), unpack("Q", pack("P", $control)));
my ($in, $out) = (fileno(STDIN), fileno($wire));

# One frame with what goes before it, or nothing if there is none.
sub take {
  if ($isTap) { my $size = sysread($wire, my $read, 70000); return defined($size) && $size > 0 ? $read : undef; }
  if (!$receive) { my $from = recv($wire, my $read, 70000, 0x40); return defined($from) && length($read) > 10 ? substr($read, 0, 10) . pack("nn", 0, 0) . substr($read, 10) : undef; }
  my $message = pack("Q L x4 Q Q Q Q i x4", 0, 0, $vectorAt, 1, $controlAt, 64, 0);
  my $size = syscall($receive, $out, $message, 0x40);
  return undef if $size <= 10;
  my ($tpid, $tci) = (0, 0);
  if (unpack("x40 Q", $message) >= 36) {
    my (undef, $level, $type, $status, undef, undef, undef, undef, $vlan, $protocol) = unpack("Q i i L L L S S S S", $control);
    ($tpid, $tci) = ($status & 0x40 ? $protocol : 0x8100, $vlan) if $level == 263 && $type == 8 && $status & 0x10;
  }
  return substr($frame, 0, 10) . pack("nn", $tpid, $tci) . substr($frame, 10, $size - 10);
}

sub hand { my ($bytes) = @_; for (my $at = 0; $at < length($bytes);) { $at += syswrite(STDOUT, $bytes, length($bytes) - $at, $at) // exit 0; } }

fcntl($wire, 4, 0x800); # O_NONBLOCK
hand(pack("N", 0));
my $waiting = "";
my $watched = ""; vec($watched, $in, 1) = 1; vec($watched, $out, 1) = 1;
while (1) {
  my $ready = $watched;
  my $found = select($ready, undef, undef, 1);
  # Of a device that is deleted a packet socket hears no more than of one that is down.
  if ($found == 0 && !$isTap) { fail() unless unpack("x16 i", ask($questions, 0x8933, pack("a16 i x20", $name, 0))) == $index; }
  next if $found <= 0;
  if (vec($ready, $out, 1)) {
    my $batch = "";
    for (my $i = 0; $i < 64; $i++) {
      my $record = take();
      last unless defined($record);
      $batch .= pack("N", length($record)) . $record;
    }
    # Readable, and nothing to be read: an error, such as that the device has gone. A network that is down only passes.
    if ($batch eq "" && !$!{EAGAIN} && !$!{ENETDOWN} && !$!{EINTR}) { fail(); }
    hand($batch) if $batch ne "";
  }
  if (vec($ready, $in, 1)) {
    sysread(STDIN, $waiting, 1 << 18, length($waiting)) or exit 0;
    my $at = 0;
    while (length($waiting) - $at >= 4) {
      my $size = unpack("N", substr($waiting, $at, 4));
      last if length($waiting) - $at < 4 + $size;
      my $sent = substr($waiting, $at + 4, $size);
      syswrite($wire, $isTap ? $sent : "\\0" x 10 . $sent);
      $at += 4 + $size;
    }
    $waiting = substr($waiting, $at);
  }
}`;
