# MlmetaCluster: a private PostgreSQL server for a TAP script.
#
# A thin layer over tools/cluster, which works for root too (the server then
# runs as the system user postgres), where PostgreSQL's own test module does
# not. The server ends with the script.

package MlmetaCluster;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use IPC::Run qw(run);
use Test::More;

our @EXPORT = qw(same_lines);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my %running;

# A script that is told to end still ends its servers.
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };

END
{
	my $status = $?;
	$_->stop for values %running;
	$? = $status;
}

# new(NAME, setting => value, ...): make the cluster test-NAME and start it.
sub new
{
	my ($class, $name, %settings) = @_;
	my $self = bless { name => "test-$name" }, $class;

	$running{$name} = $self;
	$self->tool('start', map { "$_=$settings{$_}" } sort keys %settings);
	my $where = $self->tool('env');
	($self->{host}) = $where =~ /PGHOST=(\S+)/;
	($self->{port}) = $where =~ /PGPORT=(\S+)/;
	($self->{bindir}) = $where =~ /PATH=(\S+?):\$PATH/;
	return $self;
}

# tool(COMMAND, ARGUMENT, ...): tools/cluster on this cluster; gives its output.
sub tool
{
	my ($self, $command, @arguments) = @_;
	my ($out, $err) = ('', '');

	run ["$root/tools/cluster", $command, $self->{name}, @arguments],
	  '<', \undef, '>', \$out, '2>', \$err
	  or BAIL_OUT("tools/cluster $command $self->{name} failed: $err");
	return $out;
}

sub stop
{
	my ($self) = @_;
	system("$root/tools/cluster", 'stop', $self->{name});
	delete $running{ substr($self->{name}, length 'test-') };
}

# restart(MODE): fast by default; immediate is a crash.
sub restart
{
	my ($self, $mode) = @_;
	$self->tool('restart', $mode // 'fast');
}

# program([NAME, ARGUMENT, ...], user => ..., stdin => ..., database => ...):
# run one of PostgreSQL's programs on this cluster; gives its exit status,
# standard output and standard error. The user is postgres unless said.
sub program
{
	my ($self, $command, %option) = @_;
	my ($out, $err) = ('', '');
	my ($name, @arguments) = @$command;
	my $stdin = $option{stdin} // '';

	local %ENV = %ENV;
	delete @ENV{ grep { /^PG(?!_)/ } keys %ENV };
	$ENV{PGHOST} = $self->{host};
	$ENV{PGPORT} = $self->{port};
	$ENV{PGUSER} = $option{user} // 'postgres';
	$ENV{PGDATABASE} = $option{database} // 'postgres';
	run ["$self->{bindir}/$name", @arguments],
	  '<', \$stdin, '>', \$out, '2>', \$err;
	return ($? >> 8, $out, $err);
}

# psql(DATABASE, SQL, user => ...): exit status, unaligned rows, errors with
# their SQLSTATE.
sub psql
{
	my ($self, $database, $sql, %option) = @_;
	my ($status, $out, $err) = $self->program(
		[qw(psql -X -q -A -t -v ON_ERROR_STOP=1 -v VERBOSITY=verbose)],
		%option, database => $database, stdin => $sql);
	chomp $out;
	return ($status, $out, $err);
}

# query(DATABASE, SQL, user => ...): the rows; ends the script on an error.
sub query
{
	my ($self, $database, $sql, %option) = @_;
	my ($status, $out, $err) = $self->psql($database, $sql, %option);
	die "$sql\n$err" if $status != 0;
	return $out;
}

# same_lines(GOT, EXPECTED, NAME): the test that two texts hold the same lines;
# the error shows only what differs.
sub same_lines
{
	my ($got, $expected, $name) = @_;
	my %count;

	$count{$_}-- for split /\n/, $expected;
	$count{$_}++ for split /\n/, $got;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(
		join("\n", map { $count{$_} > 0 ? "more: $_" : "gone: $_" }
			  grep { $count{$_} != 0 } sort keys %count),
		'', $name);
}

# The tests: the SQL succeeds; it is refused with a SQLSTATE; it gives rows.

sub succeeds
{
	my ($self, $database, $sql, $name, %option) = @_;
	my ($status, $out, $err) = $self->psql($database, $sql, %option);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($status == 0, $name) || diag($err);
}

sub refuses
{
	my ($self, $database, $sql, $sqlstate, $name, %option) = @_;
	my ($status, $out, $err) = $self->psql($database, $sql, %option);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($err, qr/ERROR:  \Q$sqlstate\E:/, $name);
}

sub gives
{
	my ($self, $database, $sql, $expected, $name, %option) = @_;
	my ($status, $out, $err) = $self->psql($database, $sql, %option);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($status == 0 ? $out : $err, $expected, $name);
}

1;
