"""train.py: logistic regression in Python; usage: train.py MODEL --epochs N"""
import json
import math
import os
import sys

with open("rate.txt") as file:
    rate = float(file.read())
with open("points.csv") as file:
    points = [(float(x), int(y)) for x, y in (line.split(",") for line in file)]
w = b = 0.0
with open(os.environ["MLMETA_LOG"], "w") as channel:
    for epoch in range(1, int(sys.argv[3]) + 1):
        loss = dw = db = 0.0
        for x, y in points:
            p = 1 / (1 + math.exp(-(w * x + b)))
            loss -= math.log(p) if y else math.log(1 - p)
            dw += (p - y) * x
            db += p - y
        w -= rate * dw / len(points)
        b -= rate * db / len(points)
        print(f"epoch {epoch} loss={loss / len(points)!r}")
        print(json.dumps({"w": w, "step": epoch, "absent": float("nan")}), file=channel)
with open(sys.argv[1], "w") as file:
    file.write(f"{w!r} {b!r}\n")
