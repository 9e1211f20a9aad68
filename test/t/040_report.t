# The report in a real browser: nothing on the console, every plot drawn, and
# nothing wider than the screen, on a desk and on a phone, light and dark.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Temp qw(tempdir);
use IPC::Run qw(run timeout);
use MlmetaCluster;
use Test::More;

my ($browser) = grep { -x } map { my $d = $_; map { "$d/$_" } qw(chromium chromium-browser) }
  split /:/, $ENV{PATH};
plan skip_all => 'there is no chromium' unless $browser;

my $directory = tempdir(CLEANUP => 1);

# Appended to a copy of the page: writes what it measures into the document.
my $probe = <<'JS';
<script>
addEventListener('load', () => {
	const wide = [...document.querySelectorAll('body *')].filter(e =>
		!e.closest('.table') && e.getBoundingClientRect().right > innerWidth + 1);
	const empty = [...document.querySelectorAll('svg')].filter(e => {
		const box = e.getBoundingClientRect();
		return box.width < 40 || box.height < 20
			|| !e.querySelector('polyline,path,rect,text') || !e.querySelector('title').textContent;
	});
	const broken = [...document.querySelectorAll('svg *')].filter(e =>
		[...e.attributes].some(a => /NaN|Infinity|null/.test(a.value)));
	const out = document.createElement('pre');
	out.id = 'probe';
	out.textContent = JSON.stringify({
		width: innerWidth,
		overflow: document.documentElement.scrollWidth > innerWidth,
		wide: wide.length, plots: document.querySelectorAll('svg').length,
		empty: empty.length, broken: broken.length,
		paper: getComputedStyle(document.body).backgroundColor,
		skip: !!document.querySelector('a.skip[href="#features"]'),
		tables: [...document.querySelectorAll('table')].every(t =>
			t.querySelector('caption') && t.querySelector('th[scope]')),
		named: [...document.querySelectorAll('svg')].every(e => e.getAttribute('role') === 'img'),
	});
	parent.document.body.append(out);
});
</script>
JS

# look(HTML, WIDTH, SETTING ...): what the probe found, and the console's lines.
# The page is shown in a frame, as no window of the browser is as narrow as a
# phone.
sub look
{
	my ($html, $width, @settings) = @_;
	my ($out, $err) = ('', '');
	my $framed = $html =~ s{</body>}{$probe</body>}r =~ s/&/&amp;/gr =~ s/"/&quot;/gr;

	open(my $file, '>:encoding(UTF-8)', "$directory/page.html") or die $!;
	print $file '<!DOCTYPE html><html><head><meta name="color-scheme" content="light dark">'
	  . '<link rel="icon" href="data:,"></head><body style="margin:0">'
	  . "<iframe srcdoc=\"$framed\" style=\"width:${width}px;height:900px;border:0\"></iframe></body></html>";
	close $file;
	run [
		$browser, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage),
		qw(--enable-logging=stderr --hide-scrollbars --virtual-time-budget=2000),
		"--user-data-dir=$directory/profile", '--window-size=1400,1000', @settings,
		'--dump-dom', "file://$directory/page.html"
	], '<', \undef, '>', \$out, '2>', \$err, timeout(120);
	my ($found) = $out =~ m{<pre id="probe">(.*?)</pre>}s;
	my %found = ($found // '') =~ /"(\w+)":("[^"]*"|\w+)/g;
	return (\%found, join("\n", grep { /CONSOLE/ } split /\n/, $err));
}

# A page that is wrong in each way is found out, or nothing below means anything.
my ($bad, $console) = look('<!DOCTYPE html><html><body><div style="width:3000px">x</div>'
	  . '<svg width="10" height="5"><title></title><rect x="NaN" width="1"/></svg>'
	  . '<script>console.error("wrong")</script></body></html>', 1000);
is($bad->{overflow}, 'true', 'overflow is seen');
is($bad->{empty}, 1, 'an empty plot is seen');
is($bad->{broken}, 1, 'a broken number is seen');
like($console, qr/wrong/, 'the console is seen');

my $server = MlmetaCluster->new('report');
$server->query('postgres', 'CREATE DATABASE report');
$server->query('report', <<'SQL');
CREATE EXTENSION mlmeta;
SET search_path = public, mlmeta;
CREATE TABLE log AS
SELECT '2026-01-01'::timestamptz + i * interval '15 minutes' AS at,
	CASE WHEN i > 3000 THEN 2 ELSE 1 END * (hashint8extended(i, 1) & 65535) / 65536.0::float8 AS x,
	NULL::float8 AS nothing, 7 AS same,
	CASE WHEN i > 3200 THEN '<new> & "odd"' ELSE 'plan ' || i % 4 END AS "a very long name, with <angles> & more of it",
	(hashint8extended(i, 2) & 65535) / 65536.0::float8 AS score,
	(hashint8extended(i, 3) & 65535) < (hashint8extended(i, 2) & 65535) AS label,
	CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS region,
	CASE i % 3 WHEN 0 THEN 'Infinity' WHEN 1 THEN 'NaN' ELSE i::float8 END AS wild
FROM generate_series(0, 96 * 40) AS i;
SELECT create_monitor('log <b>', 'log', 'at', '1 day', label => 'label', score => 'score',
	segments => '{"region": "region"}');
SELECT set_baseline('log <b>', '2026-01-01', '2026-01-21');
SELECT count(*) FROM check_monitor('log <b>', '2026-02-09');
SQL
my $page = $server->query('report', "SELECT mlmeta.report('log <b>')");

unlike($page, qr/<script|<link[^>]*href="(?!data:)|src=|\@import|url\(/i,
	'nothing comes from elsewhere');
like($page, qr/Monitor log &lt;b&gt;/, 'names are escaped');
unlike($page, qr/<new>|<angles>/, 'so are values');

my %paper;
foreach my $case ([ 'desk', 1280 ], [ 'phone', 360 ],
	[ 'phone, dark', 360, '--blink-settings=preferredColorScheme=0' ])
{
	my ($name, $width, @settings) = @$case;
	my ($found, $lines) = look($page, $width, @settings);

	is($lines, '', "$name: the console is empty");
	is($found->{width}, $width, "$name: the page is shown that wide");
	is($found->{overflow}, 'false', "$name: nothing overflows");
	is($found->{wide}, 0, "$name: no element is wider than the screen");
	cmp_ok($found->{plots} // 0, '>=', 4 + 2 * 6, "$name: the plots are there");
	is($found->{empty}, 0, "$name: no plot is empty");
	is($found->{broken}, 0, "$name: no plot has a broken number");
	is($found->{named}, 'true', "$name: plots are images to screen readers");
	is($found->{tables}, 'true', "$name: tables have captions and headers");
	is($found->{skip}, 'true', "$name: the keyboard can skip to the features");
	$paper{$name} = $found->{paper};
}
isnt($paper{'phone, dark'}, $paper{phone}, 'dark is dark');

# A monitor that was never checked has a page too.
$server->query('report', q{SELECT mlmeta.create_monitor('new', 'log', 'at', '1 day')});
my ($new, $lines) = look($server->query('report', q{SELECT mlmeta.report('new')}), 360);
is($lines, '', 'a new monitor: the console is empty');
is($new->{overflow}, 'false', 'a new monitor: nothing overflows');

done_testing();
