# Requests that nobody meant: recorded ones with parts changed, and bytes of no
# protocol. None ends the gateway, none is answered as its own mistake.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use MlmetaClient;
use MlmetaCluster;
use MlmetaGateway;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $seconds = $ENV{MLMETA_FUZZ_SECONDS} // 10;
my $seed = $ENV{MLMETA_FUZZ_SEED} // 1;
my $json = MlmetaGateway::json();
my $server = MlmetaCluster->new('servefuzz');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $gateway = MlmetaGateway->new($server, 'ml', '--anonymous', 'postgres', '--max-body', 4, '--max-file', 4);
my $text;
gunzip("$FindBin::RealBin/../data/mlflow/sessions-3.6.ndjson.gz" => \$text) or die;
my @requests = grep { ref $_->{body} || $_->{method} ne 'PUT' } map { $json->decode($_) } split /\n/, $text;

srand $seed;
diag("seed $seed");

# Ids that exist, so that what is behind them is reached
my (undef, $answer) = $gateway->api('POST', 'runs/create', { experiment_id => '0', start_time => 1_700_000_000_000 });
my $run = $answer->{run}{info}{run_id};
(undef, $answer) = $gateway->api('POST', 'logged-models', { experiment_id => '0', name => 'm', source_run_id => $run });
my $model = $answer->{model}{info}{model_id};
$gateway->api('POST', 'registered-models/create', { name => 'reg' });
$gateway->api('POST', 'model-versions/create', { name => 'reg', source => 's3://b/m', run_id => $run });

my @odd = (undef, '', ' ', 0, -1, 1e308, '1e999', '9' x 30, 'NaN', 'null', [], {}, [ [] ], { key => {} }, \1, \0, "a\x{0}b", "\x{fffd}\x{1F600}",
	'x' x 5000, "' OR 1=1 --", '"', '`', '%', '\\', '../..', 'run_' . '0' x 26, $run, uc $run, $model, 'reg', '0', '1', 'models:/reg/1', '9223372036854775808',
	[ map { { key => "k$_", value => $_ } } 1 .. 3 ], [ 1, 'a', undef ], "metrics.`a", "a IN (", '{"offset": -1}', 'eyJvZmZzZXQiOiAxfQ==');

sub odd { return $odd[ rand @odd ] }

sub mutate
{
	my ($value, $depth) = @_;
	return odd() if rand() < 0.06;
	if (ref $value eq 'HASH')
	{
		my %copy = map { $_ => mutate($value->{$_}) } keys %$value;
		for my $key (keys %copy)
		{
			$copy{$key} = $run if $key =~ /^(run_id|run_uuid|source_run_id)$/ && rand() < 0.8;
			$copy{$key} = $model if $key eq 'model_id' && rand() < 0.8;
			$copy{$key} = '0' if $key eq 'experiment_id' && rand() < 0.8;
			$copy{$key} = ['0'] if $key eq 'experiment_ids' && rand() < 0.8;
			$copy{$key} = 'reg' if $key eq 'name' && rand() < 0.3;
			delete $copy{$key} if rand() < 0.04;
		}
		$copy{ (qw(filter order_by max_results page_token tags key value version alias stage))[ rand 10 ] } = odd() if rand() < 0.1;
		return \%copy;
	}
	if (ref $value eq 'ARRAY')
	{
		my @copy = map { mutate($_) } @$value;
		splice @copy, rand @copy, 1 if @copy && rand() < 0.1;
		push @copy, odd() if rand() < 0.1;
		return \@copy;
	}
	if (defined $value && !ref $value && rand() < 0.1 && length $value)
	{
		substr $value, rand length $value, 1, chr rand 256;
	}
	return $value;
}

my ($n, %statuses, @wrong) = (0);
my $end = time + $seconds;
while (time < $end)
{
	my $r = $requests[ rand @requests ];
	my $path = $r->{path} =~ s/(?<![m-])\b[0-9a-f]{32}\b/$run/gr =~ s/m-[0-9a-f]{32}/$model/gr;
	my $body = ref $r->{body} ? $json->encode(mutate($r->{body})) : '';
	my $query = join '&', map { my $k = $_; map { "$k=" . (mutate($_) // '') =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord($1) & 255/ger } @{ $r->{query}{$k} } } keys %{ $r->{query} };
	$query =~ s/=[0-9a-f]{32}\b/=$run/g if rand() < 0.8;
	substr $path, 1 + rand(length($path) - 1), 1, sprintf '%%%02x', rand 256 if rand() < 0.03;
	substr $body, rand length $body, 1, chr rand 256 if $body ne '' && rand() < 0.05;
	my ($status, $content) = $gateway->request($r->{method}, $path . ($query ne '' ? "?$query" : ''), $body ne '' ? (body => $body) : $r->{method} eq 'GET' ? () : (body => ''));
	$n++;
	$statuses{$status}++;
	push @wrong, "$r->{method} $path?$query $body: $status $content" if $status >= 500 && $status !~ /^50[13]$/ || $status == 503 && $content !~ /repeated|too many/;
}
is_deeply(\@wrong, [], 'no request is answered as a mistake of ours');
note("$n requests: " . join ', ', map { "$statuses{$_} x $_" } sort keys %statuses);
cmp_ok(scalar(grep { $_ < 300 } keys %statuses), '>', 0, 'some meant something');

# Bytes
$end = time + $seconds / 2;
my $connections = 0;
while (time < $end)
{
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->{port}, Timeout => 5) or last;
	my $bytes = rand() < 0.5 ? join('', map { chr rand 256 } 1 .. rand 400)
	  : (qw(GET POST PUT DELETE PATCH OPTIONS HEAD TRACE))[ rand 8 ] . ' ' . (('/', '/api/2.0/mlflow/runs/get', '*', 'http://x/', '/%', '/%zz', '/' . 'a' x 5000, '//', "/\x00")[ rand 9 ])
	  . ' HTTP/' . ((qw(1.1 1.0 2.0 9 x))[ rand 5 ]) . "\r\n"
	  . join('', map { (("Host: x", "Content-Length: " . int rand 1e6, 'Content-Length: -1', 'Transfer-Encoding: chunked', 'Expect: 100-continue', 'Authorization: Basic ====',
				'Authorization: Bearer ' . 'A' x rand 3000, 'Content-Encoding: gzip', 'Range: bytes=-', "X: \xff\x01", 'Connection: upgrade'))[ rand 11 ] . "\r\n" } 1 .. rand 5)
	  . "\r\n" . join('', map { chr rand 256 } 1 .. rand 100);
	print $socket $bytes;
	close $socket;
	$connections++;
}
cmp_ok($connections, '>', 20, "$connections connections with bytes of no protocol");
is(($gateway->request('GET', '/version'))[1], '3.3.0', 'the gateway is there as before');
is($server->query('ml', "SELECT count(*) FROM mlmeta.verify_audit()"), 0, 'and the record of models whole');
is($gateway->stop, 0, 'and stops when told');

done_testing();
