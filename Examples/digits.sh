#!/usr/bin/env bash
# Recognises handwritten digits with the neural tangent kernel of an infinitely wide network, by one HTTP request.
#
#   Examples/digits.sh [PATH-TO-NTK-SERVER]
#
# Needs bash, curl, gzip and awk. Starts the server on a free port, fits 1,000 images of Examples/data/digits.csv.gz, predicts the other
# 797, prints the accuracy, stops the server, and fails below 97.5 %.
#
# The split: image r, counted from 0, trains if (1000 r mod 1797) < 1000. That spreads exactly 1,000 training images evenly over the
# file, so that a writer's digits may be on both sides. (Taking the first 1,000 instead asks for unseen writers: 97.4 %.)
#
# The ridge, relative to the kernel's mean diagonal, is chosen on the training images alone: the leave-one-out squared error falls
# towards ridge 0 and is flat below 1e-3, the largest power of ten within 1 % of its least value.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ridge=1e-3
expected=97.5
# shellcheck source=Examples/start-server.sh
source "$here/start-server.sh"

# Writes the request, and the digits that the answer should give.
gzip -dc "$here/data/digits.csv.gz" | awk -F, -v ridge="$ridge" -v truth="$work/truth" '
    {
        image = ""
        for (i = 1; i < NF; i++) image = image (i > 1 ? "," : "") $i / 16
        if ((NR - 1) * 1000 % 1797 < 1000) {
            train = train (train == "" ? "" : ",") "[" image "]"
            labels = labels (labels == "" ? "" : ",") $NF
        } else {
            test = test (test == "" ? "" : ",") "[" image "]"
            print $NF > truth
        }
    }
    END {
        printf "{\"kernel\":{\"architecture\":{\"type\":\"mlp\",\"depth\":3,\"activation\":\"relu\",\"w_std\":1.4142135623730951},\"kind\":\"ntk\"},"
        printf "\"x_train\":[%s],\"labels\":[%s],\"x_test\":[%s],\"ridge\":%s,\"ridge_scale\":\"relative\"}", train, labels, test, ridge
    }' > "$work/request.json"

if ! curl --silent --show-error --fail-with-body --max-time 120 -H 'Content-Type: application/json' \
    --data-binary "@$work/request.json" -o "$work/answer.json" -w 'answered in %{time_total} s\n' "$address/v1/predictions"; then
    cat "$work/answer.json" >&2
    exit 1
fi

# The predicted digits are the member "labels" of the answer, a flat list.
tr -d ' \n' < "$work/answer.json" | awk '
    match($0, /"labels":\[[^]]*\]/) {
        count = split(substr($0, RSTART + 10, RLENGTH - 11), labels, ",")
        for (i = 1; i <= count; i++) print labels[i]
    }' > "$work/labels"
paste "$work/truth" "$work/labels" | awk -v expected="$expected" '
    { right += ($1 "" == $2 "") }
    END {
        accuracy = 100 * right / NR
        printf "%d of %d test digits recognised: accuracy %.2f %%\n", right, NR, accuracy
        if (NR != 797 || accuracy < expected) {
            printf "at least %s %% of 797 was expected\n", expected > "/dev/stderr"
            exit 1
        }
    }'
