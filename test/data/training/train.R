# train.R: logistic regression in R; usage: Rscript train.R MODEL EPOCHS
arguments <- commandArgs(trailingOnly = TRUE)
rate <- as.numeric(readLines("rate.txt"))
points <- read.csv("points.csv", header = FALSE)
channel <- file(Sys.getenv("MLMETA_LOG"), "w")
w <- 0
b <- 0
for (epoch in seq_len(as.integer(arguments[2]))) {
    p <- 1 / (1 + exp(-(w * points$V1 + b)))
    loss <- -mean(ifelse(points$V2 == 1, log(p), log(1 - p)))
    w <- w - rate * mean((p - points$V2) * points$V1)
    b <- b - rate * mean(p - points$V2)
    cat(sprintf("epoch %d loss=%.17g\n", epoch, loss))
    cat(sprintf("step=%d w=%.17g\n", epoch, w), file = channel)
}
close(channel)
writeLines(sprintf("%.17g %.17g", w, b), arguments[1])
