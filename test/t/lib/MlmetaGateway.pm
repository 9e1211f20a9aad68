# MlmetaGateway: mlmeta serve in front of a cluster of MlmetaCluster.
#
# It listens on a port that the system chooses, and ends with the script.

package MlmetaGateway;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my $json = JSON::PP->new->utf8->canonical->allow_nonref->allow_bignum;
my %running;

END
{
	my $status = $?;
	$_->stop for values %running;
	$? = $status;
}

sub json { return $json }

# new(CLUSTER, DATABASE, OPTION, ...): start it; files lie in a directory of its
# own. A list in {env => {...}} goes into its environment.
sub new
{
	my ($class, $cluster, $database, @options) = @_;
	my $extra = ref $options[-1] ? pop @options : {};
	my $home = $extra->{home} // tempdir(CLEANUP => 1);
	my $self = bless { cluster => $cluster, database => $database, home => $home,
		files => "$home/files", log => "$home/log", options => \@options,
		under => $extra->{under} // [] }, $class;

	$self->start;
	return $self;
}

sub start
{
	my ($self) = @_;
	my $listen = $self->{port} ? "127.0.0.1:$self->{port}" : '127.0.0.1:0';

	open my $old, '>', $self->{log} or die $!;
	close $old;
	my $pid = fork // die $!;
	if (!$pid)
	{
		delete @ENV{ grep { /^(PG(?!_)|MLMETA_)/ } keys %ENV };
		open STDERR, '>>', $self->{log} or die $!;
		open STDIN, '<', '/dev/null' or die $!;
		exec @{ $self->{under} }, "$root/src/client/mlmeta", 'serve', '-h', $self->{cluster}{host}, '-p',
		  $self->{cluster}{port}, '-U', 'postgres', '-d', $self->{database}, '--listen', $listen, '--artifacts',
		  $self->{files}, @{ $self->{options} }
		  or exit 127;
	}
	$self->{pid} = $pid;
	$running{$pid} = $self;
	for (1 .. 600)
	{
		if ($self->log_text =~ m{mlmeta serve: (https?)://[\d.]+:(\d+)})
		{
			$self->{port} = $2;
			$self->{url} = "$1://127.0.0.1:$2";
			return;
		}
		sleep 0.05;
		last if waitpid($pid, 1) == $pid;
	}
	delete $running{$pid};
	BAIL_OUT('the gateway does not start: ' . $self->log_text);
}

sub log_text
{
	my ($self) = @_;
	local $/;
	open my $file, '<', $self->{log} or return '';
	return scalar <$file> // '';
}

# stop(SIGNAL): TERM by default; gives the exit status as wait() has it.
sub stop
{
	my ($self, $signal) = @_;
	return if !$self->{pid};
	kill $signal // 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	my $status = $?;
	delete $running{ $self->{pid} };
	delete $self->{pid};
	return $status;
}

# request(METHOD, PATH, body => ..., json => ..., headers => {...}, user => [NAME,
# PASSWORD]): status, content, headers.
sub request
{
	my ($self, $method, $path, %option) = @_;
	my %headers = %{ $option{headers} // {} };
	my $body = $option{body};

	if (exists $option{json})
	{
		$body = $json->encode($option{json});
		$headers{'Content-Type'} //= 'application/json';
	}
	if ($option{user})
	{
		require MIME::Base64;
		$headers{Authorization} = 'Basic ' . MIME::Base64::encode_base64(join(':', @{ $option{user} }), '');
	}
	my $answer = ($self->{http} //= HTTP::Tiny->new(timeout => 120, keep_alive => 1))->request($method,
		$self->{url} . ($self->{prefix} // '') . $path, { headers => \%headers, defined $body ? (content => $body) : () });
	my $content = $answer->{content};
	if (($answer->{headers}{'content-encoding'} // '') eq 'gzip')
	{
		my $packed = $content;
		gunzip(\$packed => \$content) or die 'the answer is no gzip';
	}
	return ($answer->{status}, $content, $answer->{headers});
}

# api(METHOD, PATH below /api/2.0/mlflow/, JSON or query): status and what the
# answer's JSON holds.
sub api
{
	my ($self, $method, $path, $arguments, %option) = @_;
	my $prefix = $path =~ m{^/} ? '' : '/api/2.0/mlflow/';

	if ($method eq 'GET' && $arguments)
	{
		$path .= '?' . HTTP::Tiny->new->www_form_urlencode($arguments);
		$arguments = undef;
	}
	my ($status, $content) = $self->request($method, "$prefix$path", $arguments ? (json => $arguments) : (), %option);
	my $answer = eval { $json->decode($content) };
	return ($status, $answer // $content);
}

1;
