# Filters and orders mean what MLflow's own parser makes of them: for each string
# of the collection, the same comparisons, or an error where it has one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use MlmetaCluster;
use Test::More;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $server = MlmetaCluster->new('filter');
my $text;

gunzip("$FindBin::RealBin/../data/mlflow/search_parse_3.6.json.gz" => \$text) or die;
my $oracle = $json->decode($text);

$server->query('postgres', 'CREATE DATABASE ml');
$server->query('ml', <<'SQL');
CREATE EXTENSION mlmeta;
CREATE TABLE strings (list text, string text);
CREATE FUNCTION parsed(search text, kind text, string text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	o record;
BEGIN
	IF kind = 'filter' THEN
		RETURN mlmeta_internal.rest_filter(string, search);
	END IF;
	o := mlmeta_internal.rest_order(string, search);
	PERFORM mlmeta_internal.rest_run_expression(o.type, o.key) WHERE search = 'runs' AND o.type <> 'metric';
	RETURN jsonb_build_array(o.type, o.key, o.ascending);
EXCEPTION WHEN data_exception THEN
	RETURN '"error"';
END
$$;
SQL

# Errors there, by how its tokens are cut, that have a plain meaning here.
my %lenient = map { $_ => 1 } ('metrics.a = -1.5e+3', q{params.1 = 'x'});

my $n = 0;
for my $list (sort grep { ref $oracle->{$_} eq 'HASH' } keys %$oracle)
{
	my ($search, $kind) = $list =~ /^(.*)_(filter|order_by)$/;
	# Their keys are checked against a list of their own, see rest_order_by().
	next if $kind eq 'order_by' && $search ne 'runs';
	my @strings = sort keys %{ $oracle->{$list} };
	my $quoted = $json->encode(\@strings);
	$quoted =~ s/'/''/g;
	utf8::decode($quoted);
	my ($status, $out, $err) = $server->psql('ml', do { my $sql = "SELECT jsonb_agg(parsed('$search', '$kind', s) ORDER BY n) FROM jsonb_array_elements_text('$quoted') WITH ORDINALITY AS x (s, n)"; utf8::encode($sql); $sql });
	is($status, 0, "$list is read") or diag($err);
	my $parsed = $json->decode($out);
	for my $i (0 .. $#strings)
	{
		my $expected = $oracle->{$list}{ $strings[$i] };
		my $wanted = exists $expected->{ok} ? $expected->{ok} : 'error';
		# Numbers are texts here, whatever they are there.
		if (ref $wanted eq 'ARRAY' && $kind eq 'filter') { $_->{value} = ref $_->{value} ? $_->{value} : "$_->{value}" for @$wanted }
		if (ref $parsed->[$i] eq 'ARRAY' && $kind eq 'order_by') { $_ = ref $_ ? ($$_ ? JSON::PP::true : JSON::PP::false) : $_ for @{ $parsed->[$i] } }
		# An empty string in a list is an empty list there.
		if (ref $wanted eq 'ARRAY' && $kind eq 'filter') { for (@$wanted) { $_->{value} = [''] if ref $_->{value} && !@{ $_->{value} } } }
		$wanted = $parsed->[$i] if $wanted eq 'error' && $lenient{ $strings[$i] };
		is_deeply($parsed->[$i], $wanted, "$list: $strings[$i]");
		$n++;
	}
}
cmp_ok($n, '>', 350, 'the collection is there');

done_testing();
