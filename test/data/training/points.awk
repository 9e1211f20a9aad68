# x, label: two hundred points, no two runs of this differ
BEGIN {
	for (i = 0; i < 200; i++) {
		x = (i * 7919 % 200) / 100 - 1
		noise = (i * 104729 % 97) / 97 - 0.5
		printf "%.2f,%d\n", x, (x + 0.8 * noise > 0.1)
	}
}
