#!/usr/bin/env bash
# The story of infinite_networks.ipynb in curl: the kernel of an infinitely wide network on handwritten digits, its predictions and how sure
# it is of them, a network that PyTorch trained with its own kernel, and whether training is lazy.
#
#   Examples/infinite_networks.sh [PATH-TO-NTK-SERVER]
#
# Needs bash, curl, gzip and awk. Starts the server on a free port, prints what it asks and what comes back, and stops it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=Examples/start-server.sh
source "$here/start-server.sh"

say() { printf '\n=== %s\n' "$*"; }
ask() { curl --silent --show-error --write-out '\n' --fail-with-body --max-time 120 "$@"; }
# The first characters of a long answer.
beginning() { cut -c 1-300; }
# digits FROM TO: these images, pixels from 0 to 1, as rows of a JSON array; labels FROM TO: what they show.
digits() {
    gzip -dc "$here/data/digits.csv.gz" | awk -F, -v from="$1" -v to="$2" '
        NR > from && NR <= to { row = $1 / 16; for (i = 2; i < NF; i++) row = row "," $i / 16; all = all (all == "" ? "" : ",") "[" row "]" }
        END { printf "[%s]", all }'
}
labels() { gzip -dc "$here/data/digits.csv.gz" | awk -F, -v from="$1" -v to="$2" 'NR > from && NR <= to { printf "%s%s", (n++ ? "," : ""), $NF }'; }
infinite='{"type":"mlp","depth":3,"activation":"relu","w_std":1.4142135623730951}'
finite='{"type":"serial","layers":[{"type":"dense","width":64},{"type":"relu"},{"type":"dense","width":64},{"type":"relu"},{"type":"dense","width":10}]}'

say "the kernel of an infinitely wide network among four digits"
ask --header 'Content-Type: application/json' --data "{\"architecture\":$infinite,\"x1\":$(digits 0 4)}" "$address/v1/kernels"

say "and its spectrum, and how well it fits what the digits are (targets: is it even?)"
targets=$(labels 0 200 | awk -v RS=, '{ printf "%s%s", (NR > 1 ? "," : ""), ($1 % 2 ? -1 : 1) }')
printf '{"kernel":{"architecture":%s},"x":%s,"y":[%s]}' "$infinite" "$(digits 0 200)" "$targets" > "$work/spectrum.json"
ask --header 'Content-Type: application/json' --data "@$work/spectrum.json" "$address/v1/spectra" | beginning

say "what it predicts of ten digits from 1,000 others, with probabilities; what they are: $(labels 1000 1010)"
printf '{"kernel":{"architecture":%s},"x_train":%s,"labels":[%s],"x_test":%s,"ridge":1e-3,"ridge_scale":"relative"}' \
    "$infinite" "$(digits 0 1000)" "$(labels 0 1000)" "$(digits 1000 1010)" > "$work/predictions.json"
ask --header 'Content-Type: application/json' --data "@$work/predictions.json" "$address/v1/predictions" | tee "$work/answer.json" | beginning
predicted=$(tr -d ' \n' < "$work/answer.json" | awk 'match($0, /"labels":\[[^]]*\]/) { print substr($0, RSTART + 10, RLENGTH - 11) }')
[[ $predicted == "$(labels 1000 1010)" ]] || { echo "another prediction was expected: $predicted came" >&2; exit 1; }

say "and a regression with its standard deviation squared"
ask --header 'Content-Type: application/json' --data '{"kernel":{"architecture":{"type":"mlp","depth":2,"w_std":1.5,"b_std":0.5}},"x_train":[[-1],[0],[1.5]],"y_train":[0.5,-0.5,1],
    "x_test":[[-3],[0.2],[3]],"ridge":1e-3,"covariance":"diagonal"}' "$address/v1/predictions" | beginning

say "a network that PyTorch trained (train_digits.py), stored with its weights"
ask -F "request={\"architecture\":$finite,\"input_shape\":[64]};type=application/json" \
    -F "parameters=@$here/data/digits_trained.safetensors" "$address/v1/networks" > "$work/network.json"
beginning < "$work/network.json"
network=$(awk 'match($0, /net_[0-9a-f]+/) { print substr($0, RSTART, RLENGTH) }' "$work/network.json")

say "its outputs for two digits, $(labels 1000 1002), and the kernel of its weights"
ask --header 'Content-Type: application/json' --data "{\"network\":\"$network\",\"x\":$(digits 1000 1002)}" "$address/v1/network-outputs"
ask --header 'Content-Type: application/json' --data "{\"network\":\"$network\",\"x1\":$(digits 1000 1002)}" "$address/v1/empirical-kernels"

say "random networks come to the infinite one as they get wider"
ask --header 'Content-Type: application/json' --data "{\"architecture\":$infinite,\"x\":$(digits 0 6),\"widths\":[32,128],\"samples\":4}" "$address/v1/convergence"

say "lazy or not: how far the kernel moves while a network of width 16, then 512, is trained to tell even digits from odd ones"
targets=$(labels 0 40 | awk -v RS=, '{ printf "%s%s", (NR > 1 ? "," : ""), ($1 % 2 ? -1 : 1) }')
for width in 16 512; do
    layers="{\"type\":\"dense\",\"width\":$width,\"parameterization\":\"ntk\"},{\"type\":\"relu\"},{\"type\":\"dense\",\"width\":1,\"parameterization\":\"ntk\"}"
    printf '{"network":{"architecture":{"type":"serial","layers":[%s]},"initialization":{"seed":1}},"x_train":%s,"y_train":[%s],"steps":[0,10,100]}' \
        "$layers" "$(digits 0 40)" "$targets" > "$work/training.json"
    ask --header 'Content-Type: application/json' --data "@$work/training.json" "$address/v1/trainings" | tr -d ' \n' |
        awk -v width="$width" 'match($0, /"kernel_drift":\[[^]]*\]/) { print "width " width ": " substr($0, RSTART, RLENGTH) }'
done
