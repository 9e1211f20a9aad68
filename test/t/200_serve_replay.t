# Recorded sessions of MLflow's own clients and server, sent again through the
# gateway: its answers are MLflow's up to ids, times and the names it makes up.
#
# Where they are not, %deviations says why.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Uncompress::Gunzip qw(gunzip);
use MlmetaClient;
use MlmetaCluster;
use MlmetaGateway;
use Test::More;

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $data = "$FindBin::RealBin/../data/mlflow";
my $json = MlmetaGateway::json();
my $server = MlmetaCluster->new('replay');

# What is answered otherwise, by method and path, and why.
my @deviations = (
	[ qr{^GET /version$}, 'below 3.4 clients send traces as JSON, not protobuf' ],
	[ qr{/traces}, 'traces are not kept: clients warn and go on' ],
	[ qr{/api/3\.0/mlflow/datasets}, 'evaluation datasets are not kept' ],
);

sub deviation
{
	my ($what) = @_;
	for my $d (@deviations) { return $d->[1] if $what =~ $d->[0] }
	return undef;
}

sub read_sessions
{
	my ($file) = @_;
	my $text;
	gunzip("$data/$file" => \$text) or die $file;
	return map { $json->decode($_) } split /\n/, $text;
}

# What a server made up, as recorded => as here, and back.
my (%here, %there, %cut);

sub learn
{
	my ($recorded, $ours) = @_;
	return if !defined $recorded || !defined $ours || ref $recorded || ref $ours || exists $here{$recorded};
	$here{$recorded} = $ours;
	$there{$ours} = $recorded;
}

# Ids in an answer about one thing are learned; lists may be in another order.
sub learn_from
{
	my ($recorded, $ours) = @_;
	if (ref $recorded eq 'HASH' && ref $ours eq 'HASH')
	{
		for my $key (sort keys %$recorded)
		{
			if ($key =~ /^(run_id|run_uuid|model_id)$/) { learn($recorded->{$key}, $ours->{$key}) }
			elsif ($key eq 'experiment_id') { learn("e$recorded->{$key}", "e$ours->{$key}") }
			elsif ($key eq 'run_name' && $recorded->{$key} =~ /^[a-z]+-[a-z]+-\d+$/) { learn($recorded->{$key}, $ours->{$key}) }
			else { learn_from($recorded->{$key}, $ours->{$key}) }
		}
	}
}


# text(TEXT, MAP): with the other side's ids.
sub text
{
	my ($text, $map) = @_;
	$text =~ s{\b((?:m-)?[0-9a-f]{32})\b}{$map->{$1} // $1}ge;
	$text =~ s{(mlflow-artifacts:/)(\d+)\b}{ my $e = $map->{"e$2"}; $1 . ($e ? substr($e, 1) : $2) }ge;
	$text =~ s{^(\d+)(?=/(?:[0-9a-f]{32}|models)/)}{ my $e = $map->{"e$1"}; $e ? substr($e, 1) : $1 }ge;
	$text =~ s{(artifacts/artifacts/)(\d+)(?=/)}{ my $e = $map->{"e$2"}; $1 . ($e ? substr($e, 1) : $2) }ge;
	$text =~ s{^([a-z]+-[a-z]+-\d+)$}{$map->{$1} // $1}ge;
	return $text;
}

sub translate
{
	my ($value, $map, $key) = @_;
	$key //= '';
	if (ref $value eq 'HASH') { return { map { $_ => translate($value->{$_}, $map, $_) } keys %$value } }
	if (ref $value eq 'ARRAY') { return [ map { translate($_, $map, $key) } @$value ] }
	return $value if ref $value || !defined $value;
	if ($key =~ /^experiment_ids?$/) { my $e = $map->{"e$value"}; return $e ? substr($e, 1) : $value }
	return $value if $value =~ /^-?\d+(\.\d+)?$/ && $key ne 'run_id';
	return text($value, $map);
}

# What is compared: numbers as numbers, sets in one order, without times that the
# server takes, tokens, and JSON in strings as what it means.
sub normal
{
	my ($value, $key) = @_;
	$key //= '';
	if (ref $value eq 'HASH')
	{
		my %result;
		for my $k (keys %$value)
		{
			next if $k =~ /^(creation|last_updated?)_time(stamp(_ms)?)?$/ || $k eq 'next_page_token' || $k eq 'message';
			$result{$k} = normal($value->{$k}, $k);
		}
		# Recorded bodies that are JSON are not laid out as they were sent; long ones
		# were cut off.
		delete $result{file_size} if ($value->{path} // '') =~ /\.json$/ || $cut{ $value->{path} // '' };
		# Servers before 3 have no outputs. A run that goes on has no end here; MLflow
		# keeps the last one.
		delete $result{outputs} if ref $result{outputs} eq 'HASH' && !%{ $result{outputs} };
		delete $result{end_time} if ($value->{status} // '') eq 'RUNNING';
		# Infinity is Infinity here, and the largest number there.
		$result{value} = 'Infinity' if exists $value->{step} && ($value->{value} // '') =~ /^1\.?797/;
		$result{value} = '-Infinity' if exists $value->{step} && ($value->{value} // '') =~ /^-1\.?797/;
		return \%result;
	}
	if (ref $value eq 'ARRAY')
	{
		my @result = map { normal($_, $key) } @$value;
		my %order = map { $_ => (ref $_ eq 'HASH' ? $_->{path} // $_->{key} // '' : '') . $json->encode($_) } @result;
		@result = sort { $order{$a} cmp $order{$b} } @result
		  if $key =~ /^(tags|params|metrics|aliases|files|latest_versions|dataset_inputs|model_inputs|model_outputs|model_versions)$/;
		return \@result;
	}
	return $value if !defined $value;
	# JSON in a string is kept as what it means.
	if ($key =~ /^(schema|profile|value)$/ && $value =~ /^[\[{]/) { return normal($json->decode($value)) }
	return 0 + $value if $key !~ /^(value|version|experiment_id)$/ && "$value" =~ /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
	return 0 + $value if $key eq 'value' && "$value" =~ /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
	return "$value";
}

# Answers about experiments and runs of sessions that are not among these
sub only_known
{
	my ($answer) = @_;
	for my $list (qw(experiments runs))
	{
		next if ref $answer ne 'HASH' || ref $answer->{$list} ne 'ARRAY';
		$answer->{$list} = [ grep { my $e = $_->{info} // $_; $list eq 'runs' ? $here{$e->{run_id}} : $e->{experiment_id} eq '0' || $here{"e$e->{experiment_id}"} } @{ $answer->{$list} } ];
		delete $answer->{$list} if !@{ $answer->{$list} };
	}
	return $answer;
}

sub query_string
{
	my ($query) = @_;
	return join '&', map {
		my $name = $_;
		map { "$name=" . (($name eq 'experiment_id' && $here{"e$_"} ? substr($here{"e$_"}, 1) : text($_, \%here)) =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger) } @{ $query->{$name} }
	} sort keys %$query;
}

# Content without a length: what HTTP::Tiny calls for it, it sends in chunks.
sub chunks
{
	my @parts = @_;
	return sub { return shift @parts };
}

sub replay
{
	my ($gateway, $r) = @_;
	my $path = text($r->{path}, \%here);
	my $query = query_string($r->{query});
	my %headers = %{ $r->{headers} };
	my $body = $r->{body};
	my $chunked = $r->{chunked} || delete $headers{'Transfer-Encoding'};

	delete $headers{'Transfer-Encoding'};
	$query = "path=" . (text($r->{query}{path}[0], \%here) =~ s{([^A-Za-z0-9_./-])}{sprintf '%%%02X', ord $1}ger)
	  if $r->{query}{path};
	$cut{ $r->{path} =~ s{^.*/}{}r } = 1 if $r->{method} eq 'PUT' && !ref $body && length $body == 400;
	if (ref $body) { $body = $json->encode($r->{method} eq 'PUT' ? $body : translate($body, \%here)) }
	elsif ($body =~ /^<(\d+) bytes>$/) { $body = 'x' x $1 }
	else { utf8::encode($body) }
	$body = text($body, \%here) if $r->{method} ne 'PUT' && $body =~ /^\{/;
	my ($status, $content, $got) = $gateway->request($r->{method}, $path . ($query ne '' ? "?$query" : ''),
		headers => \%headers, $chunked ? (body => chunks($body)) : $body eq '' && $r->{method} eq 'GET' ? () : (body => $body));
	my $answer = eval { $json->decode($content) } // $content;
	return ($status, $answer, $got);
}

for my $version ('3.6', '2.22')
{
	$server->query('postgres', 'CREATE DATABASE "replay' . $version . '"');
	$server->query("replay$version", 'CREATE EXTENSION mlmeta');
	my $gateway = MlmetaGateway->new($server, "replay$version", '--anonymous', 'postgres');
	my ($n, $same, %explained) = (0, 0);
	(%here, %there) = ();
	# Of MLflow's experiments, "Default" is the oldest.
	$gateway->api('GET', 'experiments/get', { experiment_id => 0 });

	for my $r (read_sessions("sessions-$version.ndjson.gz"))
	{
		my $what = "$r->{method} $r->{path}";
		my ($status, $answer) = replay($gateway, $r);
		my $why = deviation($what);
		# A page of a few runs is another page where some runs are missing.
		$why = 'a page over runs of other sessions' if $r->{path} =~ m{runs/search$} && ($r->{body}{max_results} // 99) < 5
		  && grep { !$here{ $_->{info}{run_id} } } @{ $r->{answer}{runs} };
		$why = 'a model with a version in production is not deleted' if $what =~ m{DELETE .*registered-models/delete$} && $r->{body}{name} =~ /^m-/;
		$n++;
		if ($r->{path} =~ m{registered-models/create$} && $status == 200)
		{
			# What MLflow lets through at once takes approval here; not in this test.
			my $model = $r->{body}{name};
			$server->query("replay$version", "SELECT mlmeta.set_policy('$model', s.stage, 0, requester_may_approve => true) FROM mlmeta.stages AS s");
		}
		if ($why)
		{
			cmp_ok($status, '<', 502, "$version $n $what is answered");
			isnt($status, 500, "$version $n: $why");
			$explained{$why}++;
			next;
		}
		learn_from($r->{answer}, $answer) if $status == 200;
		my $expected = normal(only_known($r->{answer}));
		my $got = normal(only_known(translate($answer, \%there)));
		if ($r->{path} =~ m{mlflow-artifacts/artifacts/.} && $r->{method} eq 'GET')
		{
			# What was no text is recorded by its size.
			$expected = "$expected" if !ref $expected;
			$got = $expected if $expected =~ /^<(\d+) bytes>$/ && length($answer) == $1;
		}
		$same++ if $status == $r->{status}
		  && is_deeply([ $status, $got ], [ $r->{status}, $expected ], "$version $n ($r->{session}): $what");
		is($status, $r->{status}, "$version $n ($r->{session}): $what: status") or diag($json->encode($answer))
		  if $status != $r->{status};
	}
	note("$version: $n requests, $same answers as recorded; otherwise: "
		  . join(', ', map { "$explained{$_}: $_" } sort keys %explained));
	cmp_ok($same, '>', $version eq '3.6' ? 200 : 50, "$version: most answers are compared");
	unlike($gateway->log_text, qr/error/, "$version: nothing in the gateway's log");
	is($gateway->stop, 0, "$version: stops when told");
}

done_testing();
