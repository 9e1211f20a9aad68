# train.awk: logistic regression in awk; usage: awk -v model=FILE -v epochs=N -f train.awk
BEGIN {
	getline rate < "rate.txt"
	while ((getline line < "points.csv") > 0) {
		split(line, part, ",")
		x[n] = part[1] + 0
		y[n++] = part[2] + 0
	}
	for (epoch = 1; epoch <= epochs; epoch++) {
		loss = dw = db = 0
		for (i = 0; i < n; i++) {
			p = 1 / (1 + exp(-(w * x[i] + b)))
			loss -= y[i] ? log(p) : log(1 - p)
			dw += (p - y[i]) * x[i]
			db += p - y[i]
		}
		w -= rate * dw / n
		b -= rate * db / n
		printf "epoch %d loss=%.17g\n", epoch, loss / n
		printf "step=%d w=%.17g\n", epoch, w > ENVIRON["MLMETA_LOG"]
	}
	printf "%.17g %.17g\n", w, b > model
}
