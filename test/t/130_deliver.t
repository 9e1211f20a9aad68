# Alerts and registry events reach commands, webhooks and mailboxes: at least
# once, in order, signed, through servers that fail, stall and come back.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Digest::SHA qw(hmac_sha256_hex);
use IO::Select;
use IO::Socket::INET;
use IPC::Run qw(start);
use JSON::PP qw(decode_json);
use MlmetaClient;
use MlmetaCluster;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $server = MlmetaCluster->new('deliver');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');
my ($status, $out, $err);

# An HTTP server on loopback: what it answers to the next requests is a list of
# status codes, or "stall" or "close"; each request is a file in its directory.
my ($http, $port, $received) = (undef, undef, "$client->{home}/http");
mkdir $received;

sub serve
{
	my (@answers) = @_;
	my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => $port // 0, ReuseAddr => 1)
	  or die "no port: $!";
	$port = $listen->sockport;
	$http = fork // die $!;
	return if $http;
	my $n = 0;
	while (my $peer = $listen->accept)
	{
		my ($head, $length) = ('', 0);
		while (my $line = <$peer>)
		{
			$head .= $line;
			$length = $1 if $line =~ /^Content-Length: (\d+)/i;
			last if $line =~ /^\r?\n$/;
		}
		my $body = q{};
		read $peer, $body, $length;
		my $answer = @answers ? shift @answers : 200;
		open my $file, '>', sprintf('%s/%d-%03d', $received, $$, ++$n);
		print $file "$answer\n$head$body";
		close $file;
		if ($answer eq 'stall') { sleep 60 }
		elsif ($answer ne 'close') { print $peer "HTTP/1.1 $answer X\r\nContent-Length: 4\r\nRetry-After: 0\r\nConnection: close\r\n\r\nwhy?" }
		close $peer;
	}
	require POSIX;
	POSIX::_exit(0);
}

sub stop_serving
{
	kill 'KILL', $http;
	waitpid $http, 0;
}

# requests(): what came since the last call, as [answer, {headers}, body].
sub requests
{
	my @result;
	for my $path (sort { (stat $a)[9] <=> (stat $b)[9] || $a cmp $b } glob "$received/*")
	{
		my ($answer, $head, $body) = $client->read($path, '') =~ /\A(\w+)\n(.*?\r\n)\r\n(.*)\z/s;
		push @result, [ $answer, { map { /^([^:]+): (.*?)\r$/ ? (lc $1 => $2) : () } split /\n/, $head }, $body ];
		unlink $path;
	}
	return @result;
}

$server->query('ml', <<'SQL');
CREATE TABLE predictions AS SELECT '2026-01-01'::timestamptz + n * interval '10 minutes' AS at,
	(hashint8(n) & 1023) / 10.0 + CASE WHEN n > 144 * 8 THEN 60 ELSE 0 END AS score
FROM generate_series(0, 144 * 10) AS n;
SELECT create_monitor('scores', 'predictions', 'at', '1 day');
SELECT set_baseline('scores', '2026-01-01', '2026-01-06');
SQL

# Registry events, from when there is a consumer ---------------------------------------

serve();
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook");
is($status, 0, 'with nothing to deliver, all is well') or diag($err);
$server->query('ml', q{SELECT create_model('churn'); SELECT create_model_version('churn', NULL, NULL, 's3://1');
	SELECT set_alias('churn', 'trial', 1); SELECT create_model('other')});
$client->write('secret', "hunter2\nrest");
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook", '--secret-file', 'secret');
is($status, 0, 'events are delivered') or diag($err);
my @requests = requests();
is(join(' ', map { decode_json($_->[2])->{action} } grep { decode_json($_->[2])->{model} eq 'churn' } @requests),
	'model_created version_created alias_set', 'those of a model in order, each once');
is(scalar(@requests), 4, 'and those of others');
is($_->[1]{'x-mlmeta-signature'}, 'sha256=' . hmac_sha256_hex($_->[2], 'hunter2'), 'a body is signed') for $requests[0];
is($requests[0][1]{'x-mlmeta-event'}, 'registry', 'a header tells what it is');
is($requests[0][1]{'content-type'}, 'application/json', 'it is JSON');
($status) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook");
is(scalar(requests()), 0, 'what was delivered is not delivered again');

# A server that fails, and comes back -----------------------------------------------------

stop_serving();
serve(500, 503, 'close', 429);
$server->query('ml', q{SELECT set_alias('churn', 'second', 1)});
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook");
is($status, 0, 'a server that fails is tried again') or diag($err);
@requests = requests();
is(join(' ', map { $_->[0] } @requests), '500 503 close 429 200', 'until it takes the message');
is(scalar(keys %{ { map { $_->[1]{'x-mlmeta-delivery'} => 1 } @requests } }), 1, 'which has the same id each time');
like($err, qr/attempt 1: HTTP status 500: why\?/, 'and it is said why');

# One that stalls
stop_serving();
serve('stall');
$server->query('ml', q{SELECT set_alias('churn', 'third', 1)});
my $began = time;
my $restart = fork // die $!;
if ($restart == 0)
{
	sleep 0.2 until glob "$received/*";
	stop_serving();
	sleep 1;
	exec $^X, '-e', '1';
}
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook", '--timeout', '2', '--attempts', '3');
waitpid $restart, 0;
is($status, 1, 'a server that stalls, and then is gone, does not hold us up');
cmp_ok(time - $began, '<', 30, 'for long');
like($err, qr/is a dead letter now/, 'the message is a dead letter');
($status, $out) = $client->mlmeta('deliver', '--dead');
is(decode_json($out)->[0]{to}, "webhook http://127.0.0.1:$port/hook", 'which is kept, with where it was for');
is(decode_json(decode_json(decode_json($out)->[0]{body})->{body})->{detail}{alias}, 'third', 'and what it said');
requests();
serve();
($status, $out, $err) = $client->mlmeta('deliver', '--redeliver', '--webhook', "http://127.0.0.1:$port/hook");
is($status, 0, 'it is delivered when it is tried again') or diag($err);
is(decode_json((requests())[0][2])->{detail}{alias}, 'third', 'to where it was for');
($status, $out) = $client->mlmeta('deliver', '--dead');
is($out, "[]\n", 'and is none any more');

# A server that says it is no use
stop_serving();
serve(410);
$server->query('ml', q{SELECT set_alias('churn', 'fourth', 1)});
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook");
is("$status " . scalar(requests()), '1 1', 'a no for good is not tried again');
is(decode_json(($client->mlmeta('deliver', '--dead'))[1])->[0]{problem}, 'HTTP status 410: why?', 'and is a dead letter');

# Who is killed before it is done delivers again
stop_serving();
serve('stall');
$server->query('ml', q{SELECT set_alias('churn', 'fifth', 1); SELECT set_alias('churn', 'sixth', 1)});
{
	my $h;
	$client->in_environment(sub {
		$h = start([ MlmetaClient::program(), 'deliver', '--webhook', "http://127.0.0.1:$port/hook" ], '<', \undef, '>', \my $o, '2>', \my $e);
	});
	sleep 0.1 until glob "$received/*";
	$h->kill_kill(grace => 0);
}
stop_serving();
serve();
$client->mlmeta('deliver', '--webhook', "http://127.0.0.1:$port/hook");
@requests = requests();
is(join(' ', map { $_->[0] . decode_json($_->[2])->{detail}{alias} } @requests), 'stallfifth 200fifth 200sixth', 'a worker that is killed loses nothing, and order is kept');

# Alerts, in each form ------------------------------------------------------------------------

$server->query('ml', q{SELECT count(*) FROM check_monitor('scores', '2026-01-11')});
is($server->query('ml', 'SELECT count(*) > 0 FROM alert_open'), 't', 'there is an alert');
$client->write('mail.sh', "#!/bin/sh\ncat > $client->{home}/mail\n");
chmod 0755, "$client->{work}/mail.sh";
$client->{env}{MLMETA_SENDMAIL} = "$client->{work}/mail.sh";
($status, $out, $err) = $client->mlmeta('deliver', '--no-events',
	'--webhook', "http://127.0.0.1:$port/json", '--format', 'slack', '--webhook', "http://127.0.0.1:$port/slack",
	'--format', 'teams', '--webhook', "http://127.0.0.1:$port/teams",
	'--format', 'pagerduty', '--routing-key', 'r0', '--webhook', "http://127.0.0.1:$port/pd",
	'--mail', 'anna@example.org', '--exec', "cat > $client->{home}/executed; echo \$MLMETA_EVENT \$MLMETA_EVENT_TYPE > $client->{home}/id");
is($status, 0, 'alerts are delivered') or diag($err);
@requests = requests();
my ($json, $slack, $teams, $pager) = map { decode_json($_->[2]) } @requests[ 0 .. 3 ];
is("$json->{type} $json->{monitor} $json->{feature} $json->{state}", 'alert scores score open', 'as they are');
like($slack->{text}, qr/alert of monitor scores is open: score ks/, 'for Slack');
is($teams->{attachments}[0]{content}{body}[0]{text}, $slack->{text}, 'for Teams');
is("$pager->{routing_key} $pager->{event_action} $pager->{dedup_key}", "r0 trigger mlmeta-alert-$json->{alert}", 'for PagerDuty');
like($client->read('mail', $client->{home}), qr/^To: anna\@example.org\nSubject: \w+ alert of monitor scores is open: score ks/, 'by mail');
is(decode_json($client->read('executed', $client->{home}))->{monitor}, 'scores', 'to a command');
like($client->read('id', $client->{home}), qr/^alert-\d+ alert$/, 'which learns the id');
$server->query('ml', "SELECT " . ($server->query('ml', "SELECT to_regproc('mlmeta.resolve_alert') IS NOT NULL") eq 't' ? 'resolve_alert' : 'resolve') . "($json->{alert}, 'mended')");
$client->mlmeta('deliver', '--no-events', '--format', 'pagerduty', '--routing-key', 'r0', '--webhook', "http://127.0.0.1:$port/pd");
($pager) = map { decode_json($_->[2]) } requests();
is("$pager->{event_action} $pager->{dedup_key}", "resolve mlmeta-alert-$json->{alert}", 'an alert that is resolved is resolved there');

# A command that fails is tried again
$server->query('ml', q{SELECT set_alias('churn', 'seventh', 1)});
($status) = $client->mlmeta('deliver', '--exec', "echo x >> $client->{home}/tries; test \$(wc -l < $client->{home}/tries) -ge 3");
is("$status " . ($client->read('tries', $client->{home}) =~ tr/\n//), '0 3', 'a command that fails is called again');

# To follow
{
	my $h;
	my ($o, $e) = ('', '');
	$client->in_environment(sub {
		$h = start([ MlmetaClient::program(), 'deliver', '--follow', '--webhook', "http://127.0.0.1:$port/hook" ], '<', \undef, '>', \$o, '2>', \$e);
	});
	sleep 0.5;
	$server->query('ml', q{SELECT set_alias('churn', 'eighth', 1)});
	my $until = time + 15;
	sleep 0.1 until glob("$received/*") or time > $until;
	sleep 0.3;
	is(decode_json((requests())[0][2])->{detail}{alias}, 'eighth', 'who follows gets an event when it happens');
	$server->restart;
	$server->query('ml', q{SELECT set_alias('churn', 'ninth', 1)});
	$until = time + 30;
	sleep 0.1 until glob("$received/*") or time > $until;
	sleep 0.3;
	is(decode_json((requests())[0][2])->{detail}{alias}, 'ninth', 'also after the database was restarted');
	$h->signal('TERM');
	$h->finish;
	is($h->result(0), 0, 'and ends when told to');
}

($status, $out, $err) = $client->mlmeta('deliver');
is($status, 64, 'without a destination it is wrong usage');
($status, $out, $err) = $client->mlmeta('deliver', '--webhook', 'file:///etc/passwd', '--attempts', '1');
unlike($err, qr/root:/, 'no other protocols than HTTP');
stop_serving();

done_testing();
