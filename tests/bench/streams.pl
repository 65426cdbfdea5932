#!/usr/bin/perl
# streams.pl - from the start of a command to its event on each of n streams
#
#	streams.pl address:port n rounds command [arg ...] key=value
#
# Opens n streams of events; each round runs the command with the round's
# number appended to the value, and waits until each stream has shown the event
# that has it.  Prints a line a round: milliseconds from the start until the
# command has ended and until all streams have it, and from the change, as its
# event says, until the first has it and until all have.  With no rounds it
# prints a line when all are open, and waits.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(clock_gettime time CLOCK_MONOTONIC);
use Time::Local qw(timegm);

my ($address, $n, $rounds, @command) = @ARGV;
my $last = pop @command;
# The time of the event in a text, in seconds.
sub when {
	$_[0] =~ /"at":"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)Z"/ or die;
	return timegm($6, $5, $4, $3, $2 - 1, $1) + $7;
}
my $all = IO::Select->new;
my %text;
for (1 .. $n) {
	my $s = IO::Socket::INET->new(PeerAddr => $address) or die "$address: $!\n";
	print $s "GET /api/events?stream=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	$s->flush;
	$text{$s} = '';
	$text{$s} .= <$s> until $text{$s} =~ /^id: /m;
	$s->blocking(0);
	$all->add($s);
}
$| = 1;
if (!$rounds) {
	print "open\n";
	sleep;
}
for my $i (1 .. $rounds) {
	my $word = "$last$i.";
	my ($text) = $word =~ /([^=]*)$/;
	my ($at, $first, $ended, $had, $all_had, %seen);
	select undef, undef, undef, 0.02;
	my $t = clock_gettime(CLOCK_MONOTONIC);
	my $pid = fork // die "$!\n";
	if (!$pid) {
		open STDOUT, '>', '/dev/null';
		exec @command, $word;
		exit 127;
	}
	while (keys %seen < $n || !defined $ended) {
		for my $s ($all->can_read(defined $ended ? 10 : 0.0005)) {
			sysread $s, $text{$s}, 65536, length $text{$s}
			    or die "a stream has ended\n";
			next if index($text{$s}, $text) < 0;
			$at //= when($text{$s});
			$first //= time - $at;
			$seen{$s} = 1;
			$had = clock_gettime(CLOCK_MONOTONIC) - $t;
			$all_had = time;
			$text{$s} = '';
		}
		if (!defined $ended && waitpid($pid, 1) == $pid) {
			die "@command: $?\n" if $?;
			$ended = clock_gettime(CLOCK_MONOTONIC) - $t;
		}
		die "an event did not come\n"
		    if clock_gettime(CLOCK_MONOTONIC) - $t > 30;
	}
	printf "%.3f %.3f %.3f %.3f\n", map { 1000 * $_ } $ended, $had,
	    $first, $all_had - $at;
}
