#!/usr/bin/env bash
# Build both images where there is neither a registry nor a container engine, and try them: the nightly image trains on
# a sample, the service image answers from what that made. What is tried, and what is needed: docs/deployment.md.
#   deploy/try-image.sh FOLDER     FOLDER gets some 8 GB; its base and wheels are used again the next time
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
export folder base=docker.io/library/python:3.11-slim-bookworm
export data=/srv/pozytywka/data artifacts=/srv/pozytywka/artifacts

say() { printf '\n== %s\n' "$*"; }
images() { buildah --root "$folder/images" --runroot "$folder/run" "$@"; }
run_in() { images run --isolation chroot "$@"; }
configured() { images inspect --format "{{range .Docker.Config.$2}}{{println .}}{{end}}" "$1" | sed '/^$/d'; }
get() { curl --silent --show-error --fail-with-body --max-time 10 --write-out '\n' "http://127.0.0.1:8000$1" "${@:2}"; }
export -f say images run_in configured get

# Debian's Python in the place of the official image
make_base() {
    if [ ! -x "$folder/base/usr/local/bin/python" ]; then
        packages=ca-certificates,python3.11,python3-distutils,python3.11-venv,python3-pip
        debootstrap --variant=minbase --include="$packages" bookworm "$folder/base" > "$folder/debootstrap.log"
        ln -s /usr/bin/python3.11 "$folder/base/usr/local/bin/python"
    fi
    images rm --all > "$folder/clean.log" # what an earlier try has left
    images rmi --prune >> "$folder/clean.log"
    container=$(images from scratch)
    images add --quiet "$container" "$folder/base" / > "$folder/add.log"
    images commit --quiet --rm "$container" "$base"
}

# with this machine's settings of pip, which the build does not know; torch, as in the Dockerfile, for CPUs
download_wheels() {
    python3.11 -m pip download --quiet --dest "$folder/wheels" --no-deps "$(grep ^torch== constraints.txt)" \
        --extra-index-url https://download.pytorch.org/whl/cpu 2> "$folder/download.log"
    python3.11 -m pip download --quiet --dest "$folder/wheels" --find-links "$folder/wheels" -c constraints.txt \
        -r deploy/service-requirements.txt '.[serve,plot,forecast]' 'setuptools>=77' wheel 2>> "$folder/download.log"
    printf '[global]\nno-index = true\nfind-links = /wheels\n' > "$folder/pip.conf"
}

build() {
    images bud --isolation chroot --format docker --pull-never --target "$1" --tag "pozytywka-$1" \
        --secret "id=pip.conf,src=$folder/pip.conf" --volume "$folder/wheels:/wheels:ro" . > "$folder/build-$1.log" 2>&1
}

# The functions below run without a network, and with a loopback of their own, on which port 8000 is free.

train() {
    mkdir -p "$folder/data" "$folder/artifacts" "$folder/tmp"
    chown 10001:10001 "$folder/data" "$folder/artifacts" "$folder/tmp"
    volumes=(--volume "$folder/artifacts:$artifacts" --volume "$folder/tmp:/tmp")
    container=$(images from --pull-never localhost/pozytywka-nightly)
    run_in "${volumes[@]}" --volume "$folder/data:$data" "$container" -- \
        sh -c "pozytywka -q sample /tmp/sample --users 60 --weeks 30 && cp -r /tmp/sample/. $data"
    nightly=(run_in "${volumes[@]}" --volume "$folder/data:$data:ro" "$container" --)
    run_in --env POZYTYWKA_SKIP_EPOCHS=1 "${nightly[@]:1}" nightly > "$folder/nightly.log" 2>&1
    "${nightly[@]}" pozytywka models list
}

# The root is made read only after a first run, which makes the places for volumes; buildah 1.28 needs to write its
# mark, /run/.containerenv, but not where there is one.
start_service() {
    container=$(images from --pull-never localhost/pozytywka-service)
    printf 'write %s\n' "$token" > "$folder/tokens"
    volumes=(--volume "$folder/data:$data" --volume "$folder/artifacts:$artifacts:ro" --volume "$folder/tmp:/tmp"
        --volume "$folder/tokens:/run/secrets/tokens:ro")
    run_in "${volumes[@]}" "$container" -- pozytywka --version
    root=$(images mount "$container")
    touch "$root/run/.containerenv"
    mount -o remount,ro "$root"
    mapfile -t words < <(configured "$container" Entrypoint && configured "$container" Cmd)
    # shellcheck disable=SC2016 # the shell in the container expands them
    run_in "${volumes[@]}" --env POZYTYWKA_DATABASE_URL=sqlite:////tmp/experiments.sqlite3 "$container" -- \
        sh -c 'echo $$ > /tmp/pid && exec "$@"' sh "${words[@]}" --tokens /run/secrets/tokens 2> "$folder/service.log" &
    buildah=$!
}

wait_until_ready() {
    for _ in $(seq 150); do
        get /readyz > "$folder/ready.json" 2> /dev/null && return
        sleep 0.2
    done
    tail "$folder/service.log"
    return 1
}

# the most played track and its artist
popular() {
    python3.11 - "$folder/data" << 'END'
import json, sys
from collections import Counter
from pathlib import Path

tables = {name: map(json.loads, Path(sys.argv[1], f"{name}.jsonl").open()) for name in ("sessions", "tracks")}
((track, _),) = Counter(event["track_id"] for event in tables["sessions"] if event["event_type"] == "PLAY").most_common(1)
print(track, next(one["id_artist"] for one in tables["tracks"] if one["id"] == track))
END
}

ask() {
    get /healthz
    cat "$folder/ready.json"
    read -r track artist < <(popular)
    request="{\"user_id\": 101, \"track_id\": \"$track\"}"
    get /v1/skip --json "$request" | tee "$folder/answer.json"
    "${nightly[@]}" sh -c "echo '$request' | pozytywka predict skip -" > "$folder/prediction.json"
    python3.11 -c 'import json, sys; answer, prediction = map(json.load, map(open, sys.argv[1:])); \
        assert answer["rows"] == [prediction], prediction' "$folder/answer.json" "$folder/prediction.json"
    echo "The other image predicts the same."
    get "/v1/similar/$artist?by_id=true&count=2"
    get "/v1/recommend/101?count=2"
    get "/v1/weekly/$artist?by_id=true"
    get /v1/experiments
    get /metrics | grep --max-count 1 '^# TYPE'
    event="{\"timestamp\": \"$(date --utc +%FT%TZ)\", \"session_id\": 900000001, \"event_type\": \"PLAY\", ${request#\{}"
    get /v1/events --json "$event" --header "Authorization: Bearer $token"
    "${nightly[@]}" pozytywka validate
    # without a token, and with one for an event that is none
    if get /v1/events --json "$event" 2> /dev/null; then return 1; fi
    if get /v1/events --json "${event/PLAY/STOP}" --header "Authorization: Bearer $token" 2> /dev/null; then return 1; fi
    mapfile -t words < <(configured "$container" Healthcheck.Test)
    run_in "$(images from --pull-never localhost/pozytywka-service)" -- "${words[@]:1}"
}

stop_service() {
    trap - EXIT
    [ -v buildah ] || return 0
    mount -o remount,rw "$root" # for buildah to remove its mark
    kill -TERM "$(cat "$folder/tmp/pid")"
    code=0
    wait "$buildah" || code=$?
}

try() {
    ip link set lo up
    trap stop_service EXIT
    token=$(head -c 24 /dev/urandom | base64)
    say "The nightly image trains on a sample"
    train
    say "The service image answers"
    start_service
    wait_until_ready
    ask
    say "The service stops"
    stop_service
    echo "exit code $code"
    [ "$code" = 0 ]
}
export -f train start_service wait_until_ready popular ask stop_service try

say "A base from Debian's packages"
make_base
say "Wheels"
download_wheels
say "Images"
build nightly
build service
images images
unshare --net bash -euo pipefail -c try
images rm --all >> "$folder/clean.log" # so that FOLDER can be removed
