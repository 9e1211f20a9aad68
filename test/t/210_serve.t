# mlmeta serve: who may come in, what may come in, what comes out, and that what
# was answered is there, whatever ends in the middle.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use IO::Compress::Gzip qw(gzip);
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use MlmetaClient;
use MlmetaCluster;
use MlmetaGateway;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $json = MlmetaGateway::json();
my $server = MlmetaCluster->new('serve');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', <<'SQL');
CREATE EXTENSION mlmeta;
SELECT mlmeta.setup_roles('team');
CREATE ROLE anna LOGIN PASSWORD 'secret: of anna' IN ROLE team_writer;
CREATE ROLE rudi LOGIN PASSWORD 'r' IN ROLE team_reader;
CREATE ROLE past LOGIN PASSWORD 'p' IN ROLE team_writer VALID UNTIL '2020-01-01';
CREATE ROLE stranger LOGIN PASSWORD 's';
CREATE ROLE trusted LOGIN PASSWORD 't' IN ROLE team_writer;
SQL

# Passwords are asked for, but of postgres and of one who is trusted.
my $hba = $server->query('postgres', 'SHOW hba_file');
open my $file, '>', $hba or die "$hba: $!";
print $file "local all postgres,trusted trust\nlocal all all scram-sha-256\n";
close $file;
$server->query('postgres', 'SELECT pg_reload_conf()');

my $anna = [ 'anna', 'secret: of anna' ];
my $rudi = [ 'rudi', 'r' ];
my $gateway = MlmetaGateway->new($server, 'ml', '--path-prefix', '/ml', '--max-body', 1, '--max-file', 4,
	'--host-name', 'gate.example', '--allow-origin', 'https://pages.example', '--access-log', tempdir(CLEANUP => 1) . '/access');
my $access = (grep { m{/access$} } @{ $gateway->{options} })[0];
$gateway->{prefix} = '/ml';
my ($status, $answer, $headers);

# Who ---------------------------------------------------------------------------

($status, $answer, $headers) = $gateway->request('GET', '/version');
is($status, 401, 'nobody is let in who is nobody');
like($headers->{'www-authenticate'}, qr/^Basic realm=/, 'and is told how to come in');
($status, $answer) = $gateway->request('GET', '/version', user => $anna);
is("$status $answer", '200 3.3.0', 'a password of the database opens');
my $began = time;
is(($gateway->request('GET', '/version', user => [ 'anna', 'wrong' ]))[0], 401, 'a wrong one does not, even while the right one has a connection');
cmp_ok(time - $began, '>', 0.9, 'and is answered late');
is(($gateway->request('GET', '/version', user => [ 'past', 'p' ]))[0], 401, 'nor one that has expired');
is(($gateway->request('GET', '/version', user => [ 'nobody', 'p' ]))[0], 401, 'nor that of nobody');
is(($gateway->request('GET', '/version', user => [ 'trusted', 'anything' ]))[0], 401, 'nor any where the database asks for none');
is(($gateway->request('GET', '/version', headers => { Authorization => 'Bearer ' . encode_base64('anna:secret: of anna', '') }))[0], 200,
	'Bearer is base64 of the same');
is(($gateway->request('GET', '/version', headers => { Authorization => 'Bearer garbage!' }))[0], 401, 'and nothing else');
is(($gateway->request('GET', '/version', user => [ 'stranger', 's' ]))[0], 401, 'a role without rights on the schema is refused');

($status, $answer) = $gateway->api('POST', 'experiments/create', { name => 'tries' }, user => $anna);
is($status, 200, 'a writer writes');
my $experiment = $answer->{experiment_id};
($status, $answer) = $gateway->api('POST', 'experiments/create', { name => 'other' }, user => $rudi);
is("$status $answer->{error_code}", '403 PERMISSION_DENIED', 'a reader does not');
($status, $answer) = $gateway->api('GET', 'experiments/get', { experiment_id => $experiment }, user => $rudi);
is($status, 200, 'but reads');
($status, $answer) = $gateway->api('POST', 'runs/create', { experiment_id => $experiment, user_id => 'x', start_time => 1_700_000_000_000 }, user => $anna);
my $run = $answer->{run}{info}{run_id};
is($server->query('ml', "SELECT user_name FROM mlmeta.runs WHERE run = '$run'"), 'anna', 'the database knows who it was');
for my $path ('runs/search', 'registered-models/search', 'model-versions/search', 'logged-models/search', 'experiments/search')
{
	my $method = $path =~ /^(registered|model-v)/ ? 'GET' : 'POST';
	is(($gateway->api($method, $path, { $method eq 'POST' && $path !~ /^exp/ ? (experiment_ids => [$experiment]) : () }, user => $rudi))[0], 200, "a reader may ask for $path");
}

# Pages of others -----------------------------------------------------------------

sub from_page
{
	my ($method, %headers) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->{port}) or die $!;
	my $body = $method eq 'POST' ? '{}' : '';
	$headers{Authorization} = 'Basic ' . encode_base64(join(':', @$anna), '');
	print $socket "$method /ml/api/2.0/mlflow/experiments/search HTTP/1.1\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers),
	  'Content-Length: ', length $body, "\r\nConnection: close\r\n\r\n$body";
	local $/;
	return scalar <$socket>;
}

my $own = "127.0.0.1:$gateway->{port}";
like(from_page('POST', Host => $own, Origin => "http://$own"), qr{^HTTP/1.1 200}, 'our own pages may post');
like(from_page('POST', Host => $own, Origin => 'http://evil.example'), qr{^HTTP/1.1 403}, 'pages of others may not');
like(from_page('POST', Host => $own, 'Sec-Fetch-Site' => 'cross-site'), qr{^HTTP/1.1 403}, 'nor without saying who they are');
like(from_page('GET', Host => 'evil.example', 'Sec-Fetch-Site' => 'same-origin'), qr{^HTTP/1.1 403}, 'a name that is not ours is no way to read');
like(from_page('GET', Host => 'gate.example', 'Sec-Fetch-Site' => 'same-origin'), qr{^HTTP/1.1 200}, 'one that was told is');
my $allowed = from_page('POST', Host => $own, Origin => 'https://pages.example');
like($allowed, qr{^HTTP/1.1 200}, 'an origin that is allowed may post');
like($allowed, qr{^Access-Control-Allow-Origin: https://pages.example\r$}m, 'and read the answer');
unlike(from_page('POST', Host => $own), qr{Access-Control}, 'others hear nothing of it');
like(from_page('OPTIONS', Host => $own, Origin => 'https://pages.example', 'Access-Control-Request-Method' => 'POST'), qr{^HTTP/1.1 204},
	'it may ask first');

# What comes in -------------------------------------------------------------------

sub post
{
	my ($body, %headers) = @_;
	return ($gateway->request('POST', '/api/2.0/mlflow/experiments/search', body => $body, headers => \%headers, user => $anna))[0];
}

is(post('{}'), 200, 'JSON');
is(post('"{\"max_results\": 1}"'), 200, 'JSON in a string of JSON');
is(post(''), 200, 'nothing');
is(post($_), 400, "400 for $_") for '[]', '{', '1', "\xff\xfe", '{"max_results": "x"}', '{"max_results": -1}', "{\"filter\": \"\\u0000\"}",
  '{"filter": "name = \'a\'; DROP TABLE x"}', '{"page_token": "?"}';
my $packed;
gzip(\'{"max_results": 1}' => \$packed);
is(post($packed, 'Content-Encoding' => 'gzip'), 200, 'gzip');
is(post($packed . $packed, 'Content-Encoding' => 'gzip'), 400, 'two of them are no JSON');
is(post(substr($packed, 0, 12), 'Content-Encoding' => 'gzip'), 400, 'half of one is none');
is(post('{}', 'Content-Encoding' => 'br'), 415, 'other codings are not known');
gzip(\('x' x 10_000_000) => \$packed);
is(post($packed, 'Content-Encoding' => 'gzip'), 413, 'a small bomb is a large body');
is(post('x' x 2_000_000), 413, 'a large body is refused');
is(($gateway->request('GET', '/nothing', user => $anna))[0], 404, 'what is not there');
$gateway->{prefix} = '';
is(($gateway->request('GET', '/version', user => $anna))[0], 404, 'nothing is served outside of the prefix');
$gateway->{prefix} = '/ml';

($status, $answer, $headers) = $gateway->request('GET', "/api/2.0/mlflow/runs/get?run_id=$run", user => $anna, headers => { 'Accept-Encoding' => 'gzip' });
is($headers->{'content-encoding'}, undef, 'small answers are sent as they are');
$server->query('ml', "SELECT mlmeta.set_tags('$run', jsonb_build_object('long', repeat('long ', 10000)))");
($status, $answer, $headers) = $gateway->request('GET', "/api/2.0/mlflow/runs/get?run_id=$run", user => $anna, headers => { 'Accept-Encoding' => 'gzip' });
is($headers->{'content-encoding'}, 'gzip', 'long ones are compressed for who understands it');
cmp_ok(length $answer, '>', 50_000, 'and are whole');

# Files ---------------------------------------------------------------------------

my $place = "/api/2.0/mlflow-artifacts/artifacts/$experiment/$run/artifacts";
my $content = join '', map { chr($_ % 251) } 1 .. 100_000;
is(($gateway->request('PUT', "$place/a/b%20%C3%BC.bin", body => $content, user => $anna))[0], 200, 'a file is taken');
is(($gateway->request('PUT', "$place/empty", body => '', user => $anna))[0], 200, 'an empty one too');
is($server->query('ml', "SELECT path || ' ' || size || ' ' || sha256 FROM mlmeta.run_files WHERE run = '$run' AND size > 0"),
	"a/b \x{c3}\x{bc}.bin 100000 " . sha256_hex($content), 'it is on record, by size and digest');
ok(-f "$gateway->{files}/objects/" . substr(sha256_hex($content), 0, 2) . '/' . sha256_hex($content), 'and lies under its digest');
($status, $answer, $headers) = $gateway->request('GET', "$place/a/b%20%C3%BC.bin", user => $rudi);
ok($status == 200 && $answer eq $content, 'it comes back as it was');
is($headers->{'content-disposition'}, q{attachment; filename*=UTF-8''b%20%C3%BC.bin}, 'under its name');
is($headers->{'x-content-type-options'}, 'nosniff', 'and is what it says');
($status, $answer, $headers) = $gateway->request('GET', "$place/a/b%20%C3%BC.bin", user => $rudi, headers => { Range => 'bytes=10-19' });
is("$status " . ($answer eq substr($content, 10, 10)) . " $headers->{'content-range'}", '206 1 bytes 10-19/100000', 'or a part of it');
is(($gateway->request('GET', "$place/a/b%20%C3%BC.bin", user => $rudi, headers => { Range => 'bytes=200000-' }))[0], 416, 'or none');
($status, $answer) = $gateway->request('GET', "$place/a/b%20%C3%BC.bin", user => $rudi, headers => { Range => 'bytes=-5' });
is($answer, substr($content, -5), 'the end of it');
for my $path ("$place/../../x", "$place/%2e%2e/x", "$place/a/..%2f..%2fx", '/api/2.0/mlflow-artifacts/artifacts/../../../etc/passwd', "$place//x",
	"$place/a/./b", '/api/2.0/mlflow-artifacts/artifacts/x.txt')
{
	like(($gateway->request('PUT', $path, body => 'x', user => $anna))[0], qr/^40[04]$/, "no file leaves its place: $path");
}
is(`find $gateway->{files} -name passwd -o -name 'x*' | wc -l` + 0, 0, 'nothing has');
is(($gateway->request('PUT', "$place/large", body => 'x' x 5_000_000, user => $anna))[0], 413, 'a file that is too large is refused');
is(($gateway->request('PUT', "$place/mine", body => 'x', user => $rudi))[0], 403, 'a reader stores nothing');
($status, $answer) = $gateway->api('GET', '/api/2.0/mlflow-artifacts/artifacts', { path => "$experiment/$run/artifacts" }, user => $rudi);
is_deeply([ map { "$_->{path} $_->{is_dir}" } @{ $answer->{files} } ], [ 'a 1', 'empty 0' ], 'a list of what is there');
$gateway->request('DELETE', "$place/a", user => $anna);
is(($gateway->request('GET', "$place/a/b%20%C3%BC.bin", user => $rudi))[0], 404, 'what is deleted is gone');
is($server->query('ml', "SELECT action FROM mlmeta.tracking_changes WHERE run = '$run' AND action = 'files_removed'"), 'files_removed', 'on record');

my $client = MlmetaClient->new($server, 'ml');
$gateway->request('PUT', "$place/kept", body => 'kept', user => $anna);
my ($code, $out) = $client->mlmeta('serve', '--artifacts', $gateway->{files}, '--verify');
is($code, 0, 'the store is whole') or diag($out);
like($out, qr/2 files, 4 bytes: 0 missing, 0 damaged/, 'as far as the database knows it');
my $object = "$gateway->{files}/objects/" . substr(sha256_hex('kept'), 0, 2) . '/' . sha256_hex('kept');
open $file, '>', $object or die $!;
print $file 'kent';
close $file;
($code, $out) = $client->mlmeta('serve', '--artifacts', $gateway->{files}, '--verify');
is($code, 1, 'damage is found');
like($out, qr/damaged: \S+ \(run_\S+\/kept\)/, 'and named');
unlink $object;
($code, $out) = $client->mlmeta('serve', '--artifacts', $gateway->{files}, '--verify');
like($out, qr/missing: \S+ \(run_\S+\/kept\)/, 'what is missing too');
utime 1, 1, glob "$gateway->{files}/objects/*/*";

# A registered version is downloaded on record.
$gateway->request('PUT', "$place/model/MLmodel", body => 'flavors: none', user => $anna);
$gateway->api('POST', 'registered-models/create', { name => 'churn' }, user => $anna);
($status, $answer) = $gateway->api('POST', 'model-versions/create', { name => 'churn', source => "mlflow-artifacts:/$experiment/$run/artifacts/model", run_id => $run }, user => $anna);
is($answer->{model_version}{version}, '1', 'a version of it');
$gateway->request('GET', "$place/model/MLmodel", user => $rudi, headers => { 'User-Agent' => 'loader/1' });
is($server->query('ml', "SELECT user_name || ' ' || purpose FROM mlmeta.model_downloads WHERE model = 'churn'"), 'rudi mlflow: file model/MLmodel by loader/1',
	'who fetched a file of a version is on record');
($status, $answer) = $gateway->api('POST', 'model-versions/transition-stage', { name => 'churn', version => '1', stage => 'Production' }, user => $anna);
is("$status $answer->{error_code}", '403 PERMISSION_DENIED', 'a stage takes approval');
my $request = $server->query('ml', "SELECT request FROM mlmeta.transition_requests WHERE status = 'pending'");
like($answer->{message}, qr/request $request /, 'the request is there, and its number told');
($status, $answer) = $gateway->api('POST', 'model-versions/transition-stage', { name => 'churn', version => '1', stage => 'Production' }, user => $anna);
like($answer->{message}, qr/request $request /, 'asked again, it is the same');

# How it is -----------------------------------------------------------------------

is(($gateway->request('GET', '/health'))[1], 'OK', 'health needs no login');
($status, $answer) = $gateway->request('GET', '/metrics');
like($answer, qr/^mlmeta_requests_total\{method="POST",status="2xx"\} \d+$/m, 'requests are counted');
like($answer, qr/^mlmeta_logins_total\{outcome="refused"\} [1-9]/m, 'logins too');
open $file, '<', $access or die "$access: $!";
my @lines = map { $json->decode($_) } <$file>;
close $file;
cmp_ok(scalar(grep { $_->{user} eq 'anna' && $_->{status} == 200 && $_->{path} =~ m{^/api} } @lines), '>', 5, 'the access log is JSON');
ok(!grep({ $json->encode($_) =~ /secret/ } @lines), 'and holds no password');

# The database goes and comes -------------------------------------------------------

$server->restart('immediate');
is(($gateway->request('GET', '/version', user => $anna))[0], 200, 'after a crash of the database the next request is answered');

# A stop waits for what is under way
my $locker = fork // die $!;
if (!$locker)
{
	$server->psql('ml', "BEGIN; SELECT FROM mlmeta.runs WHERE run = '$run' FOR UPDATE; SELECT pg_sleep(3); COMMIT;");
	require POSIX;
	POSIX::_exit(0);
}
sleep 1;
pipe my $in, my $back or die $!;
my $asker = fork // die $!;
if (!$asker)
{
	delete $gateway->{http};
	my ($s) = $gateway->api('POST', 'runs/update', { run_id => $run, status => 'FINISHED' }, user => $anna);
	syswrite $back, $s;
	require POSIX;
	POSIX::_exit(0);
}
sleep 1;
is($gateway->stop, 0, 'told to stop, it stops');
waitpid $asker, 0;
close $back;
is(scalar <$in>, '200', 'when what was under way is answered');
waitpid $locker, 0;

# Killed in the middle of it, what was answered is there, once.
$gateway->start;
my @logged;
my $end = time + 3;
my @children = map {
	my $n = $_;
	my $file = "$gateway->{home}/acked$n";
	my $child = fork // die $!;
	if (!$child)
	{
		delete $gateway->{http};
		open my $acked, '>', $file or die $!;
		for my $i (1 .. 100_000)
		{
			my ($s) = $gateway->api('POST', 'runs/log-metric', { run_id => $run, key => "k$n", value => $i, timestamp => 1_700_000_000_000 + $i, step => $i }, user => $anna);
			last if $s != 200;
			syswrite $acked, "$i\n";
		}
		require POSIX;
		POSIX::_exit(0);
	}
	$child;
} 1 .. 4;
sleep 2;
$gateway->stop('KILL');
waitpid $_, 0 for @children;
for my $n (1 .. 4)
{
	open $file, '<', "$gateway->{home}/acked$n" or die $!;
	my $acked = () = <$file>;
	close $file;
	my $stored = $server->query('ml', "SELECT count(*) || ' ' || count(DISTINCT step) FROM mlmeta.metric_points WHERE run = '$run' AND key = 'k$n' AND step <= $acked");
	is($stored, "$acked $acked", "killed: $acked points were answered, and are there once");
}

# TLS
SKIP:
{
	my $dir = tempdir(CLEANUP => 1);
	skip 'there is no openssl', 1
	  if system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key -out $dir/cert -days 1 -subj /CN=localhost >/dev/null 2>&1") != 0
	  || system('curl --version >/dev/null 2>&1') != 0;
	my $secure = MlmetaGateway->new($server, 'ml', '--tls-cert', "$dir/cert", '--tls-key', "$dir/key", '--anonymous', 'trusted');
	is(`curl -sk --max-time 20 https://127.0.0.1:$secure->{port}/version`, '3.3.0', 'by TLS, without credentials as who was named');
	$secure->stop;
}

done_testing();
