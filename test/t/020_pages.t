# README.md and the pages of doc/ are run: every ```sql block in order, in one
# session on a new database; where a ```text block follows, it is the answer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Encode qw(decode);
use MlmetaCluster;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my @files = ("$root/README.md", sort glob "$root/doc/*.md");
my $server = MlmetaCluster->new('pages');

# An answer without what depends on the widths of columns.
sub plain
{
	my ($answer) = @_;

	$answer =~ s/-{3,}/---/g;
	$answer =~ s/[ \t]+/ /g;
	$answer =~ s/^ | $//mg;
	$answer =~ s/\A\s+|\s+\z//g;
	return $answer;
}

foreach my $file (@files)
{
	my ($page) = $file =~ m{([^/]+)\.md$};
	my @blocks;
	my $title = $page;

	open(my $in, '<:encoding(UTF-8)', $file) or die "$file: $!";
	my $text = do { local $/; <$in> };
	close $in;
	while ($text =~ /^#+ ([^\n]*)\n|^```sql\n(.*?)^```\n(?:\n*```text\n(.*?)^```\n)?/msg)
	{
		if (defined $1) { $title = $1 }
		else { push @blocks, { title => $title, sql => $2, answer => $3 } }
	}
	next unless @blocks;

	(my $database = lc $page) =~ tr/-/_/;
	$server->query('postgres', "CREATE DATABASE $database");
	$server->query($database, 'CREATE EXTENSION mlmeta');
	$server->query('postgres', qq{ALTER DATABASE $database SET search_path = "\$user", public, mlmeta});
	my $script = join '', map { "$_->{sql}\n\\echo == end of block\n" } @blocks;
	my ($status, $out, $err) = $server->program(
		[qw(psql -X -q -v ON_ERROR_STOP=1 -P pager=off)],
		database => $database, stdin => $script);
	is($status, 0, "$page runs to its end") or diag($err);

	my @answers = split /^== end of block\n/m, decode('UTF-8', $out), -1;
	foreach my $n (0 .. $#blocks)
	{
		next unless defined $blocks[$n]{answer};
		is(plain($answers[$n] // ''), plain($blocks[$n]{answer}),
			"$page: $blocks[$n]{title}");
	}
}

# The index of the statistics names every function that is for users, as the
# catalog has them: not those behind types, operators and aggregates.
{
	my %area;

	foreach my $part (glob "$root/sql/[23]*.sql")
	{
		open(my $in, '<', $part) or die "$part: $!";
		while (<$in>)
		{
			$area{$1} = 1 if /^CREATE (?:FUNCTION|AGGREGATE) mlmeta\.(\w+)/;
		}
		close $in;
	}
	my $public = $server->query('statistics', <<'SQL');
SELECT DISTINCT proname FROM pg_proc AS p
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'mlmeta'
WHERE NOT p.oid IN (
	SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
		aggminvtransfn, aggmfinalfn]) FROM pg_aggregate
	UNION SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend]) FROM pg_type
	UNION SELECT amproc FROM pg_amproc
	UNION SELECT oprcode FROM pg_operator WHERE oprname IN ('=', '<>', '<', '<=', '>', '>='))
ORDER BY proname
SQL
	open(my $in, '<:encoding(UTF-8)', "$root/doc/statistics.md") or die $!;
	my $index = do { local $/; <$in> };
	close $in;
	my @public = grep { $area{$_} } split /\n/, $public;

	cmp_ok(scalar @public, '>', 120, 'the statistics have functions');
	is_deeply([grep { $index !~ /`$_\b/ } @public], [],
		'doc/statistics.md names every one');
}

done_testing();
