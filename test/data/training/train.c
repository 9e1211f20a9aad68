/* train.c: logistic regression in C; usage: train MODEL EPOCHS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	double		x[200], w = 0, b = 0, rate;
	int			y[200], n = 0, epochs = atoi(argv[2]);
	FILE	   *file = fopen("rate.txt", "r");
	FILE	   *channel = fopen(getenv("MLMETA_LOG"), "a");

	if (file == NULL || channel == NULL || fscanf(file, "%lf", &rate) != 1)
		return 2;
	fclose(file);
	file = fopen("points.csv", "r");
	while (n < 200 && fscanf(file, "%lf,%d", &x[n], &y[n]) == 2)
		n++;
	fclose(file);
	for (int epoch = 1; epoch <= epochs; epoch++)
	{
		double		loss = 0, dw = 0, db = 0;

		for (int i = 0; i < n; i++)
		{
			double		p = 1 / (1 + exp(-(w * x[i] + b)));

			loss -= y[i] ? log(p) : log(1 - p);
			dw += (p - y[i]) * x[i];
			db += p - y[i];
		}
		w -= rate * dw / n;
		b -= rate * db / n;
		printf("epoch %d loss=%.17g\n", epoch, loss / n);
		fprintf(channel, "{\"w\": %.17g, \"step\": %d}\n", w, epoch);
	}
	fclose(channel);
	file = fopen(argv[1], "w");
	fprintf(file, "%.17g %.17g\n", w, b);
	return fclose(file);
}
