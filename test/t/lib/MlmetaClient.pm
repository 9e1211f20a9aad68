# MlmetaClient: the program mlmeta against a cluster of MlmetaCluster.
#
# Each object has a spool, a home and a working directory of its own.

package MlmetaClient;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Run qw(run start timeout);
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../../..');
my $program = "$root/src/client/mlmeta";

# present(): whether the program was built; what it needs may be missing.
sub present { return -x $program }

sub program { return $program }

sub root { return $root }

# new(CLUSTER or undef, DATABASE): without a cluster, there is no server.
sub new
{
	my ($class, $cluster, $database) = @_;
	my $home = tempdir(CLEANUP => 1);
	my $self = bless { cluster => $cluster, home => $home, work => "$home/work" }, $class;

	mkdir $self->{work};
	$self->{env} = {
		HOME => $home,
		MLMETA_SPOOL => "$home/spool",
		PGHOST => $cluster ? $cluster->{host} : "$home/nowhere",
		PGPORT => $cluster ? $cluster->{port} : 5432,
		PGUSER => 'postgres',
		PGDATABASE => $database // 'postgres',
		GIT_AUTHOR_NAME => 'Anna', GIT_AUTHOR_EMAIL => 'anna@example.org',
		GIT_COMMITTER_NAME => 'Anna', GIT_COMMITTER_EMAIL => 'anna@example.org',
		GIT_CONFIG_NOSYSTEM => 1,
		TERM => 'dumb',
	};
	return $self;
}

# in_environment(CODE): run it with our variables and no others of libpq's.
sub in_environment
{
	my ($self, $code) = @_;

	local %ENV = %ENV;
	local $SIG{PIPE} = 'IGNORE';
	delete @ENV{ grep { /^(PG(?!_)|MLMETA_|GIT_)/ } keys %ENV };
	$ENV{$_} = $self->{env}{$_} for keys %{ $self->{env} };
	return $code->();
}

# command([PROGRAM, ARGUMENT, ...], stdin => ..., in => DIRECTORY): exit status
# as a shell tells it, standard output, standard error.
sub command
{
	my ($self, $command, %option) = @_;
	my ($out, $err) = ('', '');
	my $stdin = $option{stdin} // '';

	$self->in_environment(sub {
		run $command, '<', \$stdin, '>', \$out, '2>', \$err,
		  init => sub { chdir($option{in} // $self->{work}) or die $! },
		  timeout($option{timeout} // 120);
	});
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return ($status, $out, $err);
}

# mlmeta(ARGUMENT, ..., {option => ...}): the same of the program.
sub mlmeta
{
	my ($self, @arguments) = @_;
	my %option = ref $arguments[-1] ? %{ pop @arguments } : ();

	return $self->command([ $program, @arguments ], %option);
}

# git(ARGUMENT, ...): git in the working directory, which must succeed.
sub git
{
	my ($self, @arguments) = @_;
	my ($status, $out, $err) = $self->command([ 'git', @arguments ]);

	die "git @arguments: $err" if $status != 0;
	chomp $out;
	return $out;
}

# write(FILE, CONTENT): a file in the working directory; read(FILE).
sub write
{
	my ($self, $file, $content, $directory) = @_;
	my $path = ($directory // $self->{work}) . "/$file";

	system('mkdir', '-p', dirname($path));
	open my $handle, '>:raw', $path or die "$path: $!";
	print $handle $content;
	close $handle;
	return $path;
}

sub read
{
	my ($self, $file, $directory) = @_;

	open my $handle, '<:raw', ($directory // $self->{work}) . "/$file" or return undef;
	local $/;
	my $content = <$handle>;
	return $content;
}

# spool_count(): how many facts wait, and how many were refused.
sub spool_count
{
	my ($self) = @_;
	my ($status, $out) = $self->mlmeta('sync', '--refused');

	return $out =~ /: (\d+) refused, (\d+) waiting/ ? ($2, $1) : ('none', 'none');
}

1;
