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
configured() { images inspect --format "{{join .Docker.Config.$2 \"\n\"}}" "$1"; }
get() { curl --silent --show-error --fail-with-body --max-time 10 "http://127.0.0.1:8000$1" "${@:2}"; }
export -f say images run_in configured get

# Debian's Python in the place of the official image
make_base() {
    if [ ! -x "$folder/base/usr/local/bin/python" ]; then
        packages=ca-certificates,python3.11,python3-distutils,python3.11-venv,python3-pip
        debootstrap --variant=minbase --include="$packages" bookworm "$folder/base" > "$folder/debootstrap.log"
        ln -s /usr/bin/python3.11 "$folder/base/usr/local/bin/python"
    fi
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
        pozytywka -q sample "$data" --users 60 --weeks 30
    run_in "${volumes[@]}" --volume "$folder/data:$data:ro" "$container" -- nightly 2> "$folder/nightly.log"
    run_in "${volumes[@]}" --volume "$folder/data:$data:ro" "$container" -- pozytywka models list
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

ask() {
    get /healthz
    echo
    cat "$folder/ready.json"
}

stop_service() {
    mount -o remount,rw "$root" # for buildah to remove its mark
    kill -TERM "$(cat "$folder/tmp/pid")"
    code=0
    wait "$buildah" || code=$?
}

try() {
    ip link set lo up
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
}
export -f train start_service wait_until_ready ask stop_service try

say "A base from Debian's packages"
make_base
say "Wheels"
download_wheels
say "Images"
build nightly
build service
images images
unshare --net bash -euo pipefail -c try
